//! Counted tasks. Input: futures and their names. Output: the runtime, the observer, and a [`Task`]
//! to await or abort. Invariant: every task is counted from its spawn to its end, and a panic in it
//! is caught, counted and logged; it ends that task and nothing else. The panic's message is the
//! panic hook's business, which redacts it.

use std::{
    future::Future,
    panic::AssertUnwindSafe,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::FutureExt;
use tokio::task::JoinHandle;

use crate::observe::{TaskEnd, tell};

/// A counted task. Dropping it lets the task run on; awaiting it gives the task's value.
#[derive(Debug)]
#[must_use = "drop it to let the task run on by itself"]
pub struct Task<T>(JoinHandle<Option<T>>);

/// Why a task or thread has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    /// It panicked.
    #[error("the task panicked")]
    Panicked,
    /// It was aborted, or its runtime ended.
    #[error("the task was dropped before its end")]
    Dropped,
    /// It still runs.
    #[error("the task did not end in time")]
    Late,
}

impl TaskError {
    /// A fixed word for metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Panicked => "panicked",
            Self::Dropped => "dropped",
            Self::Late => "late",
        }
    }
}

/// Runs a future on the current runtime, on any of its threads.
///
/// # Panics
/// Outside a runtime.
pub fn spawn<F>(name: &'static str, future: F) -> Task<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the counted spawn that replaces it"
    )]
    Task(tokio::task::spawn(counted(Running::start(name), future)))
}

/// Runs a future on the current thread.
///
/// # Panics
/// Outside an arbiter or `LocalSet`.
pub fn spawn_local<F>(name: &'static str, future: F) -> Task<F::Output>
where
    F: Future + 'static,
{
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the counted spawn that replaces it"
    )]
    Task(tokio::task::spawn_local(counted(
        Running::start(name),
        future,
    )))
}

impl<T> Task<T> {
    /// Drops the task's future as soon as it yields.
    pub fn abort(&self) {
        self.0.abort();
    }

    /// Whether the task is over.
    pub fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, TaskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(match ready!(Pin::new(&mut self.0).poll(cx)) {
            Ok(Some(value)) => Ok(value),
            Ok(None) => Err(TaskError::Panicked),
            Err(error) if error.is_panic() => Err(TaskError::Panicked),
            Err(_) => Err(TaskError::Dropped),
        })
    }
}

async fn counted<F: Future>(mut running: Running, future: F) -> Option<F::Output> {
    let result = AssertUnwindSafe(future).catch_unwind().await;
    running.ended(result.is_ok());
    result.ok()
}

/// Counts a task or thread until it is dropped.
pub(crate) struct Running {
    name: &'static str,
    end: TaskEnd,
}

impl Running {
    pub(crate) fn start(name: &'static str) -> Self {
        tell(|observer| observer.task_started(name));
        Self {
            name,
            end: TaskEnd::Dropped,
        }
    }

    pub(crate) fn ended(&mut self, well: bool) {
        self.end = if well {
            TaskEnd::Finished
        } else {
            TaskEnd::Panicked
        };
        if !well {
            tracing::error!(task = self.name, "task panicked");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        tell(|observer| observer.task_ended(self.name, self.end));
    }
}
