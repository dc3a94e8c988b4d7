//! Retention: old records go, in small steps between commits.
//!
//! In: the writer, once a second or at once while a step left something to do. Out: deleted rows,
//! the partitions' new lows, pages given back to the file system. Invariant: a step deletes a
//! bounded number of records and bytes, so that no append waits long; records go from a
//! partition's low end only, and what goes before its time, because of `max_bytes`, is told in the
//! log with its number.

use std::time::{Duration, Instant};

use gramtap_events::Topic;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::Core;
use super::catalog::{Entry, Partition, offset, place};

/// Records and bytes that one step deletes at most.
const STEP: usize = 500;
const STEP_BYTES: u64 = 16 * 1024 * 1024;

/// How long after a step that found nothing to do the next one comes.
const PAUSE: Duration = Duration::from_secs(1);

/// How long the tombstone of a key is kept, so that every reader sees it.
const TOMBSTONES: Duration = Duration::from_secs(24 * 60 * 60);

/// Free pages that are kept for new records, in bytes.
const SPARE_BYTES: i64 = 16 * 1024 * 1024;

/// Pages that one step gives back: so many may be missing from the spare ones after it.
const BACK_PAGES: i64 = 1024;

/// When the next step is due.
#[derive(Default)]
pub(super) struct Retention {
    next: Option<Instant>,
    /// Records that went before their time, since the last line in the log.
    evicted: u64,
    told: Option<Instant>,
}

impl Retention {
    pub(super) fn due_in(&self) -> Duration {
        let next = self
            .next
            .map(|at| at.saturating_duration_since(Instant::now()));
        next.unwrap_or_default()
    }

    /// One step.
    pub(super) fn step(&mut self, core: &Core, connection: &mut Connection) {
        let more = self.delete(core, connection).unwrap_or_else(|error| {
            tracing::warn!(%error, "old records cannot be deleted");
            false
        });
        let pause = if more { Duration::ZERO } else { PAUSE };
        self.next = Some(Instant::now() + pause);
        self.tell();
    }

    /// All steps there are to do.
    #[cfg(test)]
    pub(super) fn run(&mut self, core: &Core, connection: &mut Connection) {
        while self.delete(core, connection).unwrap_or(false) {}
    }

    fn tell(&mut self) {
        let quiet = self
            .told
            .is_some_and(|at| at.elapsed() < Duration::from_secs(60));
        if self.evicted > 0 && !quiet {
            let records = std::mem::take(&mut self.evicted);
            self.told = Some(Instant::now());
            tracing::warn!(
                records,
                "the log is over bus.embedded.max_bytes, oldest records deleted"
            );
        }
    }

    /// Returns whether there is more to do.
    fn delete(&mut self, core: &Core, connection: &mut Connection) -> rusqlite::Result<bool> {
        let now = (core.clock)();
        let topics = core.catalog.all();
        for entry in &topics {
            let Some(keep) = kept(entry.topic, core.section.retention) else {
                continue;
            };
            let cut = before(now, keep);
            for partition in entry.partitions.iter() {
                if delete_oldest(connection, partition, |it| it.at < cut)? > 0 {
                    return Ok(true);
                }
            }
        }
        let over = used_bytes(connection)?.saturating_sub(core.section.max_bytes.as_u64());
        if over > 0
            && let Some(partition) = oldest(connection, &topics)?
        {
            let deleted = delete_oldest(connection, partition, enough(over))?;
            self.evicted += u64::try_from(deleted).unwrap_or_default();
            return Ok(deleted > 0);
        }
        if delete_tombstones(connection, before(now, TOMBSTONES))? {
            return Ok(true);
        }
        give_back(connection)
    }
}

/// How long a topic's records are kept; none: for ever, because compaction alone decides.
fn kept(topic: Option<&'static Topic>, most: Duration) -> Option<Duration> {
    match topic {
        Some(topic) if topic.compacted => None,
        Some(topic) => Some(topic.retention.map_or(most, |own| own.min(most))),
        None => Some(most),
    }
}

/// The time that lies so far before `now`; what is older goes.
fn before(now: i64, keep: Duration) -> i64 {
    now.saturating_sub(i64::try_from(keep.as_millis()).unwrap_or(i64::MAX))
}

