//! The bots' listener: HTTP/1.1 over TCP or TLS.
//!
//! In: a bound socket, `ingress.*`, the application of each worker. Out: actix's server, to `app.rs`.
//! It is put together from actix's parts because actix-web's own way to TLS always offers h2,
//! which a library that can speak it then takes. Invariant: the same protocol and the same limits
//! with and without TLS. Overloaded: connections wait in the kernel's queue.

use std::io;
use std::net::TcpListener;
use std::time::Duration;

use actix_http::{HttpService, KeepAlive, Request, Response};
use actix_service::{IntoServiceFactory, ServiceFactory, ServiceFactoryExt, map_config};
use actix_web::body::BoxBody;
use actix_web::dev::{AppConfig, Server, ServiceResponse};
use gramtap_actors::Group;
use rustls::ServerConfig;

use crate::config::IngressSection;

/// Connections at most, per worker.
const CONNECTIONS: usize = 200_000;
/// TLS handshakes at a time, per worker.
const HANDSHAKES: usize = 4_096;
/// How long a connection that is to be closed may take.
const CLOSING: Duration = Duration::from_secs(5);

/// A server that is still to be run. When it is stopped, answers that are under way may take `finish`.
/// Every connection is in `connections` while it lives.
pub(crate) fn serve<A, S, I>(
    settings: &IngressSection,
    listener: TcpListener,
    tls: Option<ServerConfig>,
    finish: Duration,
    connections: Group,
    app: A,
) -> io::Result<Server>
where
    A: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<
            Request,
            Config = AppConfig,
            Response = ServiceResponse<BoxBody>,
            Error = actix_web::Error,
            InitError = (),
        > + 'static,
{
    actix_tls::accept::max_concurrent_tls_connect(HANDSHAKES);
    let mut server = Server::build()
        .max_concurrent_connections(CONNECTIONS)
        .shutdown_timeout(finish.as_secs())
        .disable_signals();
    if settings.workers > 0 {
        server = server.workers(settings.workers);
    }
    let stopping = server.graceful_shutdown_signal();
    let (keep_alive, head_timeout) = (settings.keep_alive, settings.head_timeout);
    // One for each worker, made there. A macro: the builder's type differs with the stream's.
    macro_rules! http {
        () => {{
            let (stopping, connections) = (stopping.clone(), connections.clone());
            let app = app().into_factory();
            let app = app.map_err(|error| Response::from(error.error_response()));
            HttpService::build()
                .graceful_shutdown_signal(move || {
                    let stopping = stopping.clone();
                    async move { stopping.notified().await }
                })
                .keep_alive(KeepAlive::Timeout(keep_alive))
                .client_request_timeout(head_timeout)
                .client_disconnect_timeout(CLOSING)
                .h1_allow_half_closed(false)
                .tcp_nodelay(true)
                .on_connect_ext(move |_, extensions| {
                    extensions.insert(connections.enter());
                })
                .h1(map_config(app, |()| AppConfig::default()))
        }};
    }
    let server = match tls {
        Some(tls) => server.listen("bots", listener, move || http!().rustls_0_23(tls.clone()))?,
        None => server.listen("bots", listener, move || http!().tcp())?,
    };
    Ok(server.run())
}
