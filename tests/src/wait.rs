//! Waiting for what tells nobody that it has come.
//!
//! In: a question. Out: its answer, as soon as there is one. Invariant: nothing depends on how long it takes; after a deadline the test fails and says
//! what never came.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::DEADLINE;

/// Waits for `what`, which is named if it does not come.
///
/// # Panics
/// If it does not come within [`DEADLINE`].
pub async fn within<T>(what: &str, wait: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(DEADLINE, wait).await;
    waited.unwrap_or_else(|_| panic!("{what}: nothing came within {DEADLINE:?}"))
}

/// Asks again and again until there is an answer; `what` is named if there is none.
///
/// # Panics
/// If there is none within [`DEADLINE`].
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let until = Instant::now() + DEADLINE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < until, "{what}: never");
        // paced: what is asked tells nobody that it has changed
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Seconds since 1970.
#[must_use]
pub fn seconds() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap()
}
