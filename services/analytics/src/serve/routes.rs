//! Every path of the console, in one place.
//!
//! In: requests. Out: the page's own file. Invariant: what is not here does not exist; a bot's pages are below `/bots/{code}/`.

use actix_web::web::post;
use actix_web::{HttpResponse, Route, guard, web};

use super::fault::Fault;
use super::{
    actions, api, assets, audience, audit, bots, deliveries, errors, keys, latency, live, overview,
    sign_in, sources, welcome,
};

/// The paths.
pub(super) fn configure(config: &mut web::ServiceConfig) {
    config
        .configure(api::configure)
        .configure(keys::configure)
        .configure(live::configure)
        .route("/", get().to(home))
        .route("/assets/{version}/{name}", get().to(assets::file))
        .route("/welcome/{secret}", get().to(welcome::page))
        .route("/welcome/{secret}", post().to(welcome::enter))
        .route("/sign-in", get().to(sign_in::page))
        .route("/sign-in", post().to(sign_in::enter))
        .route("/sign-out", post().to(sign_in::leave))
        .route("/audit", get().to(audit::page))
        .configure(connecting)
        .configure(numbers)
        .default_service(web::to(async || Err::<&str, _>(Fault::Missing("page"))));
}

/// Connecting bots, and what is known of each.
fn connecting(config: &mut web::ServiceConfig) {
    config
        .route("/refused", get().to(bots::refused::page))
        .route("/refused/add", post().to(bots::refused::add))
        .route("/refused/rebind", post().to(bots::refused::rebind))
        .route("/bots", get().to(bots::list))
        .route("/bots/add", get().to(bots::add::page))
        .route("/bots/add", post().to(bots::add::add))
        .route("/bots/{code}", get().to(bots::home))
        .route("/bots/{code}/connect", get().to(bots::connect::page))
        .route(
            "/bots/{code}/first-call",
            get().to(bots::connect::first_call),
        )
        .route("/bots/{code}/settings", get().to(bots::settings::page))
        .route(
            "/bots/{code}/settings/name",
            post().to(bots::settings::name),
        )
        .route(
            "/bots/{code}/settings/privacy",
            post().to(bots::settings::privacy),
        )
        .route(
            "/bots/{code}/settings/zone",
            post().to(bots::settings::zone),
        )
        .route(
            "/bots/{code}/settings/webhook",
            post().to(bots::webhook::set),
        )
        .route(
            "/bots/{code}/settings/webhook/mode",
            post().to(bots::webhook::way),
        )
        .route(
            "/bots/{code}/settings/webhook/rotate",
            post().to(bots::webhook::rotate),
        )
        .route(
            "/bots/{code}/settings/webhook/release",
            post().to(bots::webhook::release),
        )
        .route(
            "/bots/{code}/settings/rebind",
            post().to(bots::settings::rebind),
        )
        .route(
            "/bots/{code}/settings/remove",
            post().to(bots::settings::remove),
        )
        .route(
            "/bots/{code}/settings/return",
            post().to(bots::settings::again),
        );
}

/// The numbers of a bot.
fn numbers(config: &mut web::ServiceConfig) {
    config
        .route("/bots/{code}/overview", get().to(overview::page))
        .route("/bots/{code}/audience", get().to(audience::page))
        .route("/bots/{code}/actions", get().to(actions::page))
        .route("/bots/{code}/sources", get().to(sources::page))
        .route("/bots/{code}/errors", get().to(errors::page))
        .route("/bots/{code}/errors/{group}", get().to(errors::group::page))
        .route("/bots/{code}/latency", get().to(latency::page))
        .route("/bots/{code}/deliveries", get().to(deliveries::page))
        .route("/bots/{code}/dead", get().to(deliveries::letters::page))
        .route(
            "/bots/{code}/dead/replay",
            post().to(deliveries::letters::replay),
        )
        .route(
            "/bots/{code}/dead/{record}",
            get().to(deliveries::letter::page),
        )
        .route(
            "/bots/{code}/dead/{record}/open",
            post().to(deliveries::letter::open),
        )
        .route(
            "/bots/{code}/dead/{record}/replay",
            post().to(deliveries::letter::replay),
        );
}

/// A page, or its head alone, as monitors and previews ask for it.
fn get() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

async fn home() -> HttpResponse {
    sign_in::to("/bots")
}
