//! What all copies of one worker may hold together.
//!
//! In: `capture.worker_budget`; claims of the taps (`request.rs`, `answer.rs`). Out: yes or no.
//! Invariant: what is used is the sum of the living claims; a claim gives back on drop, so the
//! budget returns to zero whatever becomes of a call. Spent: copies are cut and counted, no call waits.

use std::cell::Cell;
use std::rc::Rc;

/// The budget of one worker. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Budget(Rc<Pot>);

#[derive(Debug)]
struct Pot {
    limit: usize,
    used: Cell<usize>,
}

impl Budget {
    /// A budget of `limit` bytes, nothing of it used.
    #[must_use]
    pub(crate) fn new(limit: usize) -> Self {
        let used = Cell::new(0);
        Self(Rc::new(Pot { limit, used }))
    }

    /// Bytes that living copies hold.
    #[cfg(test)]
    pub(super) fn used(&self) -> usize {
        self.0.used.get()
    }

    /// A claim on this budget, of nothing yet.
    #[must_use]
    pub(super) fn claim(&self) -> Claim {
        Claim {
            budget: self.clone(),
            bytes: 0,
        }
    }
}

/// A part of a budget, held by a copy and given back on drop.
#[derive(Debug)]
pub(super) struct Claim {
    budget: Budget,
    bytes: usize,
}

impl Claim {
    /// Takes `bytes` more, or nothing when the budget has not that much left.
    #[must_use]
    pub(super) fn grow(&mut self, bytes: usize) -> bool {
        let pot = &self.budget.0;
        match pot.used.get().checked_add(bytes) {
            Some(used) if used <= pot.limit => {
                pot.used.set(used);
                self.bytes += bytes;
                true
            }
            _ => false,
        }
    }

    /// Gives `bytes` back, at most what is held.
    pub(super) fn shrink(&mut self, bytes: usize) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        let used = &self.budget.0.used;
        used.set(used.get().saturating_sub(bytes));
    }

    /// Gives back all but `bytes`.
    pub(super) fn shrink_to(&mut self, bytes: usize) {
        self.shrink(self.bytes.saturating_sub(bytes));
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.shrink(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_share_the_limit_and_give_back_on_drop() {
        let budget = Budget::new(100);
        let mut first = budget.claim();
        let mut second = budget.claim();
        assert!(first.grow(60));
        assert!(!second.grow(41));
        assert!(second.grow(40));
        assert_eq!(budget.used(), 100);
        assert!(!first.grow(usize::MAX));
        first.shrink(1000);
        assert_eq!(budget.used(), 40);
        assert!(first.grow(10));
        first.shrink_to(3);
        assert_eq!(budget.used(), 43);
        drop(first);
        drop(second);
        assert_eq!(budget.used(), 0);
    }
}
