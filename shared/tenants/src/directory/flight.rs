//! Who waits for which key: one flight for each.
//!
//! In: look-ups that the local cache does not answer. Out: batches, to `resolve.rs`, and answers
//! back. Invariant: a key is in one batch at a time however many ask for it; each waiter gets one
//! answer, or learns that there will be none when its sender is dropped. Batches are [`PACE`] apart,
//! the first one after a rest excepted. Bounded in keys; beyond that a look-up is not taken. Pure but
//! for the channels.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::sync::oneshot::{self, Receiver, Sender};
use tokio::time::Instant;

use super::{Key, Lookup};

/// Keys that may wait.
const KEYS: usize = 8_192;
/// From one batch to the next: keys that come meanwhile go together. Times what a batch holds it is more than 20,000 strangers a second.
const PACE: Duration = Duration::from_millis(25);

#[derive(Default)]
pub(super) struct Flight {
    waiting: HashMap<Key, Vec<Sender<Lookup>>>,
    /// Those that are in no batch yet, in order.
    queue: VecDeque<Key>,
    /// Somebody takes batches.
    running: bool,
    /// When the last batch was taken.
    taken: Option<Instant>,
}

/// What a look-up gets.
pub(super) enum Joined {
    /// An answer will come.
    Waiting(Receiver<Lookup>),
    /// An answer will come, if the caller sees to it that somebody takes batches.
    First(Receiver<Lookup>),
    /// Too many wait.
    Full,
}

impl Flight {
    pub(super) fn join(&mut self, key: Key) -> Joined {
        if self.waiting.len() >= KEYS && !self.waiting.contains_key(&key) {
            return Joined::Full;
        }
        let (sender, receiver) = oneshot::channel();
        let waiters = self.waiting.entry(key).or_default();
        if waiters.is_empty() {
            self.queue.push_back(key);
        }
        waiters.push(sender);
        match std::mem::replace(&mut self.running, true) {
            true => Joined::Waiting(receiver),
            false => Joined::First(receiver),
        }
    }

    /// How long to wait before the next batch is taken.
    pub(super) fn pause(&self, now: Instant) -> Duration {
        let next = self.taken.map(|taken| taken + PACE);
        next.map_or(Duration::ZERO, |next| next.saturating_duration_since(now))
    }

    /// The next keys to ask for. None: there are none, and nobody takes batches from now on.
    pub(super) fn next(&mut self, size: usize, now: Instant) -> Option<Vec<Key>> {
        let size = size.min(self.queue.len());
        if size == 0 {
            self.running = false;
            return None;
        }
        self.taken = Some(now);
        Some(self.queue.drain(..size).collect())
    }

    /// Those that wait for a key of a batch. It may be asked for anew from now on.
    pub(super) fn land(&mut self, key: &Key) -> Vec<Sender<Lookup>> {
        self.waiting.remove(key).unwrap_or_default()
    }

    /// Nobody takes batches any more: all that wait learn it.
    pub(super) fn abandon(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gramtap_telegram::BotId;

    fn key(number: i64) -> Key {
        Key::Bot(BotId(number))
    }

    #[test]
    fn a_key_flies_once_and_all_its_waiters_land() {
        let mut flight = Flight::default();
        assert!(matches!(flight.join(key(1)), Joined::First(_)));
        assert!(matches!(flight.join(key(1)), Joined::Waiting(_)));
        assert!(matches!(flight.join(key(2)), Joined::Waiting(_)));
        assert_eq!(flight.next(64, Instant::now()), Some(vec![key(1), key(2)]));
        // Joins the flight under way.
        assert!(matches!(flight.join(key(1)), Joined::Waiting(_)));
        assert_eq!(flight.land(&key(1)).len(), 3);
        assert_eq!(flight.land(&key(2)).len(), 1);
        assert_eq!(flight.next(64, Instant::now()), None);
        assert!(matches!(flight.join(key(1)), Joined::First(_)));
    }

    #[test]
    fn batches_are_bounded_and_in_order() {
        let mut flight = Flight::default();
        for number in 0..10 {
            flight.join(key(number));
        }
        assert_eq!(
            flight.next(4, Instant::now()),
            Some((0..4).map(key).collect())
        );
        assert_eq!(
            flight.next(40, Instant::now()),
            Some((4..10).map(key).collect())
        );
    }

    #[test]
    fn batches_keep_their_distance_but_the_first_does_not_wait() {
        let mut flight = Flight::default();
        let start = Instant::now();
        flight.join(key(1));
        assert_eq!(flight.pause(start), Duration::ZERO);
        flight.next(64, start);
        assert_eq!(flight.pause(start + PACE / 5), PACE * 4 / 5);
        assert_eq!(flight.pause(start + PACE), Duration::ZERO);
        flight.abandon();
        assert_eq!(flight.pause(start), Duration::ZERO);
    }

    #[test]
    fn beyond_the_bound_only_keys_that_fly_already_are_taken() {
        let mut flight = Flight::default();
        for number in 0..KEYS as i64 {
            flight.join(key(number));
        }
        assert!(matches!(flight.join(key(-1)), Joined::Full));
        assert!(matches!(flight.join(key(7)), Joined::Waiting(_)));
    }

    #[test]
    fn an_abandoned_flight_tells_its_waiters() {
        let mut flight = Flight::default();
        let Joined::First(mut receiver) = flight.join(key(1)) else {
            unreachable!("the first one is first");
        };
        flight.abandon();
        assert!(receiver.try_recv().is_err());
        assert!(matches!(flight.join(key(1)), Joined::First(_)));
    }
}
