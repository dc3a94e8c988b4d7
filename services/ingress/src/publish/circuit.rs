//! Whether the next update is to be handed to the bus, or the bus is left alone for a while.
//!
//! In: the clock; what became of the updates that were handed over. Out: a [`Pass`] for each update that may be. Closed: each may be.
//! It opens when what was handed over is not acknowledged within `slow`, or [`FAILURES`] in a row have failed. Open: none may be until the
//! pause is over, all that was slow is reported and a broker is connected; then one update is the probe, which may wait in vain. A quick acknowledgement of the probe closes the circuit, a
//! failure doubles the pause. Invariant: while it is not closed one update at most is under way that was handed over since.
//! Pure; what is kept is a moment for each update under way.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Failures one after the other that say so.
const FAILURES: u32 = 3;
/// The first pause, and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// Leave to hand one update over. To be given back to [`Circuit::ended`].
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(crate) struct Pass(u64);

/// What became of an update that was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It was acknowledged.
    Stored,
    /// It was not.
    Failed,
    /// Nothing that says how the bus does: it was not sent at all, or nobody waited for the report.
    Unheard,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed { failures: u32 },
    Open { until: Instant, pause: Duration },
    Probing { probe: u64, pause: Duration },
}

/// See the file's header.
#[derive(Debug)]
pub(crate) struct Circuit {
    state: State,
    /// An acknowledgement that takes longer says that the bus is ill.
    pub(crate) slow: Duration,
    /// When each update was handed over that is under way.
    flying: BTreeMap<u64, Instant>,
    next: u64,
}

impl Circuit {
    /// Nothing is known of the bus: the first update is a probe.
    pub(crate) fn new(now: Instant, slow: Duration) -> Self {
        Self {
            slow,
            state: State::Open {
                until: now,
                pause: PAUSE.0,
            },
            flying: BTreeMap::new(),
            next: 0,
        }
    }

    /// Whether every update may be handed over.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed { .. })
    }

    /// The bus has answered otherwise.
    pub(crate) fn close(&mut self) {
        self.state = State::Closed { failures: 0 };
    }

    /// Whether an update may be handed over now. `is_there`: whether the bus is connected, which is asked only where it matters.
    pub(crate) fn choose(&mut self, now: Instant, is_there: impl FnOnce() -> bool) -> Option<Pass> {
        let is_stuck = self.is_stuck(now);
        match self.state {
            State::Closed { .. } if is_stuck => {
                self.open(now, PAUSE.0);
                return None;
            }
            State::Closed { .. } => {}
            State::Open { until, .. } if is_stuck || now < until || !is_there() => return None,
            State::Open { pause, .. } => {
                let probe = self.next;
                self.state = State::Probing { probe, pause };
            }
            State::Probing { .. } => return None,
        }
        let pass = Pass(self.next);
        self.next += 1;
        self.flying.insert(pass.0, now);
        Some(pass)
    }

    /// Takes a pass back.
    pub(crate) fn ended(&mut self, now: Instant, Pass(number): Pass, ending: Ending) {
        let since = self.flying.remove(&number).unwrap_or(now);
        let is_slow = now.duration_since(since) > self.slow;
        match (self.state, ending) {
            (State::Closed { .. }, Ending::Stored | Ending::Failed) if is_slow => {
                self.open(now, PAUSE.0);
            }
            (State::Closed { .. }, Ending::Stored) => self.close(),
            (State::Closed { failures }, Ending::Failed) if failures + 1 >= FAILURES => {
                self.open(now, PAUSE.0);
            }
            (State::Closed { failures }, Ending::Failed) => {
                let failures = failures + 1;
                self.state = State::Closed { failures };
            }
            (State::Probing { probe, pause }, ending) if probe == number => match ending {
                Ending::Stored if is_slow => self.open(now, PAUSE.0),
                Ending::Stored => self.close(),
                Ending::Failed => self.open(now, (pause * 2).min(PAUSE.1)),
                Ending::Unheard => self.state = State::Open { until: now, pause },
            },
            _ => {}
        }
    }

    fn open(&mut self, now: Instant, pause: Duration) {
        let until = now + pause;
        self.state = State::Open { until, pause };
    }

    /// Whether something has been under way for too long.
    fn is_stuck(&self, now: Instant) -> bool {
        let oldest = self.flying.first_key_value();
        oldest.is_some_and(|(_, since)| now.duration_since(*since) > self.slow)
    }
}

#[cfg(test)]
mod tests;
