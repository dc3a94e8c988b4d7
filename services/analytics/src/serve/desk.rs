//! What all scripts and watchers of this process share.
//!
//! In: requests of `/v1`, watchers of live pages. Out: whether there is room for them. Invariant: everything here is bounded, and
//! forgetting it costs nobody anything but a look into SQL. One for all threads, made by `serve.rs`.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::live::hub::Hub;

/// Refused keys of one address and minute, from which on only keys that were good before are looked up.
const FAILURES: u32 = 20;
/// Addresses that are told apart in a minute; all others share one count.
const ADDRESSES: usize = 10_000;
/// Keys that are known to have been good.
const KNOWN: usize = 10_000;
/// Files and pages of records that are read at once.
const READERS: usize = 16;

/// See the file's header.
#[derive(Debug)]
pub struct Desk {
    tries: Mutex<Tries>,
    known: Mutex<HashSet<String>>,
    readers: Arc<Semaphore>,
    /// Who watches which bot.
    pub hub: Hub,
}

#[derive(Debug, Default)]
struct Tries {
    minute: i64,
    failures: HashMap<Option<IpAddr>, u32>,
}

impl Default for Desk {
    fn default() -> Self {
        Self {
            tries: Mutex::default(),
            known: Mutex::default(),
            readers: Arc::new(Semaphore::new(READERS)),
            hub: Hub::default(),
        }
    }
}

impl Desk {
    /// Whether a key is to be looked up: it was good before, or its address has not failed too often in this minute.
    #[must_use]
    pub fn lets_in(&self, address: Option<IpAddr>, id: Option<&str>, now: i64) -> bool {
        if id.is_some_and(|id| lock(&self.known).contains(id)) {
            return true;
        }
        let mut tries = lock(&self.tries);
        tries.turn(now);
        let failures = tries.failures.get(&network(address));
        failures.is_none_or(|failures| *failures < FAILURES)
    }

    /// A key was refused.
    pub fn failed(&self, address: Option<IpAddr>, now: i64) {
        let mut tries = lock(&self.tries);
        tries.turn(now);
        let mut address = network(address);
        if tries.failures.len() >= ADDRESSES && !tries.failures.contains_key(&address) {
            address = None;
        }
        *tries.failures.entry(address).or_default() += 1;
    }

    /// A key was good.
    pub fn knows(&self, id: &str) {
        let mut known = lock(&self.known);
        if !known.contains(id) {
            if known.len() >= KNOWN {
                known.clear();
            }
            known.insert(id.to_owned());
        }
    }

    /// A place for one that reads records; it is free again when the place is dropped. None: all are taken.
    #[must_use]
    pub fn reader(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.readers).try_acquire_owned().ok()
    }
}

impl Tries {
    /// Counts of another minute are forgotten.
    fn turn(&mut self, now: i64) {
        let minute = now.div_euclid(60);
        if self.minute != minute {
            self.minute = minute;
            self.failures.clear();
        }
    }
}

/// What counts as one address: of IPv6 a whole /64, which is what one machine is given.
fn network(address: Option<IpAddr>) -> Option<IpAddr> {
    match address?.to_canonical() {
        IpAddr::V6(address) => {
            let network = u128::from(address) >> 64 << 64;
            Some(IpAddr::V6(network.into()))
        }
        address => Some(address),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn who_fails_too_often_waits_for_the_next_minute_unless_their_key_was_good() {
        let desk = Desk::default();
        let (here, there) = (address("2001:db8::1"), address("2001:db8:0:1::1"));
        for _ in 0..FAILURES {
            assert!(desk.lets_in(here, Some("x"), 59));
            desk.failed(here, 59);
        }
        assert!(!desk.lets_in(here, Some("x"), 59));
        assert!(!desk.lets_in(address("2001:db8::ffff"), None, 59));
        assert!(desk.lets_in(there, Some("x"), 59));
        desk.knows("x");
        assert!(desk.lets_in(here, Some("x"), 59));
        assert!(!desk.lets_in(here, Some("y"), 59));
        assert!(desk.lets_in(here, Some("y"), 60));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let desk = Desk::default();
        for number in 0..u32::try_from(ADDRESSES).unwrap() + 50 {
            desk.failed(Some(IpAddr::V4(number.into())), 0);
            desk.knows(&number.to_string());
        }
        assert!(lock(&desk.tries).failures.len() <= ADDRESSES + 1);
        assert!(lock(&desk.known).len() <= KNOWN);
        assert!(!desk.lets_in(None, None, 0));
        let places: Vec<_> = std::iter::from_fn(|| desk.reader()).collect();
        assert_eq!(places.len(), READERS);
        drop(places);
        assert!(desk.reader().is_some());
    }
}
