//! One client's connection, request after request.
//!
//! In: an accepted socket (`listen.rs`). The way of a request: [`receive`] takes it in ([`read`]),
//! its route decides between `methods.rs`, `download.rs` and `control/http.rs`, [`wait`] parks
//! what has to wait while watching the client, [`send`] writes the answer (as `fault.rs` says, if a
//! fault is to be played). Invariant: the next request is read only after the answer to the last
//! one; a client that leaves does not end what waits in the world, only what is written to it.
//! Overload: bounded by the sockets the system gives; a connection holds one request.

mod read;
mod receive;
mod send;
mod socket;
mod wait;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::BytesMut;
use tokio::io::AsyncWriteExt;

use crate::config::Mode;
use crate::control;
use crate::download;
use crate::fail::Failure;
use crate::fault::Fault;
use crate::http::answer::Answer;
use crate::http::head::Head;
use crate::http::intake::Intake;
use crate::methods::{self, Asked};
use crate::route::Route;
use crate::shared::{ConnectionState, Listed, Shared};
use receive::{Received, Rejected, Request};
use socket::Socket;

/// Which of the two APIs a listener serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Serves {
    Bots,
    Control,
    Both,
}

/// What follows an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Request,
    /// Close in order.
    Close,
    /// Drop the socket: the connection was cut.
    Cut,
    /// Close after the client had time to read the answer while it may still be sending.
    Linger,
}

/// A connection being served.
struct Session<S> {
    shared: Arc<Shared>,
    socket: S,
    /// Received and not yet taken.
    arrived: BytesMut,
    listed: Listed,
    serves: Serves,
    /// The client has closed its side.
    left: bool,
}

/// Serves a connection until it ends.
pub(crate) async fn serve<S: Socket>(
    shared: Arc<Shared>,
    socket: S,
    peer: SocketAddr,
    tls: bool,
    serves: Serves,
) {
    let listed = shared.open(peer, tls);
    let mut session = Session {
        shared,
        socket,
        arrived: BytesMut::new(),
        listed,
        serves,
        left: false,
    };
    let connection = Arc::clone(&session.listed.connection);
    let ended = tokio::select! {
        ended = session.requests() => ended,
        () = connection.thrown_out() => Ok(()),
    };
    if connection.by_reset() {
        // A socket that cannot be reset is closed all the same.
        session.socket.reset_on_close().ok();
    }
    if let Err(error) = ended {
        tracing::debug!(connection = session.listed.connection.id, %error, "connection ended");
    }
}

impl<S: Socket> Session<S> {
    /// Request after request, until the connection is to end.
    async fn requests(&mut self) -> io::Result<()> {
        loop {
            match self.exchange().await? {
                Next::Request if !self.left => {}
                Next::Linger => return self.linger().await,
                // A client that has left does not read what ends a connection in order.
                Next::Request | Next::Close if self.left => return Ok(()),
                Next::Request | Next::Close => return self.socket.shutdown().await,
                Next::Cut => return Ok(()),
            }
        }
    }

    /// One request and its answer.
    async fn exchange(&mut self) -> io::Result<Next> {
        self.state(ConnectionState::Idle);
        match self.receive().await? {
            Received::Whole(request) => self.respond(*request).await,
            Received::Over(next) => Ok(next),
        }
    }

    /// Answers a request, rightly or as a fault has it.
    async fn respond(&mut self, request: Request) -> io::Result<Next> {
        let shared = Arc::clone(&self.shared);
        let rules = shared.connection_rules();
        let last = rules.close_after.is_some_and(|most| request.number >= most);
        let close = !request.head.keep_alive || (last && rules.announce);
        let arguments = &request.taken.arguments;
        let fault = shared
            .faults
            .pick(&request.route, Some(arguments))
            .map(|(id, fault)| {
                shared.journal.faulted(request.id, id);
                fault
            });
        let scripted = fault.as_ref().filter(|fault| fault.scripted());
        let mut answer = match scripted {
            Some(fault) if !fault.perform => fault.answer(),
            Some(fault) => {
                // Carried out, but told otherwise.
                drop(self.answer(&request).await);
                fault.answer()
            }
            None => self.answer(&request).await,
        };
        answer.close |= close;
        let json = answer.content_type.as_deref() == Some("application/json");
        let compress = shared.config.compress && json && accepts_gzip(&request.head);
        let fault = fault.or_else(|| compress.then(Fault::compressed));
        let id = request.id;
        drop(request);
        let next = match fault {
            Some(fault) => self.send_wrong(id, answer, &fault).await?,
            None => self.send(id, &answer).await?,
        };
        let ends = last && next == Next::Request;
        Ok(if ends { Next::Close } else { next })
    }

    /// Finds the answer, waiting for it if it has to be waited for.
    async fn answer(&mut self, request: &Request) -> Answer {
        let config = &self.shared.config;
        match &request.route {
            Route::Call {
                token,
                environment,
                method,
            } => {
                let asked = Asked {
                    token,
                    environment: *environment,
                    method,
                    taken: &request.taken,
                    client: client(&request.head, self.listed.connection.peer.ip()),
                    connection: self.listed.connection.id,
                    request: request.id,
                };
                let done = methods::perform(&self.shared, &asked);
                self.settle(request.id, *environment, done).await
            }
            Route::File {
                token,
                environment,
                path,
            } if config.mode == Mode::Production => {
                download::answer(&self.shared, &request.head, token, *environment, path)
            }
            Route::Absolute => Answer::failure(&Failure::new(
                404,
                "Not Found: absolute URI is specified in the Request-Line",
            )),
            Route::File { .. } | Route::Control(_) | Route::Unknown => {
                Answer::failure(&Failure::new(404, "Not Found"))
            }
        }
    }

    /// A request to the control API.
    async fn control(&mut self, head: &Head, path: &str) -> io::Result<Next> {
        self.listed
            .connection
            .control
            .store(true, Ordering::Relaxed);
        if head.expects_continue {
            self.go_on().await?;
        }
        let taken = match Intake::body(head, control::http::LARGEST) {
            Ok(intake) => self.body(head, intake, None, u64::MAX).await?,
            Err(refusal) => Err(Rejected::Refused(refusal)),
        };
        let taken = match taken {
            Ok(taken) => taken,
            Err(Rejected::Refused(refusal)) => {
                self.send(0, &Answer::refusal(refusal)).await?;
                return Ok(Next::Linger);
            }
            Err(Rejected::Left | Rejected::TooLarge) => return Ok(Next::Close),
        };
        // It may be asked to wait for requests.
        self.state(ConnectionState::Waiting);
        let mut answer = control::http::answer(&self.shared, &head.verb, path, &taken).await;
        answer.close = !head.keep_alive;
        self.send(0, &answer).await
    }

    fn state(&self, state: ConnectionState) {
        self.listed.connection.set(state);
    }
}

/// Behind a private address stands a server that may say for whom it asks.
fn client(head: &Head, peer: IpAddr) -> IpAddr {
    let private = match peer {
        IpAddr::V4(peer) => peer.is_loopback() || peer.is_private(),
        IpAddr::V6(peer) => peer.is_loopback() || peer.is_unique_local(),
    };
    let told = head.header("x-real-ip").filter(|_| private);
    let told = told.and_then(|value| std::str::from_utf8(value).ok()?.trim().parse().ok());
    told.unwrap_or(peer)
}

fn accepts_gzip(head: &Head) -> bool {
    let accepted = head.header("accept-encoding").unwrap_or_default();
    memchr::memmem::find(&accepted.to_ascii_lowercase(), b"gzip").is_some()
}
