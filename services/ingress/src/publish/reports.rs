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

/// A report wakes who waits for one.
type Told = (Mutex<List>, Condvar);

#[derive(Default)]
struct List {
    /// Positions and what became of them.
    reports: Vec<(u64, Report)>,
    /// Somebody waits. To wake takes a system call, also where nobody does.
    awaited: bool,
}

impl Reports {
    pub(super) fn push(&self, position: u64, report: Report) {
        let (list, told) = &*self.0;
        let mut list = list.lock().unwrap_or_else(PoisonError::into_inner);
        list.reports.push((position, report));
        if list.awaited {
            told.notify_one();
        }
    }

    pub(super) fn take(&self) -> Vec<(u64, Report)> {
        let mut list = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut list.reports)
    }

    /// Waits for a report, no longer than `within`.
    pub(super) fn wait(&self, within: Duration) {
        let (list, told) = &*self.0;
        let mut list = list.lock().unwrap_or_else(PoisonError::into_inner);
        if list.reports.is_empty() {
            list.awaited = true;
            let waited = told.wait_timeout(list, within);
            waited.unwrap_or_else(PoisonError::into_inner).0.awaited = false;
        }
    }
}
