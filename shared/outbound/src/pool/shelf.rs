//! Connections that wait for their next call.
//!
//! In: connections whose call is over, from `pool`. Out: the most recently used one of an
//! upstream, so that what is not needed ages and goes. Invariant: never more than the bound,
//! none older than the keep-alive; the oldest goes first, whatever its upstream.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use tokio::time::Instant;

use crate::connection::Connection;

/// The idle connections of one worker.
pub(crate) struct Shelf {
    /// By upstream, the longest unused in front. Empty queues stay until they are reaped: most
    /// are filled again at once.
    idle: HashMap<u64, VecDeque<Idle>>,
    count: usize,
    bound: usize,
    keep_alive: Duration,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

impl Shelf {
    pub(crate) fn new(bound: usize, keep_alive: Duration) -> Self {
        Self {
            idle: HashMap::new(),
            count: 0,
            bound,
            keep_alive,
        }
    }

    /// The connection of this upstream that was used last, and how long ago that was.
    pub(crate) fn take(&mut self, upstream: u64, now: Instant) -> Option<(Connection, Duration)> {
        let Idle { connection, since } = self.idle.get_mut(&upstream)?.pop_back()?;
        self.count -= 1;
        Some((connection, now.duration_since(since)))
    }

    /// Keeps a connection; beyond the bound the longest unused one goes.
    pub(crate) fn put(&mut self, connection: Connection, now: Instant) {
        self.idle
            .entry(connection.upstream)
            .or_default()
            .push_back(Idle {
                connection,
                since: now,
            });
        self.count += 1;
        if self.count > self.bound {
            self.evict();
        }
    }

    /// Closes the longest unused connection of all.
    pub(crate) fn evict(&mut self) {
        let oldest = self
            .idle
            .iter()
            .filter_map(|(upstream, queue)| Some((queue.front()?.since, *upstream)))
            .min();
        if let Some((_, upstream)) = oldest
            && let Some(queue) = self.idle.get_mut(&upstream)
        {
            self.count -= usize::from(queue.pop_front().is_some());
        }
    }

    /// Closes those that are too old and those that the upstream has closed.
    pub(crate) fn reap(&mut self, now: Instant) {
        self.idle.retain(|_, queue| {
            let before = queue.len();
            queue.retain_mut(|idle| {
                now.duration_since(idle.since) < self.keep_alive && idle.connection.is_quiet()
            });
            self.count -= before - queue.len();
            !queue.is_empty()
        });
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }
}
