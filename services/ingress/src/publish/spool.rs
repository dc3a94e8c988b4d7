//! Records on disk while the bus is away: `spool.db` in the data folder.
//!
//! In: `backlog.rs`. Out: the same, in order, with the positions they were saved under.
//! SQLite, because a torn write, a full disk and a kill at any time are solved there.
//! Invariant: [`Spool::save`] has committed what it returns `Ok` for; positions only grow.
//! Blocking: lives on the batcher's own thread. Full: says how many fitted, the rest is the caller's to count.

use std::path::Path;

use bytes::Bytes;
use gramtap_bus::{Header, Message};
use gramtap_events::{Moment, TenantId, topics};
use rusqlite::{Connection, params};

/// The disk refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SpoolError {
    /// SQLite's or the system's word.
    #[error("the spool cannot be used")]
    Storage(#[from] rusqlite::Error),
    /// The folder is not there and cannot be made.
    #[error("the spool's folder cannot be made")]
    Folder(#[from] std::io::Error),
}

/// A record and what is known of it without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Saved {
    pub(crate) position: u64,
    pub(crate) tenant: TenantId,
    pub(crate) at: Moment,
    pub(crate) message: Message,
}

/// The file.
#[derive(Debug)]
pub(crate) struct Spool {
    file: Connection,
    limit: u64,
    bytes: u64,
    records: u64,
}

/// What a row costs besides its record.
const ROW: u64 = 96;

const SCHEMA: &str = "
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA auto_vacuum = INCREMENTAL;
CREATE TABLE IF NOT EXISTS spool (
    position INTEGER PRIMARY KEY,
    topic TEXT NOT NULL,
    tenant TEXT NOT NULL,
    at TEXT NOT NULL,
    headers TEXT NOT NULL,
    payload BLOB NOT NULL,
    bytes INTEGER NOT NULL
) STRICT;";

impl Spool {
    /// Opens the spool in `folder`, with what an earlier run left in it.
    pub(crate) fn open(folder: &Path, limit: u64) -> Result<Self, SpoolError> {
        std::fs::create_dir_all(folder)?;
        let file = Connection::open(folder.join("spool.db"))?;
        file.busy_timeout(std::time::Duration::from_secs(5))?;
        file.execute_batch(SCHEMA)?;
        let sums = "SELECT coalesce(sum(bytes), 0), count(*) FROM spool";
        let (bytes, records) = file.query_row(sums, [], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        })?;
        Ok(Self {
            file,
            limit,
            bytes: bytes.cast_unsigned(),
            records: records.cast_unsigned(),
        })
    }

    /// Records on disk.
    pub(crate) fn records(&self) -> u64 {
        self.records
    }

    /// Their bytes, rows included.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The highest position on disk.
    pub(crate) fn last(&self) -> Result<Option<u64>, SpoolError> {
        let last: Option<i64> =
            self.file
                .query_row("SELECT max(position) FROM spool", [], |row| row.get(0))?;
        Ok(last.map(i64::cast_unsigned))
    }

    /// Commits as many of `records`, from the first on, as the limit allows, and says how many.
    pub(crate) fn save<'r>(
        &mut self,
        records: impl Iterator<Item = (u64, TenantId, Moment, &'r Message)>,
    ) -> Result<usize, SpoolError> {
        let (mut count, mut bytes) = (0_usize, 0_u64);
        let transaction = self.file.transaction()?;
        {
            let sql = "INSERT INTO spool (position, topic, tenant, at, headers, payload, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
            let mut insert = transaction.prepare_cached(sql)?;
            for (position, tenant, at, message) in records {
                let size = message.size() as u64 + ROW;
                if self.bytes + bytes + size > self.limit {
                    break;
                }
                insert.execute(params![
                    position.cast_signed(),
                    message.topic.name,
                    tenant.as_str(),
                    at.to_string(),
                    headers_text(&message.headers),
                    message.payload.as_deref().unwrap_or_default(),
                    size.cast_signed(),
                ])?;
                bytes += size;
                count += 1;
            }
        }
        transaction.commit()?;
        self.bytes += bytes;
        self.records += count as u64;
        Ok(count)
    }

    /// The first `limit` records behind `position`.
    pub(crate) fn read(
        &self,
        position: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Saved>, SpoolError> {
        let sql = "SELECT position, topic, tenant, at, headers, payload FROM spool WHERE position > ?1 ORDER BY position LIMIT ?2";
        let mut select = self.file.prepare_cached(sql)?;
        let after = position.map_or(-1, u64::cast_signed);
        let mut rows = select.query(params![after, i64::try_from(limit).unwrap_or(i64::MAX)])?;
        let mut records = Vec::new();
        while let Some(row) = rows.next()? {
            records.push(saved(row)?);
        }
        Ok(records)
    }

    /// Forgets all up to and including `position`.
    pub(crate) fn forget(&mut self, position: u64) -> Result<(), SpoolError> {
        let transaction = self.file.transaction()?;
        let sums = "SELECT coalesce(sum(bytes), 0) FROM spool WHERE position <= ?1";
        let bytes: i64 =
            transaction.query_row(sums, params![position.cast_signed()], |row| row.get(0))?;
        let gone = transaction.execute(
            "DELETE FROM spool WHERE position <= ?1",
            params![position.cast_signed()],
        )?;
        transaction.commit()?;
        self.bytes -= bytes.cast_unsigned().min(self.bytes);
        self.records -= (gone as u64).min(self.records);
        if self.records == 0 && gone > 0 {
            self.file
                .execute_batch("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE);")?;
        }
        Ok(())
    }
}

