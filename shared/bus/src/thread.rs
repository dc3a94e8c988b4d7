//! Threads of the bus: everything that may block runs on one of these.
//!
//! In: names and functions. Out: counted threads of `shared/actors`. Invariant: no thread is
//! waited for without a bound, and none is ended from outside.

use gramtap_actors::spawn_thread;
use tokio::sync::oneshot;

use crate::error::BusError;

/// Runs a function on a thread of its own. The system shows the first 15 bytes of its name.
pub(crate) fn spawn<F>(name: &'static str, function: F) -> Result<(), BusError>
where
    F: FnOnce() + Send + 'static,
{
    let thread = spawn_thread(name, function);
    thread.map(drop).map_err(|_| BusError::Thread(name))
}

/// Runs a function on a thread of its own and waits for what it returns, without blocking.
pub(crate) async fn ask<T, F>(name: &'static str, function: F) -> Result<T, BusError>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    let (answer, asked) = oneshot::channel();
    // Nobody need be waiting any more when the answer comes.
    spawn(name, move || drop(answer.send(function())))?;
    asked.await.map_err(|_| BusError::Thread(name))
}
