//! The serial queues of one webhook.
//!
//! In: a bot's waiting updates (`world/queue.rs`), and what became of those sent. Out: the next
//! update that may go. Invariant: of a lane only the first update goes out, and only when it is not
//! already out; it makes room for the next by a success or by its expiry alone.
//! Bounded: of all that wait, only a window of the oldest is sorted into lanes.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use super::lane::Lane;
use super::schedule::Tries;
use crate::world::queue::UpdateQueue;

/// Updates sorted into lanes.
#[derive(Default)]
pub(crate) struct Queues {
    lanes: HashMap<Lane, Queue>,
    /// The lanes whose first update is not out: when it may go, and which it is.
    resting: BTreeSet<(Duration, i64, Lane)>,
    /// Updates from this id on are not sorted yet.
    unsorted: i64,
    /// How many updates are in lanes.
    sorted: usize,
}

struct Queue {
    updates: VecDeque<i64>,
    tries: Tries,
}

/// An update that may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ready {
    pub(crate) lane: Lane,
    pub(crate) update: i64,
    /// From 1.
    pub(crate) attempt: u32,
}

/// A lane as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) lane: Lane,
    pub(crate) updates: usize,
    pub(crate) attempt: u32,
    /// None while its first update is out.
    pub(crate) next_at: Option<Duration>,
}

impl Queues {
    /// Sorts waiting updates into lanes until `most` are there.
    pub(crate) fn sort(&mut self, waiting: &UpdateQueue, most: usize, now: Duration) {
        let room = most.saturating_sub(self.sorted);
        for update in waiting.since(self.unsorted).take(room) {
            self.unsorted = update.id + 1;
            self.sorted += 1;
            let lane = Lane::of(update.id, &update.text);
            let queue = self.lanes.entry(lane.clone()).or_insert_with(|| Queue {
                updates: VecDeque::new(),
                tries: Tries::new(),
            });
            if queue.updates.is_empty() {
                self.resting.insert((now, update.id, lane));
            }
            queue.updates.push_back(update.id);
        }
    }

    /// How many lanes hold something.
    pub(crate) fn lanes(&self) -> usize {
        self.lanes.len()
    }

    /// When the next update may go.
    pub(crate) fn next_at(&self) -> Option<Duration> {
        self.resting.first().map(|(at, ..)| *at)
    }

    /// Takes the next update whose time has come; it is out from now on. Those that have expired go
    /// on the way.
    pub(crate) fn take(&mut self, waiting: &mut UpdateQueue, now: Duration) -> Option<Ready> {
        while self.next_at().is_some_and(|at| at <= now) {
            let (_, update, lane) = self.resting.pop_first()?;
            if waiting.live(update, now) {
                let tries = self
                    .lanes
                    .get(&lane)
                    .map_or(Tries::new(), |queue| queue.tries);
                let attempt = tries.attempt();
                return Some(Ready {
                    lane,
                    update,
                    attempt,
                });
            }
            waiting.expire_one(update);
            self.advance(lane, now);
        }
        None
    }

    /// The first update of a lane is done with: the next one may go.
    pub(crate) fn advance(&mut self, lane: Lane, now: Duration) {
        let Some(queue) = self.lanes.get_mut(&lane) else {
            return;
        };
        self.sorted -= usize::from(queue.updates.pop_front().is_some());
        queue.tries = Tries::new();
        match queue.updates.front() {
            Some(next) => {
                self.resting.insert((now, *next, lane));
            }
            None => {
                self.lanes.remove(&lane);
            }
        }
    }

    /// The first update of a lane has failed: it goes again later, unless it expires before.
    pub(crate) fn fail(
        &mut self,
        lane: Lane,
        waiting: &mut UpdateQueue,
        retry_after: Duration,
        now: Duration,
    ) {
        let Some(queue) = self.lanes.get_mut(&lane) else {
            return;
        };
        let Some(first) = queue.updates.front().copied() else {
            return;
        };
        let at = now + queue.tries.fail(retry_after, first.unsigned_abs());
        if waiting.live(first, at) {
            self.resting.insert((at, first, lane));
        } else {
            waiting.expire_one(first);
            self.advance(lane, now);
        }
    }

    /// All lanes, by name.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        let mut seen: Vec<Seen> = self
            .lanes
            .iter()
            .map(|(lane, queue)| Seen {
                lane: lane.clone(),
                updates: queue.updates.len(),
                attempt: queue.tries.attempt(),
                next_at: None,
            })
            .collect();
        seen.sort_by(|one, other| one.lane.cmp(&other.lane));
        for (at, _, lane) in &self.resting {
            if let Ok(place) = seen.binary_search_by(|one| one.lane.cmp(lane)) {
                seen[place].next_at = Some(*at);
            }
        }
        seen
    }
}
