//! When an update that failed goes out again.
//!
//! In: failures, one by one, with the `Retry-After` of the answer. Out: how long to wait: at once,
//! then 2, 4, 8 … s, capped at a random 60 to 120 s; a `Retry-After` takes the step's place and is
//! heeded up to an hour. Invariant: pure; the random part follows from the seed.

use std::time::Duration;

/// From sending to the end of the answer.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);
/// A connection that has nothing to do is closed after this.
pub(crate) const IDLE: Duration = Duration::from_secs(60);
/// How long the address of a host name is good, without the spread.
const ADDRESS: u64 = 30 * 60;
/// The longest `Retry-After`.
const LONGEST: Duration = Duration::from_secs(3_600);
/// The least cap of the steps; the greatest is twice this.
const CAP: u64 = 60;

/// How often an update has failed, and what its next step is counted from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tries {
    fails: u32,
    /// Seconds.
    step: u64,
}

impl Tries {
    pub(crate) fn new() -> Self {
        Self { fails: 0, step: 1 }
    }

    /// The number of the attempt that comes next, from 1.
    pub(crate) fn attempt(self) -> u32 {
        self.fails + 1
    }

    /// It failed: how long to wait now.
    pub(crate) fn fail(&mut self, retry_after: Duration, seed: u64) -> Duration {
        let mut wait = retry_after.min(LONGEST);
        if wait.is_zero() && self.fails > 0 {
            self.step = (self.step * 2).min(CAP + mixed(seed, self.fails) % (CAP + 1));
            wait = Duration::from_secs(self.step);
        }
        self.fails += 1;
        wait
    }
}

/// How long the address found for a host name is good: 30 to 33 minutes.
pub(crate) fn address_life(seed: u64) -> Duration {
    Duration::from_secs(ADDRESS + mixed(seed, 0) % (ADDRESS / 10 + 1))
}

/// A number that looks random and is the same in every run.
fn mixed(seed: u64, turn: u32) -> u64 {
    let mut value = (seed ^ (u64::from(turn) << 40)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(seed: u64, answers: &[u64]) -> Vec<u64> {
        let mut tries = Tries::new();
        let fail = |seconds: &u64| tries.fail(Duration::from_secs(*seconds), seed).as_secs();
        answers.iter().map(fail).collect()
    }

    #[test]
    fn at_once_then_doubling_to_a_random_cap() {
        let mut last = std::collections::BTreeSet::new();
        for seed in 0..300 {
            let waits = waits(seed, &[0; 40]);
            assert_eq!(waits[..6], [0, 2, 4, 8, 16, 32], "seed {seed}");
            for wait in &waits[7..] {
                assert!((60..=120).contains(wait), "{waits:?}");
                last.insert(*wait);
            }
            assert!((60..=64).contains(&waits[6]), "{waits:?}");
        }
        assert!(
            last.contains(&60) && last.contains(&120) && last.len() == 61,
            "{last:?}"
        );
    }

    #[test]
    fn retry_after_takes_the_place_of_a_step() {
        assert_eq!(waits(1, &[7, 0, 0, 30, 0]), [7, 2, 4, 30, 8]);
        assert_eq!(waits(1, &[3_600, 3_601, 1_000_000]), [3_600; 3]);
    }

    #[test]
    fn an_address_is_good_for_30_to_33_minutes() {
        let lives: Vec<u64> = (0..3_000)
            .map(|seed| address_life(seed).as_secs())
            .collect();
        assert_eq!(
            (lives.iter().min(), lives.iter().max()),
            (Some(&1_800), Some(&1_980))
        );
    }
}
