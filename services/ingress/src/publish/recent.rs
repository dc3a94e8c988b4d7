//! Which queues of updates something was handed to the bus for lately.
//!
//! In: what `inbox.rs` hands over. Out: whether an update that cannot be handed over may be relayed: it might overtake one of its queue that waits
//! to be delivered. Invariant: a queue is remembered for [`SPAN`] at least and twice that at most. Bounded: beyond [`MOST`] queues in a
//! span, all of them count as recent until it is over. Pure.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use gramtap_events::TenantId;
use gramtap_telegram::Queue;

/// How long a queue is remembered: a broker that is started anew, and the forwarders after it, are back by then.
pub(crate) const SPAN: Duration = Duration::from_secs(60);
/// Queues of a span.
const MOST: usize = 400_000;

/// See the file's header.
#[derive(Debug)]
pub(crate) struct Recent {
    hasher: RandomState,
    since: Instant,
    /// Hashes of queues: of this span, and of the one before.
    spans: [HashSet<u64>; 2],
}

impl Recent {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            hasher: RandomState::new(),
            since: now,
            spans: Default::default(),
        }
    }

    /// Something of the queue was handed over.
    pub(crate) fn insert(&mut self, now: Instant, tenant: TenantId, queue: Queue) {
        self.turn(now);
        let hash = self.hasher.hash_one((tenant, queue));
        if let [span, _] = &mut self.spans
            && span.len() < MOST
        {
            span.insert(hash);
        }
    }

    /// Whether something of the queue was handed over lately.
    pub(crate) fn contains(&mut self, now: Instant, tenant: TenantId, queue: Queue) -> bool {
        self.turn(now);
        let hash = self.hasher.hash_one((tenant, queue));
        self.spans
            .iter()
            .any(|span| span.len() >= MOST || span.contains(&hash))
    }

    fn turn(&mut self, now: Instant) {
        let age = now.duration_since(self.since);
        if age < SPAN {
            return;
        }
        let [span, before] = &mut self.spans;
        before.clear();
        if age < SPAN * 2 {
            std::mem::swap(span, before);
        } else {
            span.clear();
        }
        self.since = now;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const BOT: &str = "aaaaaaaaaaaaaaaaaaaaaaaaab";

    fn queue(number: i64) -> Queue {
        format!("chat:{number}").parse().unwrap()
    }

    #[test]
    fn a_queue_is_remembered_for_a_while() {
        let tenant = BOT.parse().unwrap();
        let began = Instant::now();
        let mut recent = Recent::new(began);
        recent.insert(began + SPAN / 2, tenant, queue(7));
        let mut known = |spans: u32, number| {
            let now = began + SPAN / 2 + SPAN / 2 * spans;
            recent.contains(now, tenant, queue(number))
        };
        assert!(known(0, 7) && !known(0, 8));
        // One span at least.
        assert!(known(1, 7) && known(2, 7));
        // Two at most.
        assert!(!known(4, 7));
    }

    #[test]
    fn a_long_silence_forgets_all() {
        let tenant = BOT.parse().unwrap();
        let began = Instant::now();
        let mut recent = Recent::new(began);
        recent.insert(began, tenant, queue(7));
        assert!(!recent.contains(began + SPAN * 2, tenant, queue(7)));
    }

    #[test]
    fn beyond_the_bound_every_queue_counts_as_recent() {
        let tenant = BOT.parse().unwrap();
        let now = Instant::now();
        let mut recent = Recent::new(now);
        for number in 0..i64::try_from(MOST).unwrap() + 10 {
            recent.insert(now, tenant, queue(number));
        }
        assert_eq!(recent.spans[0].len(), MOST);
        assert!(recent.contains(now, tenant, queue(-1)));
        assert!(!recent.contains(now + SPAN * 2, tenant, queue(-1)));
    }
}
