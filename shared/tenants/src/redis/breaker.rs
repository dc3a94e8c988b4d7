//! When Redis is left alone.
//!
//! In: the outcome of every command. Out: whether the next one is sent. Invariant: after [`FAILURES`]
//! in a row, or one answer that did not come, nothing is sent for [`PAUSE`]; then one command is,
//! and its outcome decides. Pure.

use std::time::Duration;

use tokio::time::Instant;

const FAILURES: u32 = 3;
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(super) struct Breaker {
    failures: u32,
    /// Until when nothing is sent.
    open: Option<Instant>,
}

impl Breaker {
    /// Whether a command may be sent.
    pub(super) fn allows(&mut self, now: Instant) -> bool {
        match self.open {
            None => true,
            Some(until) if now >= until => {
                // This one tries, the others still wait.
                self.open = Some(now + PAUSE);
                true
            }
            Some(_) => false,
        }
    }

    /// True if Redis had been left alone.
    pub(super) fn succeeded(&mut self) -> bool {
        self.failures = 0;
        self.open.take().is_some()
    }

    /// True if Redis is left alone from now on, and was not before.
    pub(super) fn failed(&mut self, hangs: bool, now: Instant) -> bool {
        // Waiting for an answer that does not come is what calls cannot afford twice.
        self.failures = self
            .failures
            .saturating_add(if hangs { FAILURES } else { 1 });
        if self.failures < FAILURES {
            return false;
        }
        self.open.replace(now + PAUSE).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn three_failures_or_one_hang_open_it_for_a_second() {
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        for failures in [vec![false, false, false], vec![true]] {
            let mut breaker = Breaker::default();
            for (place, hangs) in failures.iter().enumerate() {
                assert!(breaker.allows(start));
                let opened = breaker.failed(*hangs, start);
                assert_eq!(opened, place + 1 == failures.len());
            }
            assert!(!breaker.allows(after(999)));
            assert!(breaker.allows(after(1_000)), "one tries");
            assert!(!breaker.allows(after(1_001)), "and only one");
            assert!(!breaker.failed(false, after(1_100)), "it was open");
            assert!(!breaker.allows(after(2_099)));
            assert!(breaker.allows(after(2_100)));
            assert!(breaker.succeeded());
            assert!(breaker.allows(after(2_101)));
            assert!(!breaker.failed(false, after(2_102)), "it counts from none");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn a_dead_redis_is_tried_once_a_second(calls in proptest::collection::vec(0u64..200, 1..300)) {
            let mut now = Instant::now();
            let mut breaker = Breaker::default();
            breaker.failed(true, now);
            let mut tried = now;
            for wait in calls {
                now += Duration::from_millis(wait);
                if breaker.allows(now) {
                    prop_assert!(now - tried >= PAUSE);
                    tried = now;
                    breaker.failed(true, now);
                }
            }
            prop_assert!(now - tried < PAUSE + Duration::from_millis(200));
        }
    }
}
