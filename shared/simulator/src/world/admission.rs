//! How many bots one client may begin to use: Telegram's limit on new bots per address.
//!
//! In: the first call of each bot (`methods.rs`). Out: admitted, or 429. A proxy makes all bots
//! share one address, which is why this is here. Invariant: a bot that is live is never refused.
//! Bounded: 600 times per address, and an address is forgotten an hour after its last new bot.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use crate::fail::Failure;

/// So many in so long.
const LIMITS: [(usize, Duration); 2] = [
    (20, Duration::from_secs(60)),
    (600, Duration::from_secs(3_600)),
];

/// The new bots of every address.
#[derive(Debug, Default)]
pub(crate) struct Admission {
    recent: HashMap<IpAddr, VecDeque<Duration>>,
}

impl Admission {
    /// One more bot from this address, or how long to wait.
    pub(crate) fn admit(&mut self, address: IpAddr, now: Duration) -> Result<(), Failure> {
        let hour_ago = |at: &Duration| *at + LIMITS[1].1 > now;
        self.recent
            .retain(|_, times| times.back().is_some_and(hour_ago));
        let times = self.recent.entry(address).or_default();
        while times.front().is_some_and(|at| !hour_ago(at)) {
            times.pop_front();
        }
        for (most, window) in LIMITS {
            let Some(at) = times.len().checked_sub(most).and_then(|nth| times.get(nth)) else {
                continue;
            };
            let wait = (*at + window).saturating_sub(now);
            if !wait.is_zero() {
                let seconds = wait.as_millis().div_ceil(1_000);
                return Err(Failure::flood(u32::try_from(seconds).unwrap_or(u32::MAX)));
            }
        }
        times.push_back(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_a_minute_and_six_hundred_an_hour() {
        let mut admission = Admission::default();
        let [one, other] = [1, 2].map(|last| IpAddr::from([127, 0, 0, last]));
        let at = Duration::from_secs;
        for _ in 0..20 {
            assert_eq!(admission.admit(one, at(10)), Ok(()));
        }
        assert_eq!(admission.admit(one, at(11)), Err(Failure::flood(59)));
        assert_eq!(admission.admit(other, at(11)), Ok(()));
        let mut now = 10;
        for _ in 1..30 {
            now += 60;
            for _ in 0..20 {
                assert_eq!(admission.admit(one, at(now)), Ok(()), "{now}");
            }
        }
        assert_eq!(
            admission.admit(one, at(now + 60)),
            Err(Failure::flood(3_600 - 1_800))
        );
    }
}
