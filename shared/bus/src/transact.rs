//! Transactions: records and a group's offsets, all or nothing.
//!
//! In: a service's batch and its consumer's membership. Out: `kafka/transactor.rs` or
//! `embedded/transactor.rs`. Invariant: a reader of committed records sees all records of a
//! transaction or none, and the offsets are committed exactly when the records are; of two
//! transactors with one id the older is fenced. Dropped without commit: aborted. Blocking calls
//! run on a thread of the transactor's own.

use crate::consume::{Commit, Membership};
use crate::error::TransactionError;
use crate::message::Message;
use crate::{embedded, kafka};

/// Makes transactions, one at a time. Made by [`crate::Bus::transactor`], which fences every
/// older one of the same id.
pub struct Transactor {
    pub(crate) engine: Engine,
}

/// The transactor of either engine.
pub(crate) enum Engine {
    Kafka(kafka::transactor::Handle),
    Embedded(embedded::transactor::Handle),
}

impl Transactor {
    /// Begins a transaction. It has to be committed within 10 s.
    pub async fn begin(&mut self) -> Result<Transaction<'_>, TransactionError> {
        match &mut self.engine {
            Engine::Kafka(handle) => handle.begin().await?,
            Engine::Embedded(handle) => handle.begin(),
        }
        Ok(Transaction {
            transactor: self,
            open: true,
        })
    }
}

/// An open transaction. After an error other than those of `commit` it can only be dropped.
pub struct Transaction<'a> {
    transactor: &'a mut Transactor,
    open: bool,
}

impl Transaction<'_> {
    /// Adds a record. Waits for room, not for the broker.
    pub async fn produce(&mut self, message: Message) -> Result<(), TransactionError> {
        match &mut self.transactor.engine {
            Engine::Kafka(handle) => handle.produce(message).await,
            Engine::Embedded(handle) => handle.produce(message),
        }
    }

    /// Adds offsets, to be committed for the consumer's group. Refused as aborted when the
    /// consumer has lost one of the partitions.
    pub async fn send_offsets(
        &mut self,
        member: &Membership,
        offsets: Vec<Commit>,
    ) -> Result<(), TransactionError> {
        let lost = offsets.iter().find(|it| !member.inbox.owns(it.partition));
        if let Some(lost) = lost {
            return Err(TransactionError::Aborted(format!(
                "{} is not assigned to this consumer",
                lost.partition
            )));
        }
        match &mut self.transactor.engine {
            Engine::Kafka(handle) => handle.send_offsets(member, offsets).await,
            Engine::Embedded(handle) => handle.send_offsets(member, offsets),
        }
    }

    /// Makes all of it visible, or none.
    pub async fn commit(mut self) -> Result<(), TransactionError> {
        self.open = false;
        match &mut self.transactor.engine {
            Engine::Kafka(handle) => handle.commit().await,
            Engine::Embedded(handle) => handle.commit().await,
        }
    }

    /// Makes nothing of it visible.
    pub async fn abort(mut self) -> Result<(), TransactionError> {
        self.open = false;
        match &mut self.transactor.engine {
            Engine::Kafka(handle) => handle.abort().await,
            Engine::Embedded(handle) => {
                handle.discard();
                Ok(())
            }
        }
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if self.open {
            match &mut self.transactor.engine {
                Engine::Kafka(handle) => handle.discard(),
                Engine::Embedded(handle) => handle.discard(),
            }
        }
    }
}
