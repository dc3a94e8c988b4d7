//! Whether the process lives and whether it wants traffic. Input: named conditions set by whoever
//! knows, pulses beaten by the workers, the drain. Output: `/-/live` and `/-/ready` of the admin
//! listener. Invariant: liveness depends on the process alone, never on Kafka, Redis, SQL or
//! Telegram: a neighbour's illness must not restart us. Draining is for good.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::Gauge;

/// The conditions and pulses of a process. Clones share them.
#[derive(Clone)]
pub struct Probes {
    state: Arc<Mutex<State>>,
    started: Instant,
}

#[derive(Default)]
struct State {
    draining: bool,
    /// By name, why it is not met; `None` once it is.
    conditions: BTreeMap<&'static str, Option<String>>,
    pulses: Vec<Watched>,
}

struct Watched {
    name: &'static str,
    /// Milliseconds after `Probes::started`; `u64::MAX` once the pulse was dropped.
    last: Arc<AtomicU64>,
    stalled_after: Duration,
}

/// An answer of [`Probes::ready`] or [`Probes::live`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    /// Whether every condition is met.
    pub ok: bool,
    /// Why not: `name: reason`, in the order of names.
    pub reasons: Vec<String>,
}

impl Probes {
    /// Probes without conditions: live and ready.
    pub fn new() -> Self {
        Self {
            state: Arc::default(),
            started: Instant::now(),
        }
    }

    /// Adds a condition of readiness, not met until it is set. The same name gives the same one.
    pub fn condition(&self, name: &'static str) -> Condition {
        self.lock()
            .conditions
            .entry(name)
            .or_insert_with(|| Some("not yet known".to_owned()));
        Condition {
            probes: self.clone(),
            name,
        }
    }

    /// Adds a condition of liveness: somebody who must call [`Pulse::beat`] at least once in
    /// `stalled_after`. It ends when the pulse is dropped.
    pub fn pulse(&self, name: &'static str, stalled_after: Duration) -> Pulse {
        let pulse = Pulse {
            last: Arc::new(AtomicU64::new(0)),
            started: self.started,
        };
        pulse.beat();
        self.lock().pulses.push(Watched {
            name,
            last: Arc::clone(&pulse.last),
            stalled_after,
        });
        pulse
    }

    /// Readiness is off from here on, whatever the conditions say.
    pub fn drain(&self) {
        self.lock().draining = true;
        Gauge::Draining.set(1);
        self.publish();
    }

    /// Whether the process wants traffic.
    pub fn ready(&self) -> Ready {
        let state = self.lock();
        let draining = state.draining.then(|| "draining".to_owned());
        let unmet = state
            .conditions
            .iter()
            .filter_map(|(name, reason)| Some(format!("{name}: {}", reason.as_ref()?)));
        let reasons: Vec<String> = draining.into_iter().chain(unmet).collect();
        Ready {
            ok: reasons.is_empty(),
            reasons,
        }
    }

    /// Whether the process works at all. It does not while a pulse is overdue: a worker that has
    /// stood still for so long cannot be mended from inside.
    pub fn live(&self) -> Ready {
        self.live_at(self.started.elapsed())
    }

    fn live_at(&self, now: Duration) -> Ready {
        let mut state = self.lock();
        state
            .pulses
            .retain(|pulse| pulse.last.load(Ordering::Relaxed) != u64::MAX);
        let reasons: Vec<String> = state
            .pulses
            .iter()
            .filter_map(|pulse| {
                let silence =
                    now.saturating_sub(Duration::from_millis(pulse.last.load(Ordering::Relaxed)));
                (silence > pulse.stalled_after)
                    .then(|| format!("{}: silent for {} s", pulse.name, silence.as_secs()))
            })
            .collect();
        Ready {
            ok: reasons.is_empty(),
            reasons,
        }
    }

    fn publish(&self) {
        Gauge::Ready.set(i64::from(self.ready().ok));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Probes {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Probes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ready().fmt(formatter)
    }
}

/// One named condition of readiness.
#[derive(Clone, Debug)]
pub struct Condition {
    probes: Probes,
    name: &'static str,
}

impl Condition {
    /// Sets whether the condition is met, and why not. The reason is shown to anyone who can reach
    /// the admin listener, so it tells a cause, not data.
    pub fn set(&self, met: bool, reason: impl Into<String>) {
        let unmet = (!met).then(|| reason.into());
        self.probes.lock().conditions.insert(self.name, unmet);
        self.probes.publish();
    }
}

/// A sign of life that somebody owes.
#[derive(Debug)]
pub struct Pulse {
    last: Arc<AtomicU64>,
    started: Instant,
}

impl Pulse {
    /// I am still moving.
    pub fn beat(&self) {
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        self.last.store(now, Ordering::Relaxed);
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.last.store(u64::MAX, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_unmet_until_it_is_set() {
        let probes = Probes::new();
        assert!(probes.ready().ok);
        let bus = probes.condition("bus");
        let registry = probes.condition("registry");
        assert_eq!(
            probes.ready().reasons,
            ["bus: not yet known", "registry: not yet known"]
        );
        bus.set(true, "");
        registry.set(false, "no tables");
        assert_eq!(
            probes.ready(),
            Ready {
                ok: false,
                reasons: vec!["registry: no tables".into()]
            }
        );
        probes.condition("registry").set(true, "");
        assert!(probes.ready().ok);
        bus.set(false, "gone");
        assert!(!probes.ready().ok);
        assert!(probes.live().ok, "liveness does not depend on conditions");
    }

    #[test]
    fn draining_is_for_good() {
        let probes = Probes::new();
        let bus = probes.condition("bus");
        bus.set(true, "");
        probes.drain();
        bus.set(true, "");
        assert_eq!(probes.ready().reasons, ["draining"]);
        assert!(probes.live().ok);
    }

    #[test]
    fn a_missed_pulse_is_death_and_a_dropped_one_is_not() {
        let probes = Probes::new();
        let pulse = probes.pulse("worker", Duration::from_secs(30));
        assert!(probes.live_at(Duration::from_secs(29)).ok);
        assert_eq!(
            probes.live_at(Duration::from_secs(40)).reasons,
            ["worker: silent for 40 s"]
        );
        assert!(probes.ready().ok, "readiness does not depend on pulses");
        drop(pulse);
        assert!(probes.live_at(Duration::from_secs(40)).ok);
    }
}
