//! Keys that the registry did not have, for two seconds at most.
//!
//! In: answers of SQL. Out: look-ups of the same key. Invariant: it holds nothing but such keys,
//! never more than [`KEYS`] a second, so strangers' junk pushes nothing out; a key is forgotten as
//! soon as a bot with it is heard of. Overloaded: a key that does not fit is asked for again.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Key;

/// Keys at most that are taken in a second: about a megabyte.
const KEYS: usize = 1 << 15;
/// How long keys are collected; each is known for one to two of these.
const TURN: Duration = Duration::from_secs(1);

pub(super) struct Unknown(Mutex<Generations>);

struct Generations {
    young: HashSet<Key>,
    old: HashSet<Key>,
    turned: Instant,
}

impl Unknown {
    pub(super) fn new(now: Instant) -> Self {
        Self(Mutex::new(Generations {
            young: HashSet::new(),
            old: HashSet::new(),
            turned: now,
        }))
    }

    pub(super) fn contains(&self, key: &Key, now: Instant) -> bool {
        let generations = self.lock(now);
        generations.young.contains(key) || generations.old.contains(key)
    }

    pub(super) fn insert(&self, key: Key, now: Instant) {
        let mut generations = self.lock(now);
        if generations.young.len() < KEYS {
            generations.young.insert(key);
        }
    }

    pub(super) fn forget(&self, key: &Key, now: Instant) {
        let mut generations = self.lock(now);
        generations.young.remove(key);
        generations.old.remove(key);
    }

    fn lock(&self, now: Instant) -> MutexGuard<'_, Generations> {
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        generations.turn(now);
        generations
    }
}

impl Generations {
    fn turn(&mut self, now: Instant) {
        let age = now.saturating_duration_since(self.turned);
        if age < TURN {
            return;
        }
        // Both keep their memory, so that a flood does not become one of allocations.
        std::mem::swap(&mut self.young, &mut self.old);
        self.young.clear();
        if age >= TURN * 2 {
            self.old.clear();
        }
        self.turned = now;
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
    fn a_key_is_known_for_one_to_two_seconds() {
        let start = Instant::now();
        for offset in [0, 250, 999] {
            let unknown = Unknown::new(start);
            let at = start + Duration::from_millis(offset);
            unknown.insert(key(1), at);
            assert!(unknown.contains(&key(1), at + Duration::from_millis(1_000)));
            assert!(!unknown.contains(&key(1), at + Duration::from_millis(2_000)));
        }
    }

    #[test]
    fn a_million_junk_keys_take_no_room() {
        let start = Instant::now();
        let unknown = Unknown::new(start);
        for number in 0..1_000_000 {
            unknown.insert(
                key(number),
                start + Duration::from_micros(number.unsigned_abs() * 3),
            );
        }
        let generations = unknown.lock(start + Duration::from_secs(3));
        assert!(generations.young.len() <= KEYS && generations.old.len() <= KEYS);
        assert!(generations.young.capacity() + generations.old.capacity() <= 4 * KEYS);
    }

    #[test]
    fn a_key_is_forgotten_in_either_generation() {
        let start = Instant::now();
        let unknown = Unknown::new(start);
        for wait in [0, 1_200] {
            unknown.insert(key(1), start);
            let later = start + Duration::from_millis(wait);
            unknown.forget(&key(1), later);
            assert!(!unknown.contains(&key(1), later));
        }
    }
}
