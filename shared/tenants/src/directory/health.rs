//! Whether SQL answers, and how current the local cache is.
//!
//! In: every answer of SQL. Out: whether a look-up may ask it, and from when on "not in the cache"
//! means "not in the registry". Invariant: while SQL is down no call waits for it, except one batch
//! every [`AGAIN`], in case the poll of `refresh.rs` is down as well.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gramtap_telemetry::Gauge;
use tokio::sync::watch;
use tokio::time::Instant;

/// After how long a look-up asks a SQL that was down.
const AGAIN: Duration = Duration::from_secs(10);
/// How old the last poll may be for the cache to be current.
const CURRENT: Duration = Duration::from_secs(3);

pub(super) struct Health {
    /// Since when SQL is down, or was last asked in spite of it.
    down: Mutex<Option<Instant>>,
    /// As of when the cache held everything, last.
    whole: watch::Sender<Option<Instant>>,
}

impl Health {
    pub(super) fn new() -> Self {
        Self {
            down: Mutex::default(),
            whole: watch::Sender::new(None),
        }
    }

    /// Whether a look-up may ask SQL.
    pub(super) fn may_ask(&self, now: Instant) -> bool {
        let mut down = self.down();
        match *down {
            None => true,
            Some(since) if now.saturating_duration_since(since) >= AGAIN => {
                *down = Some(now);
                true
            }
            Some(_) => false,
        }
    }

    /// SQL answered. True if it was down.
    pub(super) fn answered(&self) -> bool {
        Gauge::RegistryUp.set(1);
        self.down().take().is_some()
    }

    /// SQL did not answer. True if it was not known to be down.
    pub(super) fn failed(&self, now: Instant) -> bool {
        Gauge::RegistryUp.set(0);
        self.down().replace(now).is_none()
    }

    /// The cache holds everything that SQL did at `now`.
    pub(super) fn is_whole(&self, now: Instant) {
        self.whole.send_replace(Some(now));
    }

    /// Something of the cache was dropped.
    pub(super) fn is_partial(&self) {
        self.whole.send_replace(None);
    }

    /// Whether the cache was whole a moment ago.
    pub(super) fn is_current(&self, now: Instant) -> bool {
        let whole = *self.whole.borrow();
        whole.is_some_and(|whole| now.saturating_duration_since(whole) < CURRENT)
    }

    /// Waits until the cache holds everything that SQL did at `now` or later.
    pub(super) async fn whole_since(&self, now: Instant) {
        let mut whole = self.whole.subscribe();
        // It fails only if the sender is gone, which is this one's.
        whole
            .wait_for(|whole| whole.is_some_and(|whole| whole >= now))
            .await
            .ok();
    }

    fn down(&self) -> MutexGuard<'_, Option<Instant>> {
        self.down.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
