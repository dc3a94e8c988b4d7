//! The two ways into a kept actor, never mixed: [`Lossy`] may drop and counts, [`Durable`] waits
//! and tells its caller. Input: messages of any task or thread. Output: the actor's handler, by way
//! of `mailbox/lane.rs`, which holds the bound. Invariant: no message disappears: each is refused
//! to its sender, taken by the handler, or counted as dropped with a reason. A mailbox is not
//! storage: what waits in it dies with its actor.

mod lane;
mod queued;

use std::{fmt, pin::pin, sync::Arc, time::Duration};

use actix::Message;
use tokio::sync::OwnedSemaphorePermit;

use crate::observe::{DropReason, tell};
pub(crate) use lane::{Connect, Lane, Line, Stats};
pub use lane::{Mailbox, mailboxes};
pub use queued::Queued;
use queued::Receipt;

/// A lane whose messages may be dropped. Clones share its bound.
pub struct Lossy<M: Message + Send + 'static>(pub(crate) Arc<Lane<M>>)
where
    M::Result: Send;

/// A lane whose messages must arrive, or else their sender is told. Clones share its bound.
pub struct Durable<M: Message + Send + 'static>(pub(crate) Arc<Lane<M>>)
where
    M::Result: Send;

/// Why a lossy lane did not take a message. It has been counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The lane's bound is reached.
    #[error("the mailbox is full")]
    Full,
    /// There is no actor now.
    #[error("the actor is not there")]
    Closed,
}

impl Refused {
    /// A fixed word for metrics.
    pub fn label(self) -> &'static str {
        self.reason().label()
    }

    fn reason(self) -> DropReason {
        match self {
            Self::Full => DropReason::Full,
            Self::Closed => DropReason::Closed,
        }
    }
}

/// Why a durable lane has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undelivered {
    /// There was no room until the deadline. Not handled.
    #[error("the mailbox stayed full")]
    Full,
    /// There is no actor now. Not handled.
    #[error("the actor is not there")]
    Closed,
    /// The actor died before it came to the message. Not handled.
    #[error("the actor died before it took the message")]
    Lost,
    /// The actor died with the message in its hands. Perhaps handled, wholly or in part.
    #[error("the actor died before it answered")]
    Unanswered,
    /// The deadline passed without an answer. Perhaps handled, or yet to be.
    #[error("the actor did not answer in time")]
    Late,
}

impl Undelivered {
    /// A fixed word for metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Closed => "closed",
            Self::Lost => "lost",
            Self::Unanswered => "unanswered",
            Self::Late => "late",
        }
    }

    /// Whether the actor has certainly not seen the message, so that it may be sent again.
    pub fn is_untouched(self) -> bool {
        matches!(self, Self::Full | Self::Closed | Self::Lost)
    }
}

impl<M: Message + Send + 'static> Lossy<M>
where
    M::Result: Send,
{
    /// Hands a message over, or drops it and counts it. Never waits.
    ///
    /// # Errors
    /// Why it was dropped.
    pub fn offer(&self, message: M) -> Result<(), Refused> {
        let refused = match self.0.admit_now() {
            Ok((line, permit)) => {
                let queued = Queued::new(message, Arc::clone(&self.0.stats), permit, None);
                // The one other error, that of a full mailbox, is the lane's own business.
                match line.recipient.try_send(queued) {
                    Ok(()) => return Ok(()),
                    Err(error) => {
                        error.into_inner().forget();
                        Refused::Closed
                    }
                }
            }
            Err(refused) => refused,
        };
        tell(|observer| observer.message_dropped(self.0.stats.actor, refused.reason()));
        Err(refused)
    }
}

impl<M: Message + Send + 'static> Durable<M>
where
    M::Result: Send,
{
    /// Hands a message over, waiting for room, and waits for the handler's answer; `within` bounds
    /// both together. If the caller stops waiting before the actor comes to the message, the
    /// message is not handled.
    ///
    /// # Errors
    /// Why there is no answer, and with it whether the message may have been handled.
    pub async fn deliver(&self, message: M, within: Duration) -> Result<M::Result, Undelivered> {
        let deadline = tokio::time::Instant::now() + within;
        let (line, permit) = match tokio::time::timeout_at(deadline, self.0.admit()).await {
            Ok(Some(admitted)) => admitted,
            Ok(None) => return Err(self.refuse(Undelivered::Closed, DropReason::Closed)),
            Err(_) => return Err(self.refuse(Undelivered::Full, DropReason::Full)),
        };
        let receipt = Receipt::default();
        let queued = Queued::new(
            message,
            Arc::clone(&self.0.stats),
            permit,
            Some(receipt.clone()),
        );
        let answer = pin!(tokio::time::timeout_at(
            deadline,
            line.recipient.send(queued)
        ));
        // Declared last and so dropped first: the message is marked before the actor can see that
        // nobody waits for its answer.
        let _withdraw = receipt.withdraw_on_drop();
        match answer.await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) if receipt.is_taken() => Err(Undelivered::Unanswered),
            Ok(Err(_)) => Err(Undelivered::Lost),
            Err(_) => Err(Undelivered::Late),
        }
    }

    fn refuse(&self, undelivered: Undelivered, reason: DropReason) -> Undelivered {
        tell(|observer| observer.message_dropped(self.0.stats.actor, reason));
        undelivered
    }
}

/// A line and the right to put one message on it.
pub(crate) type Admitted<M> = (Arc<Line<M>>, OwnedSemaphorePermit);

impl<M: Message + Send + 'static> Clone for Lossy<M>
where
    M::Result: Send,
{
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M: Message + Send + 'static> Clone for Durable<M>
where
    M::Result: Send,
{
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M: Message + Send + 'static> fmt::Debug for Lossy<M>
where
    M::Result: Send,
{
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Lossy({})", self.0.stats.actor)
    }
}

impl<M: Message + Send + 'static> fmt::Debug for Durable<M>
where
    M::Result: Send,
{
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Durable({})", self.0.stats.actor)
    }
}