/// A record at the low end of its partition.
#[derive(Clone, Copy, Debug)]
struct Oldest {
    offset: i64,
    at: i64,
    bytes: u64,
}

/// How many of these records, the oldest of a partition in order, go; one that stays keeps all
/// behind it.
fn going(oldest: &[Oldest], mut goes: impl FnMut(&Oldest) -> bool) -> usize {
    oldest.iter().take_while(|it| goes(it)).count()
}

/// Lets records go until they made up so many bytes.
fn enough(bytes: u64) -> impl FnMut(&Oldest) -> bool {
    let mut left = bytes;
    move |it| {
        let goes = left > 0;
        left = left.saturating_sub(it.bytes);
        goes
    }
}

/// Deletes from the low end of a partition, and returns how many.
fn delete_oldest(
    connection: &mut Connection,
    partition: &Partition,
    mut expired: impl FnMut(&Oldest) -> bool,
) -> rusqlite::Result<usize> {
    let mut fits = enough(STEP_BYTES);
    let mut goes = |it: &Oldest| expired(it) && fits(it);
    // Most looks find nothing: one row tells.
    let mut oldest = oldest_records(connection, partition, 0, 1)?;
    if going(&oldest, &mut goes) == 0 {
        return Ok(0);
    }
    oldest.extend(oldest_records(connection, partition, 1, STEP - 1)?);
    let count = 1 + going(&oldest[1..], goes);
    let low = oldest[count - 1].offset + 1;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute(
        "DELETE FROM record WHERE place >= ?1 AND place < ?2",
        [partition.place(partition.low()), partition.place(low)],
    )?;
    transaction.execute(
        "UPDATE partition SET low = ?2 WHERE id = ?1",
        [partition.id(), low],
    )?;
    transaction.commit()?;
    partition.publish_low(low);
    Ok(count)
}

/// Some of a partition's oldest records.
fn oldest_records(
    connection: &Connection,
    partition: &Partition,
    skip: usize,
    count: usize,
) -> rusqlite::Result<Vec<Oldest>> {
    // The length of a blob is read without the blob.
    let mut query = connection.prepare_cached(
        "SELECT place, at, length(headers) + coalesce(length(key), 0) + coalesce(length(payload), 0)
         FROM record WHERE place >= ?1 AND place < ?2 ORDER BY place LIMIT ?4 OFFSET ?3",
    )?;
    let (from, to) = (
        partition.place(partition.low()),
        partition.place(partition.high()),
    );
    let wide = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let rows = query.query_map([from, to, wide(skip), wide(count)], |row| {
        Ok(Oldest {
            offset: offset(row.get(0)?),
            at: row.get(1)?,
            bytes: u64::try_from(row.get::<_, i64>(2)?).unwrap_or_default(),
        })
    })?;
    rows.collect()
}

/// The partition whose oldest record is the oldest of all that may be deleted.
fn oldest<'a>(
    connection: &Connection,
    topics: &'a [Entry],
) -> rusqlite::Result<Option<&'a Partition>> {
    let mut heads = Vec::new();
    for entry in topics
        .iter()
        .filter(|entry| kept(entry.topic, Duration::MAX).is_some())
    {
        for partition in entry.partitions.iter() {
            let head = oldest_records(connection, partition, 0, 1)?;
            heads.extend(head.first().map(|it| (it.at, partition)));
        }
    }
    Ok(heads
        .into_iter()
        .min_by_key(|(at, _)| *at)
        .map(|(_, partition)| partition))
}

/// What the file's records take of the disk.
fn used_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let pages = pragma("page_count")? - pragma("freelist_count")?;
    Ok(u64::try_from(pages * pragma("page_size")?).unwrap_or_default())
}

