//! Takes a request in, from its head to the end of its body.
//!
//! In: heads and bodies off the socket (`connection/read.rs`). Out: a [`Request`] for
//! `connection.rs`; or nothing, when it was refused, met a fault that answers early, or was an order
//! to the control API: then it is answered here. Invariant: whatever arrives is in the journal first.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::read::Incoming;
use super::socket::Socket;
use super::{Next, Serves, Session};
use crate::config::Mode;
use crate::fail::Failure;
use crate::http::Refusal;
use crate::http::answer::Answer;
use crate::http::head::Head;
use crate::http::intake::{Intake, Taken};
use crate::journal::Origin;
use crate::route::Route;

/// A request that has arrived whole.
pub(super) struct Request {
    /// Its number in the journal.
    pub(super) id: u64,
    /// Its number on the connection, from 1.
    pub(super) number: u64,
    pub(super) head: Head,
    pub(super) route: Route,
    pub(super) taken: Taken,
}

/// What taking a request in came to.
pub(super) enum Received {
    Whole(Box<Request>),
    /// It is answered already, or nobody waits for an answer.
    Over(Next),
}

/// Why a body was not taken.
pub(super) enum Rejected {
    Refused(Refusal),
    /// Over the upload limit.
    TooLarge,
    /// The client left in the middle.
    Left,
}

impl<S: Socket> Session<S> {
    /// Takes a request in; one that ends on the way is answered here, and so is the control API.
    pub(super) async fn receive(&mut self) -> io::Result<Received> {
        let incoming = self.head().await?;
        let shared = Arc::clone(&self.shared);
        let config = &shared.config;
        let connection = Arc::clone(&self.listed.connection);
        let origin = Origin {
            connection: connection.id,
            tls: connection.tls,
            peer: connection.peer,
        };
        let now = config.clock.now();
        let head = match incoming {
            Incoming::Head(head) => head,
            Incoming::Gone(raw) => {
                if !raw.is_empty() {
                    let id = shared.journal.begin_broken(origin, &raw, now);
                    shared.journal.left(id, now);
                }
                return Ok(Received::Over(Next::Close));
            }
            Incoming::Broken(raw, refusal) => {
                let id = shared.journal.begin_broken(origin, &raw, now);
                return self.refuse(id, refusal).await;
            }
        };
        let number = connection.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let route = match Route::of(&head.target) {
            Route::Control(path) if self.serves != Serves::Bots => {
                return self.control(&head, &path).await.map(Received::Over);
            }
            _ if self.serves == Serves::Control => Route::Unknown,
            route => route,
        };
        let id = shared.journal.begin(origin, &head, &route, now);
        if let Err(refusal) = verb(&head, &route, config.mode) {
            return self.refuse(id, refusal).await;
        }
        if let Some((fault_id, fault)) = shared.faults.pick(&route, None) {
            shared.journal.faulted(id, fault_id);
            let next = self.send_wrong(id, fault.answer(), &fault).await?;
            return Ok(Received::Over(next));
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
                return Ok(Received::Over(Next::Linger));
            }
            Err(Rejected::Left) => {
                shared.journal.left(id, config.clock.now());
                return Ok(Received::Over(Next::Close));
            }
        };
        shared.journal.complete(id, &taken);
        Ok(Received::Whole(Box::new(Request {
            id,
            number,
            head,
            route,
            taken,
        })))
    }

    /// Answers what the parser refuses.
    async fn refuse(&mut self, id: u64, refusal: Refusal) -> io::Result<Received> {
        tracing::debug!(
            connection = self.listed.connection.id,
            status = refusal.status,
            reason = refusal.reason,
            "request refused"
        );
        self.send(id, &Answer::refusal(refusal)).await?;
        // The server behind closes without reading on; a front server lingers.
        Ok(Received::Over(match self.shared.config.mode {
            Mode::Production => Next::Linger,
            Mode::Bundled => Next::Close,
        }))
    }
}

/// Telegram's server knows GET and POST; the front server that gives out files also HEAD.
fn verb(head: &Head, route: &Route, mode: Mode) -> Result<(), Refusal> {
    match head.verb.as_ref() {
        b"GET" | b"POST" => Ok(()),
        b"HEAD" if mode == Mode::Production && matches!(route, Route::File { .. }) => Ok(()),
        _ => Err(Refusal::new(501, "not implemented")),
    }
}
