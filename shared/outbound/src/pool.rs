//! A worker's connections: the way in for callers.
//!
//! In: requests of the relay and of the deliveries. Out: `Sending`, which takes an idle
//! connection or dials one, and ends in an `Answer`.
//! Invariant: connections in use never exceed the bound, and no call fails because the idle
//! ones are gone: who finds none dials.

mod sending;
mod shelf;

use std::{cell::RefCell, rc::Rc};

use tokio::time::Instant;

use crate::{
    config::{Limits, OutboundConfig},
    connection::{Census, Connection, Permit},
    exchange::Call,
    fault::{Cause, Fault, Phase},
    outbox::Outbox,
    request::{Outgoing, RequestHead, serialize},
    upstream::Upstream,
};

pub use sending::Sending;
use shelf::Shelf;

/// The connections of one worker. Clones are the same pool.
#[derive(Clone)]
pub struct Pool(Rc<Inner>);

struct Inner {
    config: OutboundConfig,
    census: Rc<Census>,
    shelf: RefCell<Shelf>,
}

impl Pool {
    /// A pool for the thread that calls this.
    #[must_use]
    pub fn start(config: OutboundConfig) -> Self {
        Self(Rc::new(Inner {
            census: Census::new(config.max_connections),
            shelf: RefCell::new(Shelf::new(config.max_idle, config.keep_alive)),
            config,
        }))
    }

    /// The times for a call that asks for nothing special.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.0.config.limits()
    }

    /// Makes a call. The head is written to a buffer before this returns; nothing of it is
    /// borrowed by what waits. Dropping the future, or the body of the answer, closes the
    /// connection.
    ///
    /// Nothing is ever sent twice: only when a connection that had served before turns out to
    /// be closed before the kernel has taken one byte of the request, another one is dialled.
    pub fn send<'h, H>(
        &self,
        upstream: &Upstream,
        head: RequestHead<'_, H>,
        mut body: Outgoing,
        limits: Limits,
    ) -> Sending
    where
        H: IntoIterator<Item = (&'h [u8], &'h [u8])>,
    {
        let to_head = head.method == b"HEAD";
        let head = match serialize(upstream, head, &mut body) {
            Ok(head) => head,
            Err(unsendable) => return Sending::refused(Fault::new(unsendable, Phase::Dial)),
        };
        Sending::start(Call {
            pool: self.clone(),
            upstream: upstream.clone(),
            outbox: Outbox::new(head, body),
            to_head,
            limits,
            started: Instant::now(),
        })
    }

    /// An idle connection that is still good.
    fn check_out(&self, upstream: &Upstream) -> Option<Connection> {
        let mut shelf = self.0.shelf.borrow_mut();
        while let Some(mut connection) = shelf.take(upstream.id()) {
            if connection.is_quiet() {
                return Some(connection);
            }
        }
        None
    }

    /// A place for a new connection; an idle one makes room if need be.
    fn admit(&self) -> Result<Permit, Fault> {
        self.0
            .census
            .admit()
            .or_else(|| {
                self.0.shelf.borrow_mut().evict();
                self.0.census.admit()
            })
            .ok_or_else(|| Fault::new(Cause::PoolFull, Phase::Dial))
    }

    /// Keeps a connection whose call is over.
    pub(crate) fn check_in(&self, mut connection: Connection) {
        if connection.is_quiet() {
            connection.reused = true;
            self.0.shelf.borrow_mut().put(connection, Instant::now());
        }
    }
}
