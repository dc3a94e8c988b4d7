//! The operator's listener: `/-/live`, `/-/ready`, `/-/metrics`.
//!
//! In: probes and metrics of the process (`shared/telemetry`). Out: HTTP on an address of its
//! own, one worker. Invariant: never reachable through the bots' listener; liveness never
//! depends on Kafka, Redis, SQL or Telegram. Overloaded: it queues behind itself, not bots.

use std::net::{SocketAddr, TcpListener};

use actix_web::dev::{Server, ServerHandle};
use actix_web::{App, HttpResponse, HttpServer, web};
use gramtap_telemetry::{Probes, Ready, render};

/// Binds the listener and starts to serve.
///
/// # Errors
/// The address is taken, or is not this machine's.
pub(crate) fn serve(
    address: SocketAddr,
    probes: &Probes,
) -> std::io::Result<(SocketAddr, ServerHandle)> {
    let listener = TcpListener::bind(address)?;
    let bound = listener.local_addr()?;
    let server = server(listener, probes.clone())?;
    let handle = server.handle();
    // Its end is asked for through the handle; an error of its own is logged by actix.
    drop(gramtap_actors::spawn("admin", server));
    Ok((bound, handle))
}

fn server(listener: TcpListener, probes: Probes) -> std::io::Result<Server> {
    let app = move || {
        App::new()
            .app_data(web::Data::new(probes.clone()))
            .route(
                "/-/live",
                web::get().to(|probes: web::Data<Probes>| async move { probe(probes.live()) }),
            )
            .route(
                "/-/ready",
                web::get().to(|probes: web::Data<Probes>| async move { probe(probes.ready()) }),
            )
            .route("/-/metrics", web::get().to(|| async { metrics() }))
            .configure(poison)
    };
    let server = HttpServer::new(app)
        .workers(1)
        .disable_signals()
        .shutdown_timeout(1)
        .listen(listener)?;
    Ok(server.run())
}

fn probe(ready: Ready) -> HttpResponse {
    match ready.ok {
        true => HttpResponse::Ok().content_type("text/plain").body("ok\n"),
        false => HttpResponse::ServiceUnavailable()
            .content_type("text/plain")
            .body(ready.reasons.join("\n") + "\n"),
    }
}

fn metrics() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4")
        .body(render())
}

/// `GET /-/poison`: the living actors, a name and how many of it a line. `POST /-/poison/{actor}`: every one of that
/// name panics. `POST /-/panic`: the handler panics, with the body as its words. For tests of what
/// that costs; not even an optimised build of the whole workspace, tests' features included, has it.
#[cfg(all(feature = "inject-panics", debug_assertions))]
fn poison(config: &mut web::ServiceConfig) {
    let list = || async {
        let living = gramtap_actors::living().into_iter();
        let lines: Vec<_> = living
            .map(|(name, count)| format!("{name} {count}"))
            .collect();
        HttpResponse::Ok().body(lines.join("\n"))
    };
    let strike = |actor: web::Path<String>| async move {
        HttpResponse::Ok().body(gramtap_actors::poison(&actor).to_string())
    };
    let panic = |words: String| async move { panic_with(words) };
    config.route("/-/poison", web::get().to(list));
    config.route("/-/poison/{actor}", web::post().to(strike));
    config.route("/-/panic", web::post().to(panic));
}

#[cfg(all(feature = "inject-panics", debug_assertions))]
#[allow(clippy::panic, reason = "tests ask for it")]
fn panic_with(words: String) -> HttpResponse {
    match words.is_empty() {
        true => HttpResponse::BadRequest().finish(),
        false => std::panic::panic_any(words),
    }
}

#[cfg(not(all(feature = "inject-panics", debug_assertions)))]
fn poison(_: &mut web::ServiceConfig) {}
