//! Records on disk while the bus is away: `spool.db` in the data folder.
//!
//! In: `backlog.rs`. Out: the same, in order, with the positions they were saved under.
//! SQLite, because a torn write, a full disk and a kill at any time are solved there.
//! Invariant: [`Spool::save`] has committed what it returns `Ok` for; positions only grow; the file
//! is one process's alone. Blocking: lives on the batcher's own thread. Full: says how many fitted,
//! the rest is the caller's to count.

use std::path::Path;
use std::time::Duration;

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

/// What one reading gives.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Read {
    /// In order; of a row that makes no sense to this version, its position.
    pub(crate) rows: Vec<Result<Saved, u64>>,
    /// Nothing is on disk behind them.
    pub(crate) end: bool,
}

/// The file.
#[derive(Debug)]
pub(crate) struct Spool {
    file: Connection,
    limit: u64,
    bytes: u64,
    records: u64,
    /// Whether the file may be larger than it need be.
    slack: bool,
}

/// What a row costs besides its record.
const ROW: u64 = 96;
/// How long a process that still has the file is waited for.
const BUSY: Duration = Duration::from_secs(if cfg!(test) { 0 } else { 5 });
/// What is read at a time, in bytes: one record at least.
const READ: usize = 4 * 1024 * 1024;
/// Pages given back to the file system at a time: 16 MiB.
const PAGES: u32 = 4_096;

// auto_vacuum counts only before the first table is made, and before WAL.
const SCHEMA: &str = "
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
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
        // One that is just ending.
        file.busy_timeout(BUSY)?;
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
            slack: true,
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

    /// The first records behind `position`, `limit` at most.
    pub(crate) fn read(&self, position: Option<u64>, limit: usize) -> Result<Read, SpoolError> {
        let sql = "SELECT position, topic, tenant, at, headers, payload, bytes FROM spool WHERE position > ?1 ORDER BY position";
        let mut select = self.file.prepare_cached(sql)?;
        let mut found = select.query([position.map_or(-1, u64::cast_signed)])?;
        let (mut rows, mut bytes) = (Vec::new(), 0);
        while rows.len() < limit && bytes < READ {
            let Some(row) = found.next()? else {
                return Ok(Read { rows, end: true });
            };
            let position = row.get::<_, i64>(0)?.cast_unsigned();
            bytes += usize::try_from(row.get::<_, i64>(6)?).unwrap_or_default();
            rows.push(saved(row).map_err(|error| {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, position, "a record on disk makes no sense");
                position
            }));
        }
        Ok(Read { rows, end: false })
    }

    /// Forgets these positions.
    pub(crate) fn forget(&mut self, positions: &[u64]) -> Result<(), SpoolError> {
        let transaction = self.file.transaction()?;
        let (mut bytes, mut records) = (0, 0);
        {
            let sql = "DELETE FROM spool WHERE position = ?1 RETURNING bytes";
            let mut delete = transaction.prepare_cached(sql)?;
            for position in positions {
                let mut gone = delete.query([position.cast_signed()])?;
                while let Some(row) = gone.next()? {
                    bytes += row.get::<_, i64>(0)?.cast_unsigned();
                    records += 1;
                }
            }
        }
        transaction.commit()?;
        self.bytes -= bytes.min(self.bytes);
        self.records -= records.min(self.records);
        self.slack |= records > 0;
        Ok(())
    }

    /// Once it is empty, gives its space back to the file system, some at a time.
    pub(crate) fn shrink(&mut self) -> Result<(), SpoolError> {
        if self.records > 0 || !self.slack {
            return Ok(());
        }
        // Each step of the statement frees one page.
        let sql = format!("PRAGMA incremental_vacuum({PAGES})");
        let mut vacuum = self.file.prepare(&sql)?;
        let mut pages = vacuum.query([])?;
        while pages.next()?.is_some() {}
        drop(pages);
        drop(vacuum);
        let left: i64 = self
            .file
            .pragma_query_value(None, "freelist_count", |row| row.get(0))?;
        self.slack = left > 0;
        if !self.slack {
            self.file
                .execute_batch("PRAGMA wal_checkpoint(TRUNCATE);")?;
        }
        Ok(())
    }
}

#[cfg(test)]
impl Spool {
    /// From now on nothing can be read, written or forgotten.
    pub(super) fn breaks(&self) {
        self.file
            .execute_batch("DROP TABLE spool")
            .unwrap_or_default();
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
#[path = "spool_tests.rs"]
mod tests;
