//! The simulator's time.
//!
//! In: nothing, or a test's [`Clock::advance`]. Out: instants for every rule that has seconds
//! in it (`world/polling.rs`, `fault.rs`), and the dates in answers (`http/answer.rs`, messages).
//! Invariant: time never runs backwards; a manual clock moves only when told.
//! Under load: reading it is one system call, or one lock-free load.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

/// Where time comes from. Clones share it.
#[derive(Clone, Debug)]
pub struct Clock {
    source: Source,
    /// Unix seconds at the clock's zero.
    base: i64,
    /// Dates shown stand still at `base`.
    frozen_date: bool,
}

#[derive(Clone, Debug)]
enum Source {
    /// Real time times `speed`.
    Real { start: Instant, speed: u32 },
    /// Moved by hand.
    Manual(Arc<watch::Sender<Duration>>),
}

impl Clock {
    /// Real time.
    #[must_use]
    pub fn real() -> Self {
        Self::scaled(1)
    }

    /// Time that runs `speed` times as fast as real time: a poll of 50 s ends after 50/speed s.
    #[must_use]
    pub fn scaled(speed: u32) -> Self {
        let base = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        Self {
            source: Source::Real {
                start: Instant::now(),
                speed: speed.max(1),
            },
            base: i64::try_from(base).unwrap_or(0),
            frozen_date: false,
        }
    }

    /// Time that stands still until [`Clock::advance`]; starts at 2026-01-01 00:00:00 UTC.
    #[must_use]
    pub fn manual() -> Self {
        Self {
            source: Source::Manual(Arc::new(watch::channel(Duration::ZERO).0)),
            base: 1_767_225_600,
            frozen_date: false,
        }
    }

    /// The same clock, but every date shown (the `Date` header, messages) is `unix`, so that two
    /// runs give the same bytes. Waiting is not changed.
    #[must_use]
    pub fn with_fixed_date(mut self, unix: i64) -> Self {
        self.base = unix;
        self.frozen_date = true;
        self
    }

    /// Moves a manual clock on; wakes whoever waits for the time in between. Nothing on others.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(sender) = &self.source {
            sender.send_modify(|now| *now += by);
        }
    }

    /// Since the clock's zero.
    #[must_use]
    pub fn now(&self) -> Duration {
        match &self.source {
            Source::Real { start, speed } => start.elapsed() * *speed,
            Source::Manual(sender) => *sender.borrow(),
        }
    }

    /// Unix seconds, as messages show them.
    #[must_use]
    pub fn unix(&self) -> i64 {
        if self.frozen_date {
            return self.base;
        }
        self.base
            .saturating_add(i64::try_from(self.now().as_secs()).unwrap_or(i64::MAX))
    }

    /// Waits until the clock shows `at`. May be dropped at any point.
    pub async fn sleep_until(&self, at: Duration) {
        match &self.source {
            Source::Real { start, speed } => {
                tokio::time::sleep_until((*start + at / *speed).into()).await
            }
            Source::Manual(sender) => {
                // The sender is alive as long as self is, so this ends only when the time has come.
                sender.subscribe().wait_for(|now| *now >= at).await.ok();
            }
        }
    }

    /// Waits for a while of the clock's time.
    pub async fn sleep(&self, long: Duration) {
        self.sleep_until(self.now() + long).await;
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::real()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_manual_clock_moves_only_when_told() {
        let clock = Clock::manual();
        assert_eq!((clock.now(), clock.unix()), (Duration::ZERO, 1_767_225_600));
        let waiting = clock.sleep_until(Duration::from_secs(50));
        tokio::pin!(waiting);
        assert!(futures_poll(waiting.as_mut()).await.is_none());
        clock.advance(Duration::from_secs(49));
        assert!(futures_poll(waiting.as_mut()).await.is_none());
        clock.advance(Duration::from_secs(1));
        assert!(futures_poll(waiting.as_mut()).await.is_some());
        assert_eq!(clock.unix(), 1_767_225_650);
    }

    #[tokio::test]
    async fn a_scaled_clock_is_faster_and_a_fixed_date_stands() {
        let clock = Clock::scaled(1_000).with_fixed_date(7);
        clock.sleep(Duration::from_secs(5)).await;
        assert!(clock.now() >= Duration::from_secs(5));
        assert_eq!(clock.unix(), 7);
    }

    /// Polls once; `None` if it would wait.
    async fn futures_poll<F: Future + Unpin>(mut future: F) -> Option<F::Output> {
        std::future::poll_fn(|context| {
            std::task::Poll::Ready(match std::pin::Pin::new(&mut future).poll(context) {
                std::task::Poll::Ready(output) => Some(output),
                std::task::Poll::Pending => None,
            })
        })
        .await
    }
}
