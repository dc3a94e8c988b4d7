//! How long a silence may last.
//!
//! In: the signs of life that `exchange` sees, and that it waits. Out: that the time is over.
//! Invariant: the time runs only while someone waits: a caller that takes long over what it was
//! given does not use up the upstream's time. One timer a connection, which goes with it from call to call and is
//! moved only when it rings, or would ring too late.

use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

/// So that no sum of times overflows.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// The timer of a connection, once there is one.
pub(crate) type Timer = Option<Pin<Box<Sleep>>>;

pub(crate) struct Patience {
    idle: Duration,
    /// Since when there is silence.
    since: Option<Instant>,
    timer: Timer,
}

impl Patience {
    /// With the timer of the connection's last call.
    pub(crate) fn new(idle: Duration, timer: Timer) -> Self {
        Self {
            idle: idle.min(LONGEST),
            since: None,
            timer,
        }
    }

    /// The timer, for the connection's next call. It lets go of the task that it would have woken.
    pub(crate) fn into_timer(mut self) -> Timer {
        if let Some(timer) = &mut self.timer {
            let nobody = &mut Context::from_waker(Waker::noop());
            match timer.as_mut().poll(nobody) {
                // Ringing or not: whoever is next looks.
                Poll::Ready(()) | Poll::Pending => {}
            }
        }
        self.timer
    }

    /// There was a sign of life.
    pub(crate) fn renew(&mut self) {
        self.since = None;
    }

    /// Ready when the silence has lasted too long.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let now = Instant::now();
        let deadline = *self.since.get_or_insert(now) + self.idle;
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timer.deadline() > deadline {
            timer.as_mut().reset(deadline);
        }
        while timer.as_mut().poll(cx).is_ready() {
            if now >= deadline {
                return Poll::Ready(());
            }
            timer.as_mut().reset(deadline);
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::future::poll_fn;

    use tokio::time::advance;

    use super::*;

    const IDLE: Duration = Duration::from_secs(100);

    async fn is_over(patience: &mut Patience) -> bool {
        poll_fn(|cx| Poll::Ready(patience.poll(cx).is_ready())).await
    }

    fn paused(test: impl Future) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap()
            .block_on(test);
    }

    #[test]
    fn each_sign_of_life_starts_the_time_again() {
        paused(async {
            let mut patience = Patience::new(IDLE, None);
            assert!(!is_over(&mut patience).await);
            for _ in 0..3 {
                advance(IDLE - Duration::from_secs(1)).await;
                patience.renew();
                assert!(!is_over(&mut patience).await);
            }
            advance(IDLE - Duration::from_secs(1)).await;
            assert!(!is_over(&mut patience).await);
            advance(Duration::from_secs(1)).await;
            assert!(is_over(&mut patience).await);
        });
    }

    #[test]
    fn the_time_does_not_run_while_nobody_waits() {
        paused(async {
            let mut patience = Patience::new(IDLE, None);
            assert!(!is_over(&mut patience).await);
            patience.renew();
            // The caller is busy with what it got.
            advance(IDLE * 5).await;
            assert!(!is_over(&mut patience).await);
        });
    }

    #[test]
    fn the_timer_of_a_longer_time_serves_a_shorter_one() {
        paused(async {
            let mut long = Patience::new(IDLE * 5, None);
            assert!(!is_over(&mut long).await);
            let mut short = Patience::new(IDLE, long.into_timer());
            let before = Instant::now();
            poll_fn(|cx| short.poll(cx)).await;
            assert_eq!(before.elapsed(), IDLE);
            let mut again = Patience::new(IDLE, short.into_timer());
            assert!(!is_over(&mut again).await);
            poll_fn(|cx| again.poll(cx)).await;
            assert_eq!(before.elapsed(), IDLE * 2);
        });
    }

    #[test]
    fn the_end_of_the_time_wakes() {
        paused(async {
            let mut patience = Patience::new(IDLE, None);
            let before = Instant::now();
            poll_fn(|cx| patience.poll(cx)).await;
            assert_eq!(before.elapsed().as_secs(), IDLE.as_secs());
            // A time without end is not an overflow.
            assert!(!is_over(&mut Patience::new(Duration::MAX, None)).await);
        });
    }
}
