//! One transaction: events, errors, changed memories, offsets.
//!
//! In: a batch of `consume/poller.rs`. Out: the bus. Invariant: readers of committed records see the events
//! exactly when the offsets behind their records are committed. A failed transaction is dropped, which
//! aborts it; whoever called forgets the batch.

use gramtap_bus::{Membership, Message, Transactor};
use gramtap_events::seen::Seen;

use crate::consume::DecodeError;
use crate::consume::batch::Batch;

/// Commits a batch.
pub(crate) async fn publish(
    transactor: &mut Transactor,
    member: &Membership,
    batch: &Batch,
    changed: impl Iterator<Item = Seen>,
) -> Result<(), DecodeError> {
    let mut transaction = transactor.begin().await?;
    for yielded in batch.yields() {
        for event in &yielded.events {
            transaction.produce(Message::of(event)?).await?;
        }
        for failure in &yielded.errors {
            transaction.produce(Message::of(failure)?).await?;
        }
    }
    for seen in changed {
        transaction.produce(Message::of(&seen)?).await?;
    }
    transaction.send_offsets(member, batch.offsets()).await?;
    Ok(transaction.commit().await?)
}
