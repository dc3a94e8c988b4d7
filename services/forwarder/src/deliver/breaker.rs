//! Whether an endpoint is called at all, and how fast after it was away.
//!
//! In: what its attempts met. Out: whether the next attempt may start, or when. Closed: all may. It opens after a number of failures in a row;
//! then one attempt at a time probes it, after 2, 4, 8 … up to 60 s. The first success closes it slowly: attempts start a bounded time
//! apart, which shrinks with each success until nothing is held back, so that an endpoint that has just risen is not run over.
//! Invariant: an update that alone is always refused opens nothing: failures with a status count once for each queue in a row. While open,
//! at most one attempt is under way that began after it opened. Pure: time is given.

use std::time::Duration;

use gramtap_events::Moment;
use gramtap_telegram::Queue;

/// When a breaker opens and closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Failures in a row that open it.
    pub failures: u32,
    /// How long it is open before the first probe; doubled for each probe that fails.
    pub first: Duration,
    /// The longest between two probes.
    pub longest: Duration,
    /// How far apart attempts start after the first success. Each further success takes a quarter off it.
    pub pace: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            failures: 10,
            first: Duration::from_secs(2),
            longest: Duration::from_secs(60),
            pace: Duration::from_millis(500),
        }
    }
}

/// Closer than this, attempts are not held back.
const FULL_PACE: Duration = Duration::from_millis(2);

/// The breaker of one bot's endpoint.
#[derive(Clone, Debug)]
pub struct Breaker {
    rules: Rules,
    state: State,
    /// Failures since the last success.
    failed: u32,
    /// The queue of the last one that came with a status.
    refused: Option<Queue>,
    /// Probes that failed since it was closed.
    probes: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    /// Nothing starts before this.
    Open(Moment),
    /// One attempt is under way: that of this queue.
    Probing(Queue),
    /// The next attempt starts no earlier than this, and so far apart.
    Closing(Moment, Duration),
}

/// Whether an attempt may start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Now.
    Open,
    /// Not before this.
    At(Moment),
    /// Not before the attempt that is under way has ended.
    AfterProbe,
}

