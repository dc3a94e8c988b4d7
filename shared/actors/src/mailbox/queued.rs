//! A message on its way, as the actor's handler gets it. Input: `mailbox.rs`. Output: the handler,
//! which takes the message out. Invariant: one that is dropped without having been taken, with its
//! actor or because its sender left, is counted; its place in the lane is free again either way.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

use actix::Message;
use tokio::sync::OwnedSemaphorePermit;

use super::Stats;
use crate::observe::{DropReason, tell};

/// A message in a mailbox. `impl Handler<Queued<M>>` for the actor and begin with
/// [`take`](Queued::take).
pub struct Queued<M> {
    message: M,
    ticket: Ticket,
}

struct Ticket {
    stats: Arc<Stats>,
    receipt: Option<Receipt>,
    /// Cleared once the message has met its fate.
    open: bool,
    _permit: OwnedSemaphorePermit,
}

impl<M> Queued<M> {
    pub(super) fn new(
        message: M,
        stats: Arc<Stats>,
        permit: OwnedSemaphorePermit,
        receipt: Option<Receipt>,
    ) -> Self {
        Self {
            message,
            ticket: Ticket {
                stats,
                receipt,
                open: true,
                _permit: permit,
            },
        }
    }

    /// The message, which is the handler's from here on. Its place in the lane is free again.
    pub fn take(mut self) -> M {
        self.ticket.open = false;
        self.ticket.stats.count_taken();
        if let Some(receipt) = &self.ticket.receipt {
            receipt.0.store(TAKEN, Ordering::Release);
        }
        self.message
    }

    /// Drops the message without counting it: whoever calls this does so himself.
    pub(super) fn forget(mut self) {
        self.ticket.open = false;
    }
}

impl<M: Message> Message for Queued<M> {
    type Result = M::Result;
}

impl<M> fmt::Debug for Queued<M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Queued({})", self.ticket.stats.actor)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.open {
            let withdrawn = self.receipt.as_ref().is_some_and(Receipt::is_withdrawn);
            let reason = if withdrawn {
                DropReason::Late
            } else {
                DropReason::Lost
            };
            tell(|observer| observer.message_dropped(self.stats.actor, reason));
        }
    }
}

const WAITING: u8 = 0;
const TAKEN: u8 = 1;
const WITHDRAWN: u8 = 2;

/// What sender and handler know of one durable message.
#[derive(Clone, Debug, Default)]
pub(super) struct Receipt(Arc<AtomicU8>);

impl Receipt {
    pub(super) fn is_taken(&self) -> bool {
        self.0.load(Ordering::Acquire) == TAKEN
    }

    fn is_withdrawn(&self) -> bool {
        self.0.load(Ordering::Acquire) == WITHDRAWN
    }

    pub(super) fn withdraw_on_drop(&self) -> Withdraw {
        Withdraw(self.clone())
    }
}

/// Marks the message withdrawn, unless it was taken.
pub(super) struct Withdraw(Receipt);

impl Drop for Withdraw {
    fn drop(&mut self) {
        // Taken already: nothing to withdraw.
        self.0
            .0
            .compare_exchange(WAITING, WITHDRAWN, Ordering::AcqRel, Ordering::Acquire)
            .ok();
    }
}
