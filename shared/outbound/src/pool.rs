//! A worker's connections: the way in for callers.
//!
//! In: requests of the relay and of the deliveries. Out: `Sending`, which takes an idle
//! connection or dials one, and ends in an `Answer`.
//! Invariant: there are never more connections than the bound, and no call fails because the
//! idle ones are gone: who finds none dials. At the bound the longest unused connection makes
//! room; if all are in use, the call is refused at once: waiting would only hide it.

mod actor;
mod sending;
mod shelf;

use std::rc::Rc;

use gramtap_actors::{Kept, Policy, keep};
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

use actor::{Door, Gauges, PoolActor};
pub use sending::Sending;

/// The name of the pool's actor, in metrics and logs.
pub const POOL_ACTOR: &str = "outbound_pool";

/// The connections of one worker. Clones are the same pool.
#[derive(Clone)]
pub struct Pool(Rc<Inner>);

struct Inner {
    config: OutboundConfig,
    census: Rc<Census>,
    door: Door,
    /// Ends the actor, and with it the idle connections, when the last clone goes.
    _actor: Kept<PoolActor>,
}

impl Pool {
    /// A pool for the thread that calls this.
    ///
    /// # Panics
    /// Outside an arbiter or `LocalSet`.
    #[must_use]
    pub fn start(config: OutboundConfig) -> Self {
        let (door, census) = (Door::default(), Census::new(config.max_connections));
        let gauges = Rc::new(Gauges::new(census.clone()));
        let factory = {
            let door = door.clone();
            move || PoolActor::new(&config, &door, gauges.clone())
        };
        let actor = keep(POOL_ACTOR, Policy::default(), factory);
        Self(Rc::new(Inner {
            config,
            census,
            door,
            _actor: actor,
        }))
    }

    /// The times for a call that asks for nothing special.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.0.config.limits()
    }

    /// Connections that exist: in use, idle and being made.
    #[must_use]
    pub fn open(&self) -> usize {
        self.0.census.open()
    }

    /// Makes a call. The head is written to a buffer before this returns; nothing of it is
    /// borrowed by what waits. Dropping the future, or the body of the answer, closes the
    /// connection at once.
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
    fn check_out(&self, upstream: &Upstream, now: Instant) -> Option<Connection> {
        self.0.door.with(|shelf| {
            while let Some((mut connection, unused)) = shelf.take(upstream.id(), now) {
                if connection.is_fit(unused) {
                    return Some(connection);
                }
            }
            None
        })?
    }

    /// Keeps a connection whose call is over.
    pub(crate) fn check_in(&self, mut connection: Connection, now: Instant) {
        if connection.is_quiet() {
            connection.reused = true;
            // Without a shelf it is closed: the actor is dead, and its keeper builds another.
            self.0.door.with(|shelf| shelf.put(connection, now));
        }
    }

    /// A place for a new connection; the longest unused one makes room if need be.
    fn admit(&self) -> Result<Permit, Fault> {
        let census = &self.0.census;
        census
            .admit()
            .or_else(|| {
                self.0.door.with(|shelf| shelf.evict());
                census.admit()
            })
            .ok_or_else(|| Fault::new(Cause::PoolFull, Phase::Dial))
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool")
            .field("open", &self.open())
            .finish_non_exhaustive()
    }
}
