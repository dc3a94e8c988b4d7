//! Every path of the console, in one place.
//!
//! In: requests. Out: the page's own file. Invariant: what is not here does not exist; a bot's pages are below `/bots/{code}/`.

use actix_web::web::{get, post};
use actix_web::{HttpResponse, web};

use super::fault::Fault;
use super::{assets, errors, overview, sign_in, welcome};

/// The paths.
pub(super) fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/", get().to(home))
        .route("/assets/{version}/{name}", get().to(assets::file))
        .route("/welcome/{secret}", get().to(welcome::page))
        .route("/welcome/{secret}", post().to(welcome::enter))
        .route("/sign-in", get().to(sign_in::page))
        .route("/sign-in", post().to(sign_in::enter))
        .route("/sign-out", post().to(sign_in::leave))
        .route("/bots/{code}/overview", get().to(overview::page))
        .route("/bots/{code}/errors", get().to(errors::page))
        .route("/bots/{code}/errors/{group}", get().to(errors::group::page))
        .default_service(web::to(async || Err::<&str, _>(Fault::Missing("page"))));
}

async fn home() -> HttpResponse {
    sign_in::to("/bots")
}
