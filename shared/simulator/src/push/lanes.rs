//! The lanes of one webhook: one for each of Telegram's queues that holds something.
//!
//! In: a bot's waiting updates (`world/queue.rs`), told apart by `gramtap_telegram::queue`, and what
//! became of those sent. Out: the next update that may go. Invariant: of a lane only the first update
//! goes out, and only when it is not already out; it makes room for the next by a success or by its
//! expiry alone. Bounded: of all that wait, only a window of the oldest is sorted into lanes.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use gramtap_telegram::Queue;

use super::schedule::Tries;
use crate::world::queue::UpdateQueue;

/// Updates sorted into lanes.
#[derive(Default)]
pub(crate) struct Lanes {
    lanes: HashMap<Queue, Lane>,
    /// The lanes whose first update is not out: when it may go, and which it is.
    resting: BTreeSet<(Duration, i64, Queue)>,
    /// Updates from this id on are not sorted yet.
    unsorted: i64,
    /// How many updates are in lanes.
    sorted: usize,
}

struct Lane {
    updates: VecDeque<i64>,
    /// Of the first one.
    tries: Tries,
}

/// An update that may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ready {
    pub(crate) queue: Queue,
    pub(crate) update: i64,
    /// From 1.
    pub(crate) attempt: u32,
}

/// A lane as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) queue: Queue,
    pub(crate) updates: usize,
    pub(crate) attempt: u32,
    /// None while its first update is out.
    pub(crate) next_at: Option<Duration>,
}

impl Lanes {
    /// Sorts waiting updates into lanes until `most` are there.
    pub(crate) fn sort(&mut self, waiting: &UpdateQueue, most: usize, now: Duration) {
        let room = most.saturating_sub(self.sorted);
        for update in waiting.since(self.unsorted).take(room) {
            self.unsorted = update.id + 1;
            self.sorted += 1;
            let queue = update.queue();
            let lane = self.lanes.entry(queue).or_insert_with(|| Lane {
                updates: VecDeque::new(),
                tries: Tries::new(),
            });
            if lane.updates.is_empty() {
                self.resting.insert((now, update.id, queue));
            }
            lane.updates.push_back(update.id);
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
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
            let (_, update, queue) = self.resting.pop_first()?;
            if waiting.live(update, now) {
                let lane = self.lanes.get(&queue);
                let tries = lane.map_or(Tries::new(), |lane| lane.tries);
                let attempt = tries.attempt();
                return Some(Ready {
                    queue,
                    update,
                    attempt,
                });
            }
            waiting.expire_one(update);
            self.advance(queue, now);
        }
        None
    }

    /// The first update of a lane is done with: the next one may go.
    pub(crate) fn advance(&mut self, queue: Queue, now: Duration) {
        let Some(lane) = self.lanes.get_mut(&queue) else {
            return;
        };
        self.sorted -= usize::from(lane.updates.pop_front().is_some());
        lane.tries = Tries::new();
        match lane.updates.front() {
            Some(next) => {
                self.resting.insert((now, *next, queue));
            }
            None => {
                self.lanes.remove(&queue);
            }
        }
    }

    /// The first update of a lane has failed: it goes again later, unless it expires before.
    pub(crate) fn fail(
        &mut self,
        queue: Queue,
        waiting: &mut UpdateQueue,
        retry_after: Duration,
        now: Duration,
    ) {
        let Some(lane) = self.lanes.get_mut(&queue) else {
            return;
        };
        let Some(first) = lane.updates.front().copied() else {
            return;
        };
        let at = now + lane.tries.fail(retry_after, first.unsigned_abs());
        if waiting.live(first, at) {
            self.resting.insert((at, first, queue));
        } else {
            waiting.expire_one(first);
            self.advance(queue, now);
        }
    }

    /// All lanes, in the order of their queues.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        let resting = self.resting.iter();
        let times: HashMap<Queue, Duration> = resting.map(|(at, _, queue)| (*queue, *at)).collect();
        let lanes = self.lanes.iter();
        let mut seen: Vec<Seen> = lanes
            .map(|(queue, lane)| Seen {
                queue: *queue,
                updates: lane.updates.len(),
                attempt: lane.tries.attempt(),
                next_at: times.get(queue).copied(),
            })
            .collect();
        seen.sort_by_key(|one| one.queue);
        seen
    }
}