impl Breaker {
    /// A closed breaker.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            state: State::Closed,
            failed: 0,
            refused: None,
            probes: 0,
        }
    }

    /// Whether an attempt may start.
    #[must_use]
    pub fn gate(&self, now: Moment) -> Gate {
        match self.state {
            State::Closed => Gate::Open,
            State::Probing(_) => Gate::AfterProbe,
            State::Open(at) | State::Closing(at, _) if now < at => Gate::At(at),
            State::Open(_) | State::Closing(..) => Gate::Open,
        }
    }

    /// Whether the endpoint is away: what is not under way yet waits elsewhere.
    #[must_use]
    pub fn is_away(&self) -> bool {
        matches!(self.state, State::Open(_) | State::Probing(_))
    }

    /// Whether a new breaker would do as well.
    #[must_use]
    pub fn is_calm(&self) -> bool {
        self.state == State::Closed && self.failed == 0
    }

    /// An attempt of a queue starts; [`Breaker::gate`] has let it.
    pub fn start(&mut self, now: Moment, queue: Queue) {
        match &mut self.state {
            State::Open(_) => self.state = State::Probing(queue),
            State::Closing(next, pace) => *next = now.plus(*pace),
            State::Closed | State::Probing(_) => {}
        }
    }

    /// An attempt succeeded.
    pub fn succeed(&mut self, now: Moment) {
        self.failed = 0;
        self.refused = None;
        self.state = match self.state {
            State::Closed => State::Closed,
            State::Open(_) | State::Probing(_) => State::Closing(now, self.rules.pace),
            State::Closing(next, pace) => {
                let shorter = pace.mul_f64(0.75);
                let next = next.min(now.plus(shorter));
                match shorter < FULL_PACE {
                    true => {
                        self.probes = 0;
                        State::Closed
                    }
                    false => State::Closing(next, shorter),
                }
            }
        };
    }

    /// An attempt of a queue failed. `answered`: with a status. Where nothing whole came back, that says more of the endpoint than of
    /// the update.
    pub fn fail(&mut self, now: Moment, queue: Queue, answered: bool) {
        match self.state {
            State::Probing(probe) if probe == queue => self.open(now),
            // An attempt from before.
            State::Open(_) | State::Probing(_) => {}
            State::Closed | State::Closing(..) => {
                let refused = answered.then_some(queue);
                if refused.is_none() || refused != self.refused {
                    self.failed = self.failed.saturating_add(1);
                }
                self.refused = refused;
                if self.failed >= self.rules.failures {
                    self.open(now);
                }
            }
        }
    }

    /// An attempt of a queue ended in a way that tells nothing of the endpoint.
    pub fn release(&mut self, now: Moment, queue: Queue) {
        if self.state == State::Probing(queue) {
            self.state = State::Open(now);
        }
    }

    fn open(&mut self, now: Moment) {
        let doubled = 1_u32.checked_shl(self.probes).unwrap_or(u32::MAX);
        let wait = self.rules.first.saturating_mul(doubled);
        self.state = State::Open(now.plus(wait.min(self.rules.longest)));
        self.probes = self.probes.saturating_add(1);
        self.failed = 0;
        self.refused = None;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use gramtap_telegram::queue::Class;
    use proptest::prelude::*;

    use super::*;
    use crate::tests::at;

    fn queue(id: i64) -> Queue {
        Queue {
            class: Class::Chat,
            id,
        }
    }

    fn opened(now: i64) -> Breaker {
        let mut breaker = Breaker::new(Rules::default());
        for _ in 0..10 {
            assert_eq!(breaker.gate(at(now)), Gate::Open);
            breaker.fail(at(now), queue(0), false);
        }
        assert!(breaker.is_away());
        breaker
    }

    #[test]
    fn failures_in_a_row_open_it_and_a_success_between_them_does_not() {
        let mut breaker = Breaker::new(Rules::default());
        for round in 0..100 {
            match round % 10 {
                9 => breaker.succeed(at(0)),
                _ => breaker.fail(at(0), queue(0), false),
            }
        }
        assert_eq!(breaker.gate(at(0)), Gate::Open);
        assert_eq!(opened(0).gate(at(1)), Gate::At(at(2)));
    }

    #[test]
    fn one_update_that_is_always_refused_opens_nothing() {
        let mut breaker = Breaker::new(Rules::default());
        (0..1_000).for_each(|_| breaker.fail(at(0), queue(1), true));
        assert!(!breaker.is_away());
        (0..10).for_each(|id| breaker.fail(at(0), queue(id), true));
        assert!(breaker.is_away());
    }

    #[test]
    fn probes_go_one_at_a_time_and_ever_further_apart() {
        let mut breaker = opened(0);
        let mut now = 0;
        for wait in [2, 4, 8, 16, 32, 60, 60] {
            assert_eq!(breaker.gate(at(now + wait - 1)), Gate::At(at(now + wait)));
            now += wait;
            assert_eq!(breaker.gate(at(now)), Gate::Open);
            breaker.start(at(now), queue(0));
            assert_eq!(breaker.gate(at(now + 9)), Gate::AfterProbe);
            breaker.fail(at(now), queue(0), false);
        }
        breaker.start(at(now + 60), queue(0));
        breaker.release(at(now + 61), queue(0));
        assert_eq!(breaker.gate(at(now + 61)), Gate::Open);
        assert!(breaker.is_away());
    }

    #[test]
    fn attempts_from_before_are_no_probe() {
        let mut breaker = opened(0);
        breaker.start(at(2), queue(0));
        breaker.fail(at(3), queue(1), false);
        breaker.release(at(3), queue(1));
        assert_eq!(breaker.gate(at(90)), Gate::AfterProbe);
        breaker.fail(at(90), queue(0), false);
        assert_eq!(breaker.gate(at(90)), Gate::At(at(94)));
    }

    #[test]
    fn it_closes_slowly_and_opens_again_where_it_was() {
        let mut breaker = opened(0);
        breaker.start(at(2), queue(0));
        breaker.succeed(at(2));
        assert!(!breaker.is_away());
        let (mut now, mut started) = (at(2), 0);
        while breaker.probes > 0 {
            match breaker.gate(now) {
                Gate::Open => {
                    breaker.start(now, queue(0));
                    breaker.succeed(now);
                    started += 1;
                }
                Gate::At(next) => {
                    assert!(next.since(now) <= Duration::from_millis(500));
                    now = next;
                }
                Gate::AfterProbe => unreachable!("nothing probes"),
            }
        }
        assert_eq!(started, 20);
        let took = now.since(at(2));
        assert!((1_000..2_500).contains(&took.as_millis()), "{took:?}");

        let mut breaker = opened(0);
        breaker.start(at(2), queue(0));
        breaker.succeed(at(2));
        (0..10).for_each(|_| breaker.fail(at(3), queue(0), false));
        assert_eq!(breaker.gate(at(3)), Gate::At(at(7)));
    }

    #[test]
    fn a_late_success_ends_the_wait_and_a_late_failure_does_not_lengthen_it() {
        let mut breaker = opened(0);
        breaker.fail(at(1), queue(0), false);
        assert_eq!(breaker.gate(at(1)), Gate::At(at(2)));
        breaker.succeed(at(1));
        assert_eq!(breaker.gate(at(1)), Gate::Open);
    }

    proptest! {
        #[test]
        fn it_always_lets_one_start_within_its_longest_wait(
            steps in proptest::collection::vec((0..4_u8, 0..90_i64, 0..5_i64), 0..200),
        ) {
            let mut breaker = Breaker::new(Rules::default());
            let mut now = 0;
            for (what, wait, id) in steps {
                now += wait;
                match what {
                    0 => breaker.succeed(at(now)),
                    1 => breaker.fail(at(now), queue(0), false),
                    2 => breaker.fail(at(now), queue(id), true),
                    _ => breaker.release(at(now), queue(id)),
                }
                match breaker.gate(at(now)) {
                    Gate::Open => breaker.start(at(now), queue(0)),
                    Gate::At(next) => prop_assert!(next > at(now) && next <= at(now + 60)),
                    Gate::AfterProbe => prop_assert_eq!(breaker.state, State::Probing(queue(0))),
                }
            }
        }
    }
}