fn saved(row: &rusqlite::Row<'_>) -> Result<Saved, SpoolError> {
    let unreadable = |column: usize, error: Box<dyn std::error::Error + Send + Sync>| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, error)
    };
    let topic: String = row.get(1)?;
    let topic =
        topics::named(&topic).ok_or_else(|| unreadable(1, format!("no topic {topic}").into()))?;
    let tenant: String = row.get(2)?;
    let tenant: TenantId = tenant
        .parse()
        .map_err(|error| unreadable(2, Box::new(error)))?;
    let at: String = row.get(3)?;
    let quoted = format!("\"{at}\"");
    let at: Moment =
        serde_json::from_str(&quoted).map_err(|error| unreadable(3, Box::new(error)))?;
    let headers: String = row.get(4)?;
    let payload: Vec<u8> = row.get(5)?;
    let mut message = Message::new(
        topic,
        Bytes::copy_from_slice(tenant.as_str().as_bytes()),
        payload,
    );
    message.headers = headers_of(&headers);
    Ok(Saved {
        position: row.get::<_, i64>(0)?.cast_unsigned(),
        tenant,
        at,
        message,
    })
}

/// One header a line; our headers have no line breaks.
fn headers_text(headers: &[Header]) -> String {
    let line = |header: &Header| {
        format!(
            "{}={}\n",
            header.name,
            String::from_utf8_lossy(&header.value)
        )
    };
    headers.iter().map(line).collect()
}

fn headers_of(text: &str) -> Vec<Header> {
    let header = |line: &str| {
        let (name, value) = line.split_once('=')?;
        let value = Bytes::copy_from_slice(value.as_bytes());
        Some(Header {
            name: name.to_owned().into(),
            value,
        })
    };
    text.lines().filter_map(header).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn record(position: u64, size: usize) -> Saved {
        let tenant = TenantId::UNATTRIBUTED;
        let mut message = Message::new(
            &topics::UPDATES,
            tenant.as_str().to_owned(),
            vec![b'x'; size],
        );
        message.headers = vec![
            Header::new("gt-kind", "update"),
            Header::new("traceparent", "00-a-b-01"),
        ];
        Saved {
            position,
            tenant,
            at: Moment::now(),
            message,
        }
    }

    fn save(spool: &mut Spool, records: &[Saved]) -> usize {
        let rows = records
            .iter()
            .map(|it| (it.position, it.tenant, it.at, &it.message));
        spool.save(rows).unwrap()
    }

    #[test]
    fn gives_back_what_it_was_given_also_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let records: Vec<_> = (3..10).map(|position| record(position, 100)).collect();
        let mut spool = Spool::open(folder.path(), 1 << 20).unwrap();
        assert_eq!(save(&mut spool, &records), 7);
        drop(spool);
        let mut spool = Spool::open(folder.path(), 1 << 20).unwrap();
        assert_eq!((spool.records(), spool.last().unwrap()), (7, Some(9)));
        assert_eq!(spool.read(None, 100).unwrap(), records);
        assert_eq!(spool.read(Some(5), 2).unwrap(), records[3..5]);
        spool.forget(8).unwrap();
        assert_eq!(spool.read(None, 100).unwrap(), records[6..]);
        spool.forget(9).unwrap();
        assert_eq!((spool.records(), spool.bytes()), (0, 0));
    }

    #[test]
    fn keeps_the_first_ones_that_fit() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::open(folder.path(), 2_000).unwrap();
        let records: Vec<_> = (1..10).map(|position| record(position, 400)).collect();
        let kept = save(&mut spool, &records);
        assert!((2..=4).contains(&kept), "{kept}");
        assert_eq!(spool.records(), kept as u64);
        assert!(spool.bytes() <= 2_000);
        assert_eq!(spool.read(None, 100).unwrap(), records[..kept]);
        assert_eq!(save(&mut spool, &records[kept..]), 0);
    }
}
