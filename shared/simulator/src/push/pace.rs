//! How fast new connections are opened.
//!
//! In: openings and successes, with the clock's time. Out: whether one more may be opened now, or
//! when to look again. While deliveries succeed: at most 10 within 0.5 s. Without a success for
//! 10 s: one within 2 s, and none beside another. Invariant: pure; remembers at most ten openings.

use std::collections::VecDeque;
use std::time::Duration;

/// Deliveries are working while a success is no older than this.
const WORKING: Duration = Duration::from_secs(10);
/// So many openings within so long, while they are working.
const FAST: (usize, Duration) = (10, Duration::from_millis(500));
/// The same while they are not.
const SLOW: (usize, Duration) = (1, Duration::from_secs(2));

/// What was opened lately.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    opened: VecDeque<Duration>,
    succeeded: Option<Duration>,
}

impl Pace {
    pub(crate) fn success(&mut self, now: Duration) {
        self.succeeded = Some(now);
    }

    /// How many connections there may be, of the `wanted` ones.
    pub(crate) fn most(&self, wanted: usize, now: Duration) -> usize {
        wanted.min(if self.working(now) { usize::MAX } else { 1 })
    }

    /// When the next one may be opened: now, or later.
    pub(crate) fn next_at(&self, now: Duration) -> Duration {
        let (most, window) = if self.working(now) { FAST } else { SLOW };
        let nth = self.opened.len().checked_sub(most);
        let earlier = nth.and_then(|nth| self.opened.get(nth));
        earlier.map_or(now, |at| now.max(*at + window))
    }

    pub(crate) fn opened(&mut self, now: Duration) {
        if self.opened.len() == FAST.0 {
            self.opened.pop_front();
        }
        self.opened.push_back(now);
    }

    fn working(&self, now: Duration) -> bool {
        self.succeeded.is_some_and(|at| now <= at + WORKING)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn one_in_two_seconds_until_something_succeeds() {
        let mut pace = Pace::default();
        assert_eq!((pace.most(5, ms(0)), pace.next_at(ms(0))), (1, ms(0)));
        pace.opened(ms(0));
        assert_eq!(pace.next_at(ms(1_999)), ms(2_000));
        assert_eq!(pace.next_at(ms(2_000)), ms(2_000));
        pace.success(ms(100));
        assert_eq!((pace.most(5, ms(100)), pace.next_at(ms(100))), (5, ms(100)));
        for _ in 0..9 {
            pace.opened(ms(100));
        }
        assert_eq!(pace.next_at(ms(100)), ms(500), "the first was at 0");
        pace.opened(ms(500));
        assert_eq!(pace.next_at(ms(500)), ms(600));
        // The last success counts for ten seconds, to the millisecond.
        assert_eq!(pace.most(5, ms(10_100)), 5);
        assert_eq!(pace.most(5, ms(10_101)), 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn no_window_holds_more_than_it_may(
            steps in proptest::collection::vec((0_u64..300, any::<bool>()), 1..120),
            working in any::<bool>(),
        ) {
            let mut pace = Pace::default();
            let mut now = ms(0);
            let mut opened: Vec<Duration> = Vec::new();
            for (step, tries) in steps {
                now += ms(step);
                if working {
                    pace.success(now);
                }
                if tries && pace.next_at(now) == now {
                    pace.opened(now);
                    opened.push(now);
                }
            }
            let (most, window) = if working { FAST } else { SLOW };
            for many in opened.windows(most + 1) {
                prop_assert!(many[most] - many[0] >= window, "{:?}", many);
            }
        }
    }
}