fn delete_tombstones(connection: &mut Connection, cut: i64) -> rusqlite::Result<bool> {
    let found: Option<i64> = connection
        .prepare_cached("SELECT 1 FROM latest WHERE gone_at < ?1 LIMIT 1")?
        .query_row([cut], |row| row.get(0))
        .optional()?;
    if found.is_none() {
        return Ok(false);
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let limit = i64::try_from(STEP).unwrap_or(i64::MAX);
    let gone: Vec<(i64, Vec<u8>, i64)> = transaction
        .prepare_cached("SELECT partition, key, offset FROM latest WHERE gone_at < ?1 LIMIT ?2")?
        .query_map([cut, limit], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    for (partition, key, offset) in gone {
        transaction.execute(
            "DELETE FROM record WHERE place = ?1",
            [place(partition, offset)],
        )?;
        transaction.execute(
            "DELETE FROM latest WHERE partition = ?1 AND key = ?2",
            params![partition, key],
        )?;
    }
    transaction.commit()?;
    Ok(true)
}

/// Gives pages that stay free back to the file system, some at a time.
fn give_back(connection: &Connection) -> rusqlite::Result<bool> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    if pragma("freelist_count")? * pragma("page_size")? <= SPARE_BYTES {
        return Ok(false);
    }
    // Each step of the statement frees one page.
    let mut vacuum =
        connection.prepare_cached(&format!("PRAGMA incremental_vacuum({BACK_PAGES})"))?;
    let mut pages = vacuum.query([])?;
    while pages.next()?.is_some() {}
    drop(pages);
    // The file is cut when the log of changes is carried over.
    connection.execute_batch("PRAGMA wal_checkpoint(PASSIVE)")?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gramtap_events::topics::{ALL, TENANTS};
    use proptest::prelude::*;

    #[test]
    fn pages_are_given_back_many_at_a_time_until_the_spare_ones_are_left() -> rusqlite::Result<()> {
        for page in [4_096, 8_192] {
            let connection = Connection::open_in_memory()?;
            let free = || -> rusqlite::Result<i64> {
                connection.pragma_query_value(None, "freelist_count", |row| row.get(0))
            };
            connection.execute_batch(&format!(
                "PRAGMA page_size = {page}; PRAGMA auto_vacuum = INCREMENTAL; CREATE TABLE t (x);
                 INSERT INTO t VALUES (zeroblob(28 * 1024 * 1024)); DELETE FROM t;",
            ))?;
            let before = free()?;
            assert!(give_back(&connection)?);
            assert_eq!(free()?, before - BACK_PAGES, "pages of {page} bytes");
            while give_back(&connection)? {}
            let spare = SPARE_BYTES / page;
            let left = spare - BACK_PAGES..=spare;
            assert!(left.contains(&free()?), "{} pages of {page} bytes", free()?);
        }
        Ok(())
    }

    #[test]
    fn the_shorter_retention_counts_and_compacted_topics_have_none() {
        let hour = Duration::from_secs(3_600);
        for topic in ALL {
            let (short, long) = (kept(Some(topic), hour), kept(Some(topic), Duration::MAX));
            match topic.compacted {
                true => assert_eq!((short, long), (None, None), "{}", topic.name),
                false => assert_eq!(
                    (short, long),
                    (Some(hour), topic.retention),
                    "{}",
                    topic.name
                ),
            }
        }
        assert_eq!(kept(None, hour), Some(hour));
        assert!(TENANTS.compacted);
        assert_eq!(before(5_000, Duration::from_secs(2)), 3_000);
        assert_eq!(before(5_000, Duration::MAX), 5_000 - i64::MAX);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        /// Times of one partition never go back, so what is expired is what is old.
        #[test]
        fn what_goes_is_what_is_older_than_the_cut(mut times in prop::collection::vec(0..100_i64, 0..40), cut in 0..100_i64) {
            times.sort_unstable();
            let records: Vec<Oldest> = times.iter().map(|at| Oldest { offset: 0, at: *at, bytes: 1 }).collect();
            let count = going(&records, |it| it.at < cut);
            prop_assert_eq!(count, times.iter().filter(|at| **at < cut).count());
            prop_assert!(records[count..].iter().all(|it| it.at >= cut));
        }

        /// As few as make up the bytes, or all.
        #[test]
        fn enough_goes_and_no_more(sizes in prop::collection::vec(0..50_u64, 0..40), over in 1..1_000_u64) {
            let records: Vec<Oldest> = sizes.iter().map(|bytes| Oldest { offset: 0, at: 0, bytes: *bytes }).collect();
            let count = going(&records, enough(over));
            let gone: u64 = sizes[..count].iter().sum();
            prop_assert!(gone >= over || count == sizes.len());
            prop_assert!(sizes[..count].iter().rev().skip(1).sum::<u64>() < over);
        }
    }
}
