//! Accepts connections.
//!
//! In: bound listeners (`simulator.rs`). Out: a task per connection (`connection.rs`). Invariant:
//! all tasks belong to this one's set, so that ending it ends them. Out of sockets, it pauses and
//! tries again; a panic in a connection ends that connection.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::connection::{self, Serves};
use crate::shared::Shared;

/// Connections that may wait to be accepted: thousands of polls begin at once.
const BACKLOG: u32 = 8_192;

/// Listens on an address.
pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves a listener until told to stop.
pub(crate) async fn accept(
    shared: Arc<Shared>,
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    serves: Serves,
    stop: CancellationToken,
) {
    let mut connections = JoinSet::new();
    let acceptor = tls.map(TlsAcceptor::from);
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            Some(ended) = connections.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "a connection's task failed");
                }
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        let (socket, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "cannot set nodelay");
        }
        let shared = Arc::clone(&shared);
        match acceptor.clone() {
            None => {
                connections.spawn(connection::serve(shared, socket, peer, false, serves));
            }
            Some(acceptor) => {
                connections.spawn(async move {
                    match acceptor.accept(socket).await {
                        Ok(socket) => connection::serve(shared, socket, peer, true, serves).await,
                        Err(error) => tracing::debug!(%error, "handshake failed"),
                    }
                });
            }
        }
    }
    connections.shutdown().await;
}
