//! The catalog: which partitions the log has, and where each one ends.
//!
//! In: the table `partition` at start, the writer after every commit. Out: producers (partition of
//! a key), readers (how far they may read), `Bus::ends`. Invariant: `high` never passes what is
//! committed, so a reader that stays below it sees whole transactions; ids are never reused, and the
//! process that writes gives them out: one that looks on takes them from the table.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use gramtap_events::Topic;
use gramtap_events::topics::named;
use rusqlite::Connection;

use super::file::OFFSET_BITS;

/// Partitions of a topic of the embedded log. One process reads them all, so a few are enough for
/// its threads.
pub(super) const PARTITIONS: i32 = 4;

/// See the file's header.
pub(super) struct Catalog(Mutex<Topics>);

#[derive(Default)]
struct Topics {
    by_name: HashMap<String, Entry>,
    last_id: i64,
}

/// One topic of the log.
#[derive(Clone)]
pub(super) struct Entry {
    /// What the program knows of it; none for a topic of another version.
    pub(super) topic: Option<&'static Topic>,
    pub(super) partitions: Arc<Vec<Partition>>,
}

/// One partition.
#[derive(Debug)]
pub(super) struct Partition {
    id: AtomicI64,
    pub(super) number: i32,
    low: AtomicI64,
    high: AtomicI64,
}

impl Partition {
    fn new(id: i64, number: i32, low: i64, high: i64) -> Self {
        Self {
            id: AtomicI64::new(id),
            number,
            low: AtomicI64::new(low),
            high: AtomicI64::new(high),
        }
    }

    /// Its id in the file; of a topic that only another process may write, a guess until it has.
    pub(super) fn id(&self) -> i64 {
        self.id.load(Ordering::Acquire)
    }

    pub(super) fn low(&self) -> i64 {
        self.low.load(Ordering::Acquire)
    }

    pub(super) fn high(&self) -> i64 {
        self.high.load(Ordering::Acquire)
    }

    /// After a commit of records.
    pub(super) fn publish_high(&self, high: i64) {
        self.high.store(high, Ordering::Release);
    }

    /// After old records were deleted.
    pub(super) fn publish_low(&self, low: i64) {
        self.low.store(low, Ordering::Release);
    }

    /// Where an offset's record lies in the table `record`.
    pub(super) fn place(&self, offset: i64) -> i64 {
        place(self.id(), offset)
    }
}

/// See [`Partition::place`].
pub(super) fn place(partition: i64, offset: i64) -> i64 {
    partition << OFFSET_BITS | offset
}

/// The offset in a place.
pub(super) fn offset(place: i64) -> i64 {
    place & ((1 << OFFSET_BITS) - 1)
}

impl Catalog {
    pub(super) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let catalog = Self(Mutex::default());
        catalog.refresh(connection)?;
        Ok(catalog)
    }

    /// Reads the table again. Partitions that are known keep their place in memory.
    pub(super) fn refresh(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut rows: HashMap<String, Vec<Partition>> = HashMap::new();
        let mut query = connection.prepare_cached(
            "SELECT id, topic, number, low, next FROM partition ORDER BY topic, number",
        )?;
        let mut found = query.query([])?;
        while let Some(row) = found.next()? {
            let partition = Partition::new(row.get(0)?, row.get(2)?, row.get(3)?, row.get(4)?);
            rows.entry(row.get(1)?).or_default().push(partition);
        }
        let mut topics = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, partitions) in rows {
            let last = partitions.iter().map(Partition::id).max().unwrap_or(0);
            topics.last_id = topics.last_id.max(last);
            match topics.by_name.get(&name) {
                Some(known) => {
                    for (known, now) in known.partitions.iter().zip(&partitions) {
                        // First of all: whoever sees the new end reads there.
                        known.id.store(now.id(), Ordering::Release);
                        known.publish_low(now.low());
                        known.publish_high(now.high());
                    }
                }
                None => {
                    let entry = Entry {
                        topic: named(&name),
                        partitions: Arc::new(partitions),
                    };
                    topics.by_name.insert(name, entry);
                }
            }
        }
        Ok(())
    }

    /// Every topic of the log.
    pub(super) fn all(&self) -> Vec<Entry> {
        let topics = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        topics.by_name.values().cloned().collect()
    }

    /// A topic's partitions; a new topic gets ids, which the writer stores with its first record.
    pub(super) fn of(&self, topic: &'static Topic) -> Arc<Vec<Partition>> {
        let mut topics = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = topics.by_name.get_mut(topic.name) {
            known.topic = Some(topic);
            return Arc::clone(&known.partitions);
        }
        let first = topics.last_id + 1;
        topics.last_id += i64::from(PARTITIONS);
        let new = |number| Partition::new(first + i64::from(number), number, 0, 0);
        let partitions: Arc<Vec<_>> = Arc::new((0..PARTITIONS).map(new).collect());
        let entry = Entry {
            topic: Some(topic),
            partitions: Arc::clone(&partitions),
        };
        topics.by_name.insert(topic.name.to_owned(), entry);
        partitions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_keep_partitions_apart_and_offsets_in_order() {
        let largest = (1 << OFFSET_BITS) - 1;
        assert!(place(1, largest) < place(2, 0));
        assert!(place(7, 41) < place(7, 42));
        for at in [0, 1, 42, largest] {
            assert_eq!(offset(place(123_456, at)), at);
            assert_eq!(place(123_456, at) >> OFFSET_BITS, 123_456);
        }
    }
}
