//! Counted threads, for what blocks: Kafka's polling, SQLite's writer, password hashing. Input: a
//! function and its name. Output: the system, the observer, and a [`Thread`] to join. Invariant: as
//! `spawn.rs`, a panic is caught, counted and logged. A thread cannot be ended from outside, so
//! waiting for one has a bound, and one that is late is left behind.

use std::{io, panic::AssertUnwindSafe, time::Duration};

use tokio::sync::oneshot;

use crate::spawn::{Running, TaskError};

/// A counted thread. Dropping it lets the thread run on.
#[derive(Debug)]
#[must_use = "drop it to let the thread run on by itself"]
pub struct Thread<T> {
    handle: std::thread::JoinHandle<()>,
    /// `None` if it panicked.
    value: oneshot::Receiver<Option<T>>,
}

/// Runs a function on a thread of its own. The system shows the first 15 bytes of its name.
///
/// # Errors
/// The system gives no thread.
pub fn spawn_thread<T, F>(name: &'static str, function: F) -> io::Result<Thread<T>>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    let (sender, value) = oneshot::channel();
    let body = move || {
        let mut running = Running::start(name);
        let result = std::panic::catch_unwind(AssertUnwindSafe(function));
        running.ended(result.is_ok());
        drop(running);
        // Nobody need be waiting.
        sender.send(result.ok()).ok();
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the counted thread that replaces it"
    )]
    let handle = std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(body)?;
    Ok(Thread { handle, value })
}

impl<T> Thread<T> {
    /// Whether the thread is over.
    pub fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }

    /// Waits for the thread's value, `bound` at most. A thread that is late runs on by itself.
    ///
    /// # Errors
    /// [`TaskError::Panicked`], [`TaskError::Late`].
    pub async fn join_within(self, bound: Duration) -> Result<T, TaskError> {
        match tokio::time::timeout(bound, self.value).await {
            Ok(Ok(Some(value))) => Ok(value),
            Ok(Ok(None) | Err(_)) => Err(TaskError::Panicked),
            Err(_) => Err(TaskError::Late),
        }
    }

    /// Blocks the current thread until this one is over.
    ///
    /// # Errors
    /// [`TaskError::Panicked`].
    pub fn join(mut self) -> Result<T, TaskError> {
        self.handle.join().map_err(|_| TaskError::Panicked)?;
        self.value
            .try_recv()
            .ok()
            .flatten()
            .ok_or(TaskError::Panicked)
    }
}
