//! When a dead actor is built anew, and when that has happened too often. Input: the times of its
//! deaths, from `keeper/supervisor.rs`. Output: how long to wait. Invariant: pure; the wait doubles
//! from the first to the last delay, starts anew after a calm life, and never ends the restarting.

use std::{collections::VecDeque, time::Duration};

/// How an actor is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The wait before the first restart; it doubles from death to death.
    pub first_delay: Duration,
    /// The longest wait.
    pub max_delay: Duration,
    /// An actor that lived this long starts again from the first delay.
    pub calm: Duration,
    /// Restarts within `window` that are tolerated; one more and the actor is exhausted.
    pub budget: usize,
    /// See `budget`.
    pub window: Duration,
    /// During waits up to this long, lanes go on accepting, for the next actor. During longer ones
    /// they are closed, so that callers find another way at once.
    pub hold: Duration,
    /// How often a sign of life is asked for.
    pub heartbeat: Duration,
    /// How long it may fail to come, while no message is taken either, before the actor is given
    /// up. Longer than any handler holds the actor (`ctx.wait`, `AtomicResponse`).
    pub stall: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            first_delay: Duration::from_millis(10),
            max_delay: Duration::from_secs(30),
            calm: Duration::from_secs(60),
            budget: 10,
            window: Duration::from_secs(60),
            hold: Duration::from_millis(100),
            heartbeat: Duration::from_secs(5),
            stall: Duration::from_secs(30),
        }
    }
}

/// The memory of an actor's deaths.
#[derive(Debug)]
pub(crate) struct Restarts {
    policy: Policy,
    /// The times of the deaths that are still in the window.
    recent: VecDeque<Duration>,
    /// Deaths since the last calm life.
    streak: u32,
}

/// What to do about a death.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Restart {
    pub(crate) delay: Duration,
    pub(crate) exhausted: bool,
}

impl Restarts {
    pub(crate) fn new(policy: Policy) -> Self {
        Self {
            policy,
            recent: VecDeque::new(),
            streak: 0,
        }
    }

    /// An actor died at `now`, counted from any fixed moment, having lived for `lived`.
    pub(crate) fn after_death(&mut self, now: Duration, lived: Duration) -> Restart {
        let Policy {
            first_delay,
            max_delay,
            calm,
            budget,
            window,
            ..
        } = self.policy;
        if lived >= calm {
            self.streak = 0;
        }
        let doubled = 2u32
            .checked_pow(self.streak)
            .and_then(|factor| first_delay.checked_mul(factor));
        self.streak = self.streak.saturating_add(1);
        self.recent.push_back(now);
        while self
            .recent
            .front()
            .is_some_and(|death| now.saturating_sub(*death) >= window)
        {
            self.recent.pop_front();
        }
        Restart {
            delay: doubled.unwrap_or(max_delay).min(max_delay),
            exhausted: self.recent.len() > budget,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn the_delay_doubles_to_its_bound_and_starts_anew_after_a_calm_life() {
        let mut restarts = Restarts::new(Policy::default());
        let mut now = Duration::ZERO;
        let mut delays = Vec::new();
        for _ in 0..14 {
            let Restart { delay, .. } = restarts.after_death(now, Duration::ZERO);
            now += delay;
            delays.push(delay.as_millis());
        }
        let expected = [
            10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10240, 20480, 30000, 30000,
        ];
        assert_eq!(delays, expected);
        assert_eq!(restarts.after_death(now, MS(59_999)).delay, MS(30_000));
        assert_eq!(restarts.after_death(now, MS(60_000)).delay, MS(10));
    }

    #[test]
    fn the_budget_counts_only_what_is_in_the_window() {
        let policy = Policy {
            budget: 2,
            window: MS(100),
            ..Policy::default()
        };
        let mut restarts = Restarts::new(policy);
        let exhausted = [0, 50, 99, 100, 260, 300, 330, 340]
            .map(|now| restarts.after_death(MS(now), Duration::ZERO).exhausted);
        assert_eq!(
            exhausted,
            [false, false, true, true, false, false, true, true]
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn delays_keep_their_bounds_and_never_shrink_without_calm(
            lives in prop::collection::vec(0u64..70_000, 1..40),
            first in 1u64..1_000,
            max in 1_000u64..60_000,
        ) {
            let policy = Policy { first_delay: MS(first), max_delay: MS(max), ..Policy::default() };
            let mut restarts = Restarts::new(policy.clone());
            let mut now = Duration::ZERO;
            let mut last = Duration::ZERO;
            for lived in lives.into_iter().map(MS) {
                now += lived;
                let Restart { delay, .. } = restarts.after_death(now, lived);
                prop_assert!(policy.first_delay <= delay && delay <= policy.max_delay);
                if lived >= policy.calm {
                    prop_assert_eq!(delay, policy.first_delay);
                } else {
                    prop_assert!(delay >= last);
                    prop_assert!(last.is_zero() || delay <= last * 2);
                }
                now += delay;
                last = delay;
            }
        }

        #[test]
        fn exhausted_means_more_than_the_budget_in_one_window(
            gaps in prop::collection::vec(0u64..40, 1..60),
            budget in 0usize..8,
            window in 1u64..200,
        ) {
            let policy = Policy { budget, window: MS(window), ..Policy::default() };
            let mut restarts = Restarts::new(policy);
            let mut deaths = Vec::new();
            let mut now = 0;
            for gap in gaps {
                now += gap;
                deaths.push(now);
                let in_window = deaths.iter().filter(|death| now - **death < window).count();
                prop_assert_eq!(restarts.after_death(MS(now), Duration::ZERO).exhausted, in_window > budget);
            }
        }
    }
}
