//! What is read of the topics and not yet added to the sums.
//!
//! In: records, from the reader that `follow.rs` polls. Out: batches, which it adds. Invariant: a partition's batches follow each other without
//! a hole, from where SQL stood when reading began. Bounded by `follow.rs`, which takes the batches when there are enough.

use std::collections::BTreeMap;
use std::time::Duration;

use gramtap_bus::{Delivery, Reader, TopicPartition};
use tokio::time::Instant;

use super::super::Batch;
use crate::fold::{Folded, Place, Zones};
use crate::zone::HOUR;

/// What is read and not yet added.
pub(super) struct Reading {
    pub(super) reader: Reader,
    pub(super) zones: Zones,
    batches: BTreeMap<(&'static str, i32), Batch>,
    pub(super) records: u64,
    /// When the first of them is to be added.
    pub(super) due: Option<Instant>,
    /// When the newest of them was handed to the bus, in milliseconds.
    newest: i64,
}

impl Reading {
    /// Nothing is read yet of partitions that stand at these offsets.
    pub(super) fn new(reader: Reader, zones: Zones, positions: &[(TopicPartition, i64)]) -> Self {
        let batches = positions
            .iter()
            .map(|(partition, position)| (key(*partition), begin(*partition, *position)));
        Self {
            reader,
            zones,
            batches: batches.collect(),
            records: 0,
            due: None,
            newest: 0,
        }
    }

    pub(super) fn add(&mut self, record: &Delivery, every: Duration) {
        let Some(batch) = self.batches.get_mut(&(record.topic.name, record.partition)) else {
            return;
        };
        let hour = record.timestamp.div_euclid(1_000 * HOUR) * HOUR;
        batch.marks.entry(hour).or_insert(record.offset);
        batch.next = record.offset + 1;
        if let Some(payload) = &record.payload {
            let place = Place {
                partition: record.partition,
                offset: record.offset,
                timestamp: record.timestamp,
            };
            batch
                .folded
                .add_at(record.topic, place, payload, &self.zones);
        }
        self.records += 1;
        self.newest = self.newest.max(record.timestamp);
        self.due.get_or_insert_with(|| Instant::now() + every);
    }

    /// What is to be added; each partition goes on behind it.
    pub(super) fn take(&mut self) -> Vec<Batch> {
        self.records = 0;
        let read = self
            .batches
            .values_mut()
            .filter(|batch| batch.next > batch.expected);
        read.map(|batch| {
            let next = begin(batch.partition, batch.next);
            std::mem::replace(batch, next)
        })
        .collect()
    }

    /// Seconds since the newest record was handed to the bus.
    pub(super) fn lag(&self) -> i64 {
        let now = gramtap_events::Moment::now().time().unix_timestamp();
        (now - self.newest.div_euclid(1_000)).max(0)
    }
}

fn begin(partition: TopicPartition, position: i64) -> Batch {
    Batch {
        partition,
        expected: position,
        next: position,
        marks: BTreeMap::new(),
        folded: Folded::default(),
    }
}

fn key(partition: TopicPartition) -> (&'static str, i32) {
    (partition.topic.name, partition.partition)
}
