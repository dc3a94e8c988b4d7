//! How often somebody may try a password.
//!
//! In: each try, by address and by account, before the password is looked at. Out: whether it may be made. Invariant: a few tries
//! are free, then the wait doubles with each; a try counts before it is known to be wrong, so that many at once are no way around
//! it. Bounded: with the list full, addresses that are not in it are let through (their accounts are bounded all the same), names
//! that are not in it are not. Pure; knows nothing of clocks.

use std::collections::HashMap;
use std::net::IpAddr;

/// Tries without a wait.
const FREE: u32 = 5;
/// The first wait, in seconds.
const WAIT: i64 = 15;
/// The longest wait for an address.
const LONGEST_ADDRESS: i64 = 900;
/// The longest wait for an account: whoever guesses must not be able to keep the owner out.
const LONGEST_ACCOUNT: i64 = 60;
/// So long after the last one, tries are forgotten.
const FORGOTTEN: i64 = 3_600;
/// Addresses, and names, remembered at a time.
const BOUND: usize = 4_096;

#[derive(Clone, Copy, Debug)]
struct Tried {
    times: u32,
    last: i64,
}

impl Tried {
    /// The second from which on the next try is let through.
    fn next(self, longest: i64) -> i64 {
        match self.times.checked_sub(FREE) {
            None => self.last,
            Some(beyond) => self.last + (WAIT << beyond.min(16)).min(longest),
        }
    }
}

/// Tries that were made lately.
#[derive(Debug, Default)]
pub(in crate::serve) struct Tries {
    addresses: HashMap<IpAddr, Tried>,
    accounts: HashMap<String, Tried>,
}

impl Tries {
    /// Counts a try at `now`, in seconds. False: not yet, and nothing is counted.
    pub(in crate::serve) fn admit(
        &mut self,
        address: Option<IpAddr>,
        login: &str,
        now: i64,
    ) -> bool {
        let address = address.map(network);
        if self.addresses.len() >= BOUND {
            forget(&mut self.addresses, now);
        }
        if self.accounts.len() >= BOUND {
            forget(&mut self.accounts, now);
        }
        let waits = |tried: Option<&Tried>, longest| {
            tried.is_some_and(|it| now < it.next(longest) && now < it.last + FORGOTTEN)
        };
        let known = address.and_then(|address| self.addresses.get(&address));
        let full = self.accounts.len() >= BOUND && !self.accounts.contains_key(login);
        if full || waits(known, LONGEST_ADDRESS) || waits(self.accounts.get(login), LONGEST_ACCOUNT)
        {
            return false;
        }
        if let Some(address) = address
            && (known.is_some() || self.addresses.len() < BOUND)
        {
            count(self.addresses.entry(address).or_insert(NONE), now);
        }
        count(self.accounts.entry(login.to_owned()).or_insert(NONE), now);
        true
    }

    /// A try was right.
    pub(in crate::serve) fn forgive(&mut self, address: Option<IpAddr>, login: &str) {
        if let Some(address) = address {
            self.addresses.remove(&network(address));
        }
        self.accounts.remove(login);
    }
}

const NONE: Tried = Tried { times: 0, last: 0 };

fn count(tried: &mut Tried, now: i64) {
    if now >= tried.last + FORGOTTEN {
        tried.times = 0;
    }
    tried.times += 1;
    tried.last = now;
}

fn forget<K>(tries: &mut HashMap<K, Tried>, now: i64) {
    tries.retain(|_, tried| now < tried.last + FORGOTTEN);
}

/// One customer of a provider has 2^64 addresses of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: i64 = 1_000_000;

    fn address(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([203, 0, 113, last]))
    }

    #[test]
    fn five_are_free_and_then_the_wait_doubles() {
        let mut tries = Tries::default();
        for _ in 0..FREE {
            assert!(tries.admit(None, "ann", NOW));
        }
        let mut now = NOW;
        for wait in [15, 30, 60, 60, 60] {
            assert!(!tries.admit(None, "ann", now + wait - 1), "{wait}");
            now += wait;
            assert!(tries.admit(None, "ann", now), "{wait}");
        }
        assert!(tries.admit(None, "bob", NOW));
        tries.forgive(None, "ann");
        assert!(tries.admit(None, "ann", now));
    }

    #[test]
    fn an_address_waits_whatever_the_name_and_a_name_whatever_the_address() {
        let mut tries = Tries::default();
        for place in 0..FREE {
            assert!(tries.admit(address(1), &format!("name{place}"), NOW));
        }
        assert!(!tries.admit(address(1), "other", NOW));
        for last in 2..7 {
            assert!(tries.admit(address(last), "ann", NOW));
        }
        assert!(!tries.admit(address(8), "ann", NOW));
        assert!(tries.admit(address(8), "ann", NOW + WAIT));
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let mut tries = Tries::default();
        let at = |last: u16| Some(IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, last]));
        for place in 0..5 {
            assert!(tries.admit(at(place), &format!("name{place}"), NOW));
        }
        assert!(!tries.admit(at(99), "other", NOW));
    }

    #[test]
    fn a_flood_is_bounded_and_keeps_nobody_out_for_long() {
        let mut tries = Tries::default();
        assert!(tries.admit(address(1), "ann", NOW));
        for place in 0..20_000 {
            tries.admit(None, &format!("name{place}"), NOW);
        }
        assert!(tries.accounts.len() <= BOUND);
        assert!(!tries.admit(None, "bob", NOW));
        assert!(tries.admit(address(1), "ann", NOW));
        assert!(tries.admit(None, "bob", NOW + FORGOTTEN));
    }

    proptest! {
        #[test]
        fn a_day_of_guessing_is_few_tries(steps in prop::collection::vec(0i64..40, 1..400)) {
            let (mut tries, mut now, mut made) = (Tries::default(), NOW, 0);
            for step in steps {
                now += step;
                made += i64::from(tries.admit(None, "ann", now));
            }
            prop_assert!(made <= i64::from(FREE) + (now - NOW) / WAIT + 1);
        }
    }
}
