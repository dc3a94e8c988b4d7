//! Keeps one loop of a service going on a thread of its own.
//!
//! In: what makes the loop's future. Out: a [`Kept`] to end it by, and a condition of readiness. Invariant: a loop that
//! fails where another try may help, or panics, begins again after a pause (100 ms doubling to 30 s; a loop that lived a
//! minute pauses shortly again); one that no try helps is not tried again: readiness tells why, and whoever waits for
//! [`Kept::given_up`] is told. A loop that panics over and over is tried for ever, and is not ready while it waits.

use std::fmt::Display;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use gramtap_actors::{Drain, DrainToken, TaskError, Thread, spawn_local, spawn_thread};
use gramtap_telemetry::Condition;
use tokio::sync::Notify;
use tokio::task::LocalSet;
use tokio::time::Instant;

const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A loop that lived so long did well.
const LONG: Duration = Duration::from_secs(60);

/// Why a loop ended.
pub trait Failure: Display + 'static {
    /// A fixed word.
    fn label(&self) -> &'static str;
    /// Whether another try may help.
    fn retry(&self) -> bool;
}

/// A loop that is kept going.
pub struct Kept {
    stop: Drain,
    thread: Thread<()>,
    given_up: Arc<Notify>,
}

/// Starts a loop. `make` is called anew for each try, with what tells it to end. What the loop spawns on its thread is dropped with the thread.
///
/// # Errors
/// The system gives no thread.
pub fn keep<M, F, E>(name: &'static str, condition: Condition, make: M) -> io::Result<Kept>
where
    M: Fn(DrainToken) -> F + Send + 'static,
    F: Future<Output = Result<(), E>> + 'static,
    E: Failure,
{
    let stop = Drain::new();
    let given_up = Arc::new(Notify::new());
    let (token, tell) = (stop.token(), Arc::clone(&given_up));
    // Made here, so that a system without room for it refuses the start.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    condition.set(true, "");
    let thread = spawn_thread(name, move || {
        let life = live(name, &condition, &make, &token);
        if !LocalSet::new().block_on(&runtime, life) {
            tell.notify_one();
        }
    })?;
    Ok(Kept {
        stop,
        thread,
        given_up,
    })
}

/// Whether it ended because it was told to.
async fn live<M, F, E>(
    name: &'static str,
    condition: &Condition,
    make: &M,
    stop: &DrainToken,
) -> bool
where
    M: Fn(DrainToken) -> F,
    F: Future<Output = Result<(), E>> + 'static,
    E: Failure,
{
    let mut pause = PAUSE;
    loop {
        let began = Instant::now();
        let ended = spawn_local(name, make(stop.clone())).await;
        match ended {
            Ok(_) if stop.is_draining() => return true,
            Ok(Ok(())) => tracing::warn!(task = name, "ended by itself, begins again"),
            Ok(Err(error)) if error.retry() => {
                tracing::warn!(task = name, label = error.label(), %error, "begins again");
            }
            Ok(Err(error)) => {
                let label = error.label();
                tracing::error!(task = name, label, %error, "given up: no further try can help");
                condition.set(false, format!("{name} was given up: {error}"));
                return false;
            }
            Err(TaskError::Panicked) => {
                condition.set(false, format!("{name} panicked and begins again"));
                tracing::error!(task = name, "panicked, begins again");
            }
            Err(error) => tracing::error!(task = name, %error, "begins again"),
        }
        if began.elapsed() >= LONG {
            pause = PAUSE;
        }
        tokio::select! {
            () = stop.draining() => return true,
            () = tokio::time::sleep(pause) => {}
        }
        condition.set(true, "");
        pause = LONGEST_PAUSE.min(2 * pause);
    }
}

impl Kept {
    /// Waits until no further try is made. For ever, if that does not happen.
    pub fn given_up(&self) -> impl Future<Output = ()> + Send + use<> {
        let given_up = Arc::clone(&self.given_up);
        async move { given_up.notified().await }
    }

    /// Tells it to end and waits so long.
    pub async fn end(self, within: Duration) {
        self.stop.begin();
        if let Err(error) = self.thread.join_within(within).await {
            tracing::error!(reason = error.label(), "a loop did not end in order");
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use std::sync::atomic::{AtomicUsize, Ordering};

    use gramtap_telemetry::Probes;

    use super::*;

    #[derive(Debug)]
    struct Ill(bool);

    impl Display for Ill {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("it is ill")
        }
    }

    impl Failure for Ill {
        fn label(&self) -> &'static str {
            "ill"
        }

        fn retry(&self) -> bool {
            self.0
        }
    }

    const SOON: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn failures_and_panics_begin_again_and_the_end_is_awaited() {
        let probes = Probes::new();
        let tries = Arc::new(AtomicUsize::new(0));
        let (seen, lives) = (Arc::clone(&tries), Arc::new(Notify::new()));
        let told = Arc::clone(&lives);
        let kept = keep("loop", probes.condition("loop"), move |stop| {
            let (number, lives) = (seen.fetch_add(1, Ordering::Relaxed), Arc::clone(&told));
            async move {
                match number {
                    0 => Err(Ill(true)),
                    1 => panic!("it stumbled"),
                    2 => Ok(()),
                    _ => {
                        lives.notify_one();
                        stop.draining().await;
                        Ok(())
                    }
                }
            }
        })
        .unwrap();
        tokio::time::timeout(SOON, lives.notified()).await.unwrap();
        assert_eq!(tries.load(Ordering::Relaxed), 4);
        assert!(probes.ready().ok);
        tokio::time::timeout(SOON, kept.end(SOON)).await.unwrap();
    }

    #[tokio::test]
    async fn what_no_try_helps_is_told_and_not_tried_again() {
        let probes = Probes::new();
        let tries = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&tries);
        let kept = keep("loop", probes.condition("loop"), move |_| {
            seen.fetch_add(1, Ordering::Relaxed);
            async { Err(Ill(false)) }
        })
        .unwrap();
        tokio::time::timeout(SOON, kept.given_up()).await.unwrap();
        assert_eq!(tries.load(Ordering::Relaxed), 1);
        let ready = probes.ready();
        assert!(
            !ready.ok && ready.reasons[0].contains("it is ill"),
            "{ready:?}"
        );
        kept.end(SOON).await;
    }
}
