//! Every path of the console, in one place.
//!
//! In: requests. Out: the page's own file. Invariant: what is not here does not exist; a bot's pages are below `/bots/{code}/`.

use actix_web::web;

use super::assets;
use super::fault::Fault;

/// The paths.
pub(super) fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/assets/{version}/{name}", web::get().to(assets::file))
        .default_service(web::to(async || Err::<&str, _>(Fault::Missing("page"))));
}
