//! The ledger of reports: how many offers are open, how many bytes, since when.
//!
//! In: every accept and report of a producer. Out: the bound that refuses, `Health`, `flush`.
//! Invariant: accepted = delivered + failed + waiting, and the oldest open record is known to one
//! tick. One short lock per record; memory is one entry per tick that still has open records.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// How finely the age of a record is known.
const TICK: Duration = Duration::from_millis(100);

/// The tick that a record is booked under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Slot(u64);

/// The numbers of a ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) accepted: u64,
    pub(crate) delivered: u64,
    pub(crate) failed: u64,
    pub(crate) waiting: u64,
    pub(crate) waiting_bytes: u64,
    pub(crate) last_ack: Option<Duration>,
    pub(crate) oldest_waiting: Option<Duration>,
}

/// The ledger of one producer.
pub(crate) struct Ledger {
    origin: Instant,
    max_records: u64,
    max_bytes: u64,
    open: Mutex<Open>,
    drained: Notify,
}

impl Ledger {
    pub(crate) fn new(max_records: usize, max_bytes: usize) -> Self {
        Self {
            origin: Instant::now(),
            max_records: wide(max_records),
            max_bytes: wide(max_bytes),
            open: Mutex::default(),
            drained: Notify::new(),
        }
    }

    /// Books a record of so many bytes, or says that there is no room. One record always fits.
    pub(crate) fn accept(&self, bytes: usize, now: Instant) -> Option<Slot> {
        let now = self.tick(now);
        let mut open = self.lock();
        let over = open.waiting_bytes + wide(bytes) > self.max_bytes && open.waiting > 0;
        if open.waiting >= self.max_records || over {
            return None;
        }
        Some(Slot(open.accept(now, wide(bytes))))
    }

    /// Takes back an accept, as if it had not been.
    pub(crate) fn retract(&self, slot: Slot, bytes: usize) {
        let mut open = self.lock();
        open.leave(slot.0, wide(bytes));
        open.accepted -= 1;
        self.notice(open);
    }

    /// Closes a record.
    pub(crate) fn report(&self, slot: Slot, bytes: usize, delivered: bool) {
        let mut open = self.lock();
        open.leave(slot.0, wide(bytes));
        match delivered {
            true => {
                open.delivered += 1;
                open.last_ack = Some(Instant::now());
            }
            false => open.failed += 1,
        }
        self.notice(open);
    }

    /// Waits until nothing is open; returns what still is after the deadline.
    pub(crate) async fn idle(&self, deadline: Duration) -> u64 {
        let wait = async {
            loop {
                let drained = self.drained.notified();
                if self.lock().waiting == 0 {
                    return;
                }
                drained.await;
            }
        };
        match tokio::time::timeout(deadline, wait).await {
            Ok(()) => 0,
            Err(_) => self.lock().waiting,
        }
    }

    pub(crate) fn sums(&self) -> Sums {
        let now = self.origin.elapsed();
        let open = self.lock();
        let oldest = open.slots.front().map(|(tick, _)| {
            now.saturating_sub(TICK.saturating_mul(u32::try_from(*tick).unwrap_or(u32::MAX)))
        });
        Sums {
            accepted: open.accepted,
            delivered: open.delivered,
            failed: open.failed,
            waiting: open.waiting,
            waiting_bytes: open.waiting_bytes,
            last_ack: open.last_ack.map(|at| at.elapsed()),
            oldest_waiting: oldest,
        }
    }

    fn notice(&self, open: MutexGuard<'_, Open>) {
        let empty = open.waiting == 0;
        drop(open);
        if empty {
            self.drained.notify_waiters();
        }
    }

    fn tick(&self, now: Instant) -> u64 {
        let passed = now.saturating_duration_since(self.origin);
        wide(passed.as_millis() / TICK.as_millis())
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wide<N: TryInto<u64>>(number: N) -> u64 {
    number.try_into().unwrap_or(u64::MAX)
}

/// The pure part.
#[derive(Debug, Default)]
struct Open {
    /// Tick and number of open records booked under it, oldest first, none of them zero.
    slots: VecDeque<(u64, u64)>,
    accepted: u64,
    delivered: u64,
    failed: u64,
    waiting: u64,
    waiting_bytes: u64,
    last_ack: Option<Instant>,
}

impl Open {
    /// Returns the tick that the record is booked under: threads that read the clock at the same
    /// time may come here in the other order.
    fn accept(&mut self, tick: u64, bytes: u64) -> u64 {
        self.accepted += 1;
        self.waiting += 1;
        self.waiting_bytes += bytes;
        match self.slots.back_mut() {
            Some((last, count)) if *last >= tick => {
                *count += 1;
                *last
            }
            _ => {
                self.slots.push_back((tick, 1));
                tick
            }
        }
    }

    fn leave(&mut self, tick: u64, bytes: u64) {
        if let Ok(at) = self.slots.binary_search_by_key(&tick, |(slot, _)| *slot)
            && let Some((_, count)) = self.slots.get_mut(at)
        {
            *count -= 1;
            if *count == 0 {
                self.slots.remove(at);
            }
        }
        self.waiting -= 1;
        self.waiting_bytes -= bytes;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        /// Against a list of what is open: steps forward in time, accepts, reports in any order.
        #[test]
        fn sums_are_those_of_the_open_records(steps in prop::collection::vec((0..3_u8, 0..4_u64, 0..64_usize), 0..200)) {
            let (mut open, mut model, mut tick) = (Open::default(), Vec::<(u64, u64)>::new(), 0);
            for (kind, ahead, which) in steps {
                match kind {
                    0 => tick += ahead,
                    1 => {
                        // A thread that read its clock before another one.
                        let booked = open.accept(tick.saturating_sub(ahead % 2), ahead);
                        model.push((booked, ahead));
                    }
                    _ if model.is_empty() => {}
                    _ => {
                        let (booked, bytes) = model.remove(which % model.len());
                        open.leave(booked, bytes);
                    }
                }
                prop_assert_eq!(open.waiting, model.len() as u64);
                prop_assert_eq!(open.waiting_bytes, model.iter().map(|(_, bytes)| bytes).sum::<u64>());
                prop_assert_eq!(open.slots.iter().map(|(_, count)| count).sum::<u64>(), open.waiting);
                prop_assert_eq!(open.slots.front().map(|it| it.0), model.iter().map(|it| it.0).min());
                prop_assert!(open.slots.iter().is_sorted_by(|a, b| a.0 < b.0));
            }
        }
    }

    #[test]
    fn bounds_refuse_by_number_and_by_bytes_and_let_one_large_record_in() {
        let now = Instant::now();
        let few = Ledger::new(2, 1_000);
        let slot = few.accept(1, now).unwrap();
        few.accept(1, now).unwrap();
        assert_eq!(few.accept(1, now), None);
        few.report(slot, 1, true);
        assert!(few.accept(1, now).is_some());

        let small = Ledger::new(10, 100);
        let slot = small.accept(5_000, now).unwrap();
        assert_eq!(small.accept(1, now), None);
        small.retract(slot, 5_000);
        small.accept(100, now).unwrap();
        assert_eq!(small.accept(1, now), None);
        let sums = small.sums();
        assert_eq!(
            (sums.accepted, sums.waiting, sums.waiting_bytes),
            (1, 1, 100)
        );
    }
}
