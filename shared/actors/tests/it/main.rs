//! What the crate promises, through its public door. Time is virtual wherever an actor lives on the
//! test's own thread, so waits of half a minute take none; only what blocks a thread runs in real
//! time, with deadlines that are reached by a failure alone. `recorder.rs` is the one observer of
//! the process: each test gives its actors names of their own and reads what was told of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod actor;
mod drain;
mod keeper;
mod mailbox;
#[cfg(feature = "inject-panics")]
mod poison;
mod recorder;
mod restarts;
mod spawn;
mod threads;

use std::{future::Future, time::Duration};

/// More than any test should need in real time.
const LONG: Duration = Duration::from_secs(30);

/// Runs a test's body where actors of this thread can live, in virtual time.
async fn locally<T>(body: impl Future<Output = T>) -> T {
    tokio::task::LocalSet::new().run_until(body).await
}
