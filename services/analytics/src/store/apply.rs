//! One batch, one transaction.
//!
//! In: folded records of some partitions, from `follow.rs`. Out: the tables. Invariant: offsets and sums are written
//! together; what belongs to a partition that another process has taken is left out, and the rest is kept. Two
//! transactions lock rows in the same order, because all maps are sorted; a deadlock that another order makes is
//! answered by the database and tried again by the caller.

use std::collections::BTreeMap;

use gramtap_bus::TopicPartition;
use gramtap_database::{Statement, Transaction};

use super::{Store, StoreError, admit, deliveries, latency, offsets, people, write};
use crate::fold::{Folded, Zones};

pub(super) const VERSION: Statement = Statement::new(
    "fold_version",
    "SELECT version FROM fold_clock WHERE one = 1",
);
pub(super) const STATEMENTS: [&Statement; 1] = [&VERSION];

/// Records of one partition, folded.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Where they are from.
    pub partition: TopicPartition,
    /// Where the sums stand.
    pub expected: i64,
    /// Where they stand with this batch.
    pub next: i64,
    /// The first offset of each hour of the bus's clock, in seconds.
    pub marks: BTreeMap<i64, i64>,
    /// What the records have come to.
    pub folded: Folded,
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// Its sums are kept, but for those of these partitions, whose offset stands elsewhere by now.
    Kept {
        /// Not kept.
        lost: Vec<TopicPartition>,
    },
    /// A time zone was changed since the records were folded: nothing is kept, fold them again.
    Rezoned,
}

impl Store {
    /// Adds batches to the sums. After an error that may be retried it is open whether they were kept: read the positions again.
    pub async fn apply(&self, batches: Vec<Batch>, zones: &Zones) -> Result<Applied, StoreError> {
        let mut transaction = self.database.begin().await?;
        let mut lost = Vec::new();
        let (mut folded, mut marks) = (Folded::default(), Vec::new());
        for batch in batches {
            if offsets::claim(&mut transaction, &batch).await? {
                marks.extend(offsets::marks(&batch));
                folded.join(batch.folded);
            } else {
                lost.push(batch.partition);
            }
        }
        // Read after the claims: whoever changes a zone holds all offsets meanwhile.
        if version(&mut transaction).await? != zones.version {
            transaction.rollback().await?;
            return Ok(Applied::Rezoned);
        }
        offsets::keep_marks(&mut transaction, &marks).await?;
        self.add(&mut transaction, &mut folded, zones).await?;
        transaction.commit().await?;
        Ok(Applied::Kept { lost })
    }

    /// Adds what was folded to all tables.
    pub(super) async fn add(
        &self,
        transaction: &mut Transaction,
        folded: &mut Folded,
        zones: &Zones,
    ) -> Result<(), StoreError> {
        admit::bound(transaction, folded, self.limits.labels).await?;
        write::sums(transaction, folded).await?;
        latency::write(transaction, folded).await?;
        write::errors(transaction, folded).await?;
        write::doors(transaction, folded).await?;
        deliveries::write(transaction, folded).await?;
        people::write(transaction, folded, zones).await
    }
}

pub(super) async fn version(transaction: &mut Transaction) -> Result<i64, StoreError> {
    let row = transaction.first(&VERSION, &[]).await?;
    Ok(row.map_or(Ok(0), |row| row.get("version"))?)
}
