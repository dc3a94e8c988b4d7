//! What the bus's thread has told and the batcher has not read yet.
//!
//! In: reports of one producer, from its own thread. Out: the batcher, or the one that came after
//! it (`estate.rs`). Invariant: each report is read once; pushing never waits for who reads.
//! Bounded by what that producer holds in flight.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::backlog::Report;

/// The reports of one producer. Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Reports(Arc<Told>);

/// Positions and what became of them; a report wakes who waits for one.
type Told = (Mutex<Vec<(u64, Report)>>, Condvar);

impl Reports {
    pub(super) fn push(&self, position: u64, report: Report) {
        let (list, told) = &*self.0;
        list.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((position, report));
        told.notify_one();
    }

    pub(super) fn take(&self) -> Vec<(u64, Report)> {
        std::mem::take(&mut *self.0.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits for a report, no longer than `within`.
    pub(super) fn wait(&self, within: Duration) {
        let (list, told) = &*self.0;
        let list = list.lock().unwrap_or_else(PoisonError::into_inner);
        if list.is_empty() {
            drop(told.wait_timeout(list, within));
        }
    }
}
