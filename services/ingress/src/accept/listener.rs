//! The bots' listener: HTTP/1.1 over TCP or TLS.
//!
//! In: a bound socket, `ingress.*`, what serves a request on each worker. Out: actix's server, to `app.rs`.
//! It is put together from the parts of actix-web: its own way to TLS always offers h2, which a
//! library that can speak it then takes, and its routing has nothing to do here. Invariant: the same protocol and the same limits
//! with and without TLS. Overloaded: connections wait in the kernel's queue.

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::time::Duration;

use actix_http::{HttpService, KeepAlive, Request, Response};
use actix_service::fn_service;
use actix_web::dev::Server;
use gramtap_actors::Group;
use rustls::ServerConfig;

use super::body::Body;
use crate::config::IngressSection;

/// Connections at most, per worker.
const CONNECTIONS: usize = 200_000;
/// TLS handshakes at a time, per worker.
const HANDSHAKES: usize = 4_096;
/// How long a connection that is to be closed may take.
const CLOSING: Duration = Duration::from_secs(5);

/// A server that is still to be run. When it is stopped, answers that are under way may take `finish`.
/// Every connection is in `connections` while it lives.
pub(crate) fn serve<W, S, F>(
    settings: &IngressSection,
    listener: TcpListener,
    tls: Option<ServerConfig>,
    finish: Duration,
    connections: Group,
    worker: W,
) -> io::Result<Server>
where
    W: Fn() -> S + Send + Clone + 'static,
    S: Fn(Request) -> F + Clone + 'static,
    F: Future<Output = Response<Body>> + 'static,
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
            let serve = worker();
            // In a box: a connection that asks nothing has no room for a call.
            let service = fn_service(move |request| {
                let serving = Box::pin(serve(request));
                async move { Ok::<_, Infallible>(serving.await) }
            });
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
                .h1(service)
        }};
    }
    let server = match tls {
        Some(tls) => server.listen("bots", listener, move || http!().rustls_0_23(tls.clone()))?,
        None => server.listen("bots", listener, move || http!().tcp())?,
    };
    Ok(server.run())
}
