//! How far each partition is counted.
//!
//! In: `follow.rs` asks at every assignment, `apply.rs` claims with every batch. Out: rows of `fold_offsets` and
//! `fold_marks`. Invariant: an offset moves only from the place that the claimer read it at; of two that claim the
//! same, the second finds no row to change.

use gramtap_bus::TopicPartition;
use gramtap_database::{Bulk, Statement, Transaction, Value};

use super::{Batch, Store, StoreError, refold};
use crate::zone::HOUR;

const BEGIN: Statement = Statement::new(
    "fold_begin",
    "INSERT INTO fold_offsets (topic, part, next_offset) VALUES ($1, $2, 0)
     ON CONFLICT (topic, part) DO NOTHING",
);
const READ: Statement = Statement::new(
    "fold_offset",
    "SELECT next_offset FROM fold_offsets WHERE topic = $1 AND part = $2",
);
const CLAIM: Statement = Statement::new(
    "fold_claim",
    "UPDATE fold_offsets SET next_offset = $4 WHERE topic = $1 AND part = $2 AND next_offset = $3",
);
static MARK: Bulk = Bulk::new(
    "fold_mark",
    "INSERT INTO fold_marks (topic, part, hour, first_offset) VALUES",
    "(?, ?, ?, ?)",
    "ON CONFLICT (topic, part, hour) DO NOTHING",
);
pub(super) static BULKS: [&Bulk; 1] = [&MARK];
pub(super) const STATEMENTS: [&Statement; 3] = [&BEGIN, &READ, &CLAIM];

impl Store {
    /// The offset to read on from. A partition that was never counted begins at 0.
    pub async fn position(&self, of: TopicPartition) -> Result<i64, StoreError> {
        let values = [of.topic.name.into(), i64::from(of.partition).into()];
        if let Some(row) = self.database.first(&READ, &values).await? {
            return Ok(row.get("next_offset")?);
        }
        self.database.execute(&BEGIN, &values).await?;
        let row = self.database.first(&READ, &values).await?;
        Ok(row.map_or(Ok(0), |row| row.get("next_offset"))?)
    }

    /// How far a partition is counted: one behind the last record that was; 0 if none was.
    pub async fn stands(&self, of: TopicPartition) -> Result<i64, StoreError> {
        let values = [of.topic.name.into(), i64::from(of.partition).into()];
        let row = self.database.first(&READ, &values).await?;
        Ok(row.map_or(Ok(0), |row| row.get("next_offset"))?)
    }

    /// An offset of a partition before which nothing is that was received at a second since 1970 or later; 0 where no mark tells.
    pub async fn mark(&self, of: TopicPartition, second: i64) -> Result<i64, StoreError> {
        // A record comes to the bus after it was received; the hour is for clocks that differ.
        let (topic, part) = (of.topic.name, i64::from(of.partition));
        let values = [topic.into(), part.into(), (second - HOUR).into()];
        let row = self.database.first(&refold::START, &values).await?;
        let first = row.map_or(Ok(None), |row| row.get::<Option<i64>>("first"))?;
        Ok(first.unwrap_or(0))
    }
}

/// Moves a partition's offset behind a batch. False: it is not where the batch begins.
pub(super) async fn claim(
    transaction: &mut Transaction,
    batch: &Batch,
) -> Result<bool, StoreError> {
    let of = batch.partition;
    let (topic, part) = (of.topic.name, i64::from(of.partition));
    let values = [
        topic.into(),
        part.into(),
        batch.expected.into(),
        batch.next.into(),
    ];
    Ok(transaction.execute(&CLAIM, &values).await? > 0)
}

/// The first offsets of hours of a batch, as rows.
pub(super) fn marks(batch: &Batch) -> impl Iterator<Item = Value> {
    let of = batch.partition;
    let row = move |(hour, first): (&i64, &i64)| {
        let part = i64::from(of.partition);
        [
            of.topic.name.into(),
            part.into(),
            (*hour).into(),
            (*first).into(),
        ]
    };
    batch.marks.iter().flat_map(row)
}

/// Keeps them.
pub(super) async fn keep_marks(
    transaction: &mut Transaction,
    marks: &[Value],
) -> Result<(), StoreError> {
    transaction.execute_bulk(&MARK, marks).await?;
    Ok(())
}
