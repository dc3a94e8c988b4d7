//! Whether SQL answers, and how current the local cache is.
//!
//! In: every answer of SQL. Out: whether a look-up may ask it, and whether "not in the cache" means
//! "not in the registry". Invariant: while SQL is down no call waits for it, except one batch every
//! [`AGAIN`], in case the poll of `refresh.rs` is down as well.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gramtap_telemetry::Gauge;
use tokio::time::Instant;

/// After how long a look-up asks a SQL that was down.
const AGAIN: Duration = Duration::from_secs(10);
/// How old the last poll may be for the cache to be current.
const CURRENT: Duration = Duration::from_secs(3);

pub(super) struct Health(Mutex<State>);

#[derive(Default)]
struct State {
    /// Since when SQL is down, or was last asked in spite of it.
    down: Option<Instant>,
    /// When the cache was last seen to hold everything.
    whole: Option<Instant>,
}

impl Health {
    pub(super) fn new() -> Self {
        Self(Mutex::default())
    }

    /// Whether a look-up may ask SQL.
    pub(super) fn may_ask(&self, now: Instant) -> bool {
        let mut state = self.lock();
        match state.down {
            None => true,
            Some(down) if now.saturating_duration_since(down) >= AGAIN => {
                state.down = Some(now);
                true
            }
            Some(_) => false,
        }
    }

    /// SQL answered. True if it was down.
    pub(super) fn answered(&self) -> bool {
        Gauge::RegistryUp.set(1);
        self.lock().down.take().is_some()
    }

    /// SQL did not answer. True if it was not known to be down.
    pub(super) fn failed(&self, now: Instant) -> bool {
        Gauge::RegistryUp.set(0);
        self.lock().down.replace(now).is_none()
    }

    /// The cache holds everything that SQL did at `now`.
    pub(super) fn is_whole(&self, now: Instant) {
        self.lock().whole = Some(now);
    }

    /// Something of the cache was dropped.
    pub(super) fn is_partial(&self) {
        self.lock().whole = None;
    }

    /// Whether what is not in the cache is not in the registry, to the last seconds.
    pub(super) fn is_current(&self, now: Instant) -> bool {
        let whole = self.lock().whole;
        whole.is_some_and(|whole| now.saturating_duration_since(whole) < CURRENT)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
