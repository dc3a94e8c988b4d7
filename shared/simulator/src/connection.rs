//! One client's connection, request after request.
//!
//! In: an accepted socket (`listen.rs`). The way of a request: [`read`] takes head and body in,
//! the route decides between `methods.rs`, `download.rs` and `control/http.rs`, [`wait`] parks
//! what has to wait while watching the client, [`send`] writes the answer (as `fault.rs` says, if a
//! fault is to be played). Invariant: the next request is read only after the answer to the last
//! one; a client that leaves does not end what waits in the world, only what is written to it.
//! Overload: bounded by the sockets the system gives; a connection holds one request.

mod read;
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
use crate::http::Refusal;
use crate::http::answer::Answer;
use crate::http::head::Head;
use crate::http::intake::{Intake, Taken};
use crate::journal::Origin;
use crate::methods::{self, Asked};
use crate::route::Route;
use crate::shared::{ConnectionState, Listed, Shared};
use read::Incoming;
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
        let incoming = self.head().await?;
        let shared = Arc::clone(&self.shared);
        let config = &shared.config;
        let origin = Origin {
            connection: self.listed.connection.id,
            tls: self.listed.connection.tls,
            peer: self.listed.connection.peer,
        };
        let head = match incoming {
            Incoming::Head(head) => head,
            Incoming::Gone(raw) => {
                if !raw.is_empty() {
                    let now = config.clock.now();
                    let id = shared.journal.begin_broken(origin, &raw, now);
                    shared.journal.left(id, now);
                }
                return Ok(Next::Close);
            }
            Incoming::Broken(raw, refusal) => {
                let id = shared
                    .journal
                    .begin_broken(origin, &raw, config.clock.now());
                return self.refuse(id, refusal).await;
            }
        };
        let served = self
            .listed
            .connection
            .requests
            .fetch_add(1, Ordering::Relaxed)
            + 1;
        let route = Route::of(&head.target);
        if let Route::Control(path) = &route
            && self.serves != Serves::Bots
        {
            return self.control(&head, path).await;
        }
        let id = shared
            .journal
            .begin(origin, &head, &route, config.clock.now());
        if let Err(refusal) = verb(&head, &route, config.mode) {
            return self.refuse(id, refusal).await;
        }
        if let Some((number, fault)) = shared.faults.pick(&route, None) {
            shared.journal.faulted(id, number);
            return self.send_wrong(id, fault.answer(), &fault).await;
        }
        let intake = match Intake::call(&head, config.file_keep) {
            Ok(intake) => intake,
            Err(refusal) => return self.refuse(id, refusal).await,
        };
        if head.expects_continue && config.mode == Mode::Production {
            self.go_on().await?;
        }
        // Arguments and part heads come on top of the file itself.
        let limit = config.upload_limit + (2 << 20);
        let taken = match self.body(&head, intake, Some(id), limit).await? {
            Ok(taken) => taken,
            Err(Rejected::Refused(refusal)) => return self.refuse(id, refusal).await,
            Err(Rejected::TooLarge) => {
                let mut answer = Answer::failure(&Failure::new(413, "Request Entity Too Large"));
                answer.close = true;
                self.send(id, &answer).await?;
                return Ok(Next::Linger);
            }
            Err(Rejected::Left) => {
                shared.journal.left(id, config.clock.now());
                return Ok(Next::Close);
            }
        };
        shared.journal.complete(id, &taken);
        let rules = shared.connection_rules();
        let last = rules.close_after.is_some_and(|most| served >= most);
        let close = !head.keep_alive || (last && rules.announce);
        let next = match shared.faults.pick(&route, Some(&taken.arguments)) {
            None => {
                let mut answer = self.answer(id, &head, &route, &taken).await;
                drop(taken);
                answer.close |= close;
                let json = answer.content_type.as_deref() == Some("application/json");
                if config.compress && json && accepts_gzip(&head) {
                    self.send_wrong(id, answer, &Fault::compressed()).await?
                } else {
                    self.send(id, &answer).await?
                }
            }
            Some((number, fault)) => {
                shared.journal.faulted(id, number);
                let own = match fault.scripted() && !fault.perform {
                    true => None,
                    false => Some(self.answer(id, &head, &route, &taken).await),
                };
                let mut answer = own
                    .filter(|_| !fault.scripted())
                    .unwrap_or_else(|| fault.answer());
                drop(taken);
                answer.close |= close;
                self.send_wrong(id, answer, &fault).await?
            }
        };
        Ok(if last && next == Next::Request {
            Next::Close
        } else {
            next
        })
    }

    /// Finds the answer, waiting for it if it has to be waited for.
    async fn answer(&mut self, id: u64, head: &Head, route: &Route, taken: &Taken) -> Answer {
        match route {
            Route::Call {
                token,
                environment,
                method,
            } => {
                let asked = Asked {
                    token,
                    environment: *environment,
                    method,
                    taken,
                    client: client(head, self.listed.connection.peer.ip()),
                    connection: self.listed.connection.id,
                    request: id,
                };
                let done = methods::perform(&self.shared, &asked);
                self.settle(id, *environment, done).await
            }
            Route::File {
                token,
                environment,
                path,
            } if self.shared.config.mode == Mode::Production => {
                download::answer(&self.shared, head, token, *environment, path)
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
        let intake = match Intake::body(head, control::http::LARGEST) {
            Ok(intake) => intake,
            Err(refusal) => return self.refuse(0, refusal).await,
        };
        if head.expects_continue {
            self.go_on().await?;
        }
        let taken = match self.body(head, intake, None, u64::MAX).await? {
            Ok(taken) => taken,
            Err(Rejected::Refused(refusal)) => return self.refuse(0, refusal).await,
            Err(Rejected::Left | Rejected::TooLarge) => return Ok(Next::Close),
        };
        // It may be asked to wait for requests.
        self.state(ConnectionState::Waiting);
        let mut answer = control::http::answer(&self.shared, &head.verb, path, &taken).await;
        answer.close = !head.keep_alive;
        self.send(0, &answer).await
    }

    /// Answers what the parser refuses.
    async fn refuse(&mut self, id: u64, refusal: Refusal) -> io::Result<Next> {
        tracing::debug!(
            connection = self.listed.connection.id,
            status = refusal.status,
            reason = refusal.reason,
            "request refused"
        );
        self.send(id, &Answer::refusal(refusal)).await?;
        // The server behind closes without reading on; a front server lingers.
        Ok(match self.shared.config.mode {
            Mode::Production => Next::Linger,
            Mode::Bundled => Next::Close,
        })
    }

    fn state(&self, state: ConnectionState) {
        self.listed.connection.set(state);
    }
}

/// Why a body was not taken.
enum Rejected {
    Refused(Refusal),
    /// Over the upload limit.
    TooLarge,
    /// The client left in the middle.
    Left,
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

/// Telegram's server knows GET and POST; the front server that gives out files also HEAD.
fn verb(head: &Head, route: &Route, mode: Mode) -> Result<(), Refusal> {
    match head.verb.as_ref() {
        b"GET" | b"POST" => Ok(()),
        b"HEAD" if mode == Mode::Production && matches!(route, Route::File { .. }) => Ok(()),
        _ => Err(Refusal::new(501, "not implemented")),
    }
}
