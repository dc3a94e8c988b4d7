//! `/v1`: the same numbers and records for scripts.
//!
//! The way of a request: `caller.rs` finds its key and says what that allows → `asked.rs` reads the words behind `?` and bodies → the file of
//! the path asks: `bots.rs` the registry, `numbers.rs` and `deliveries.rs` the questions of `query/`, `events.rs`, `export.rs` and `live.rs` the log → `shape/` writes
//! JSON, `table.rs` CSV. What goes wrong is a `problem.rs`. `document.rs` describes all of it as OpenAPI, from this code.
//! Invariant: nothing below `/v1` but its description is told without a key that holds and allows it; names are only ever added.

pub mod asked;
pub mod bots;
pub mod caller;
pub mod deliveries;
pub mod document;
pub mod events;
pub mod export;
pub mod live;
pub mod numbers;
pub mod problem;
pub mod shape;
pub mod table;

use actix_web::middleware::from_fn;
use actix_web::{Resource, web};

use problem::Problem;

/// The paths.
pub(super) fn configure(config: &mut web::ServiceConfig) {
    let bot = |page: &str| format!("/bots/{{code}}/{page}");
    let scope = web::scope("/v1")
        .app_data(asked::bodies())
        .wrap(from_fn(caller::admit))
        .service(
            other(web::resource("/bots"), "GET, POST")
                .route(web::get().to(bots::list))
                .route(web::post().to(bots::connect)),
        )
        .service(
            other(web::resource("/bots/{code}"), "GET, PATCH, DELETE")
                .route(web::get().to(bots::one))
                .route(web::patch().to(bots::change))
                .route(web::delete().to(bots::remove)),
        )
        .service(get(&bot("overview")).route(web::get().to(numbers::overview)))
        .service(get(&bot("audience")).route(web::get().to(numbers::audience)))
        .service(get(&bot("actions")).route(web::get().to(numbers::actions)))
        .service(get(&bot("sources")).route(web::get().to(numbers::sources)))
        .service(get(&bot("errors")).route(web::get().to(numbers::errors)))
        .service(get(&bot("errors/{group}")).route(web::get().to(numbers::error)))
        .service(get(&bot("latency")).route(web::get().to(numbers::latency)))
        .service(get(&bot("polls")).route(web::get().to(numbers::polls)))
        .service(get(&bot("deliveries")).route(web::get().to(deliveries::numbers)))
        .service(get(&bot("attempts")).route(web::get().to(deliveries::attempts)))
        .service(get(&bot("dead")).route(web::get().to(deliveries::dead)))
        .service(
            other(web::resource(bot("dead/replay")), "POST")
                .route(web::post().to(deliveries::replay)),
        )
        .service(get(&bot("dead/{record}")).route(web::get().to(deliveries::letter)))
        .service(get(&bot("events")).route(web::get().to(events::events)))
        .service(get(&bot("export")).route(web::get().to(export::export)))
        .service(get(&bot("live")).route(web::get().to(live::live)))
        .default_service(web::to(async || Err::<&str, _>(Problem::Missing("path"))));
    config
        .service(get("/v1/openapi.json").route(web::get().to(document::document)))
        .service(scope);
}

fn get(path: &str) -> Resource {
    other(web::resource(path.to_owned()), "GET")
}

/// Says which methods there are to who asks with another one.
fn other(resource: Resource, allowed: &'static str) -> Resource {
    resource.default_service(web::to(move || async move {
        Err::<&str, _>(Problem::Method(allowed))
    }))
}

#[cfg(test)]
pub(crate) mod tests;
