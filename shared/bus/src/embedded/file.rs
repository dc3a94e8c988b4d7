//! The log's file: opening it, its tables, its lock.
//!
//! In: `data_dir`. Out: connections for the writer (one) and for readers (one each). Invariant:
//! one process writes at a time, guarded by a lock that the system drops with the process; a
//! file of a newer format is refused, not guessed at.
//!
//! Durability: the file is in WAL mode, so what a commit wrote outlives kill -9 at once. Against
//! power loss the writer syncs with every commit that holds a durable record or a transaction
//! (`synchronous=FULL`); commits of the lossy lane alone are synced with the next such commit or
//! checkpoint (`NORMAL`), so power loss may take the last of them, never the file's order.

use std::fs::{DirBuilder, File, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use crate::error::BusError;

/// What this version writes into `user_version`.
const FORMAT: i64 = 1;

/// The low bits of `record.place`, which hold the offset: a thousand records a second for 34
/// years.
pub(super) const OFFSET_BITS: u32 = 40;

/// How long another process is given to end, so that a restart may overlap.
const PATIENCE: Duration = Duration::from_secs(3);

const SCHEMA: &str = "
-- One row for each partition; low and next are its ends.
CREATE TABLE partition (
    id     INTEGER PRIMARY KEY,
    topic  TEXT    NOT NULL,
    number INTEGER NOT NULL,
    low    INTEGER NOT NULL,
    next   INTEGER NOT NULL,
    UNIQUE (topic, number)
);
-- place is partition.id << 40 | offset: a partition's records lie together, in order.
CREATE TABLE record (
    place   INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    key     BLOB,
    headers BLOB    NOT NULL,
    payload BLOB
);
-- Of compacted topics: where the one record of each key is, and since when it is a tombstone.
CREATE TABLE latest (
    partition INTEGER NOT NULL,
    key       BLOB    NOT NULL,
    offset    INTEGER NOT NULL,
    gone_at   INTEGER,
    PRIMARY KEY (partition, key)
) WITHOUT ROWID;
CREATE INDEX latest_gone ON latest (gone_at) WHERE gone_at IS NOT NULL;
-- What groups have committed.
CREATE TABLE committed (
    consumer_group TEXT    NOT NULL,
    partition      INTEGER NOT NULL,
    offset         INTEGER NOT NULL,
    metadata       TEXT    NOT NULL,
    at             INTEGER NOT NULL,
    PRIMARY KEY (consumer_group, partition)
) WITHOUT ROWID;
-- Which transactor of an id is the newest.
CREATE TABLE transactor (
    id    TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL
) WITHOUT ROWID;
-- For people with a shell.
CREATE VIEW records AS
    SELECT topic, number AS partition, place & 1099511627775 AS offset,
           datetime(at / 1000, 'unixepoch') AS at, CAST(key AS TEXT) AS key,
           CAST(payload AS TEXT) AS payload
    FROM record JOIN partition ON partition.id = place >> 40;
";

/// Where the log lies under `data_dir`.
pub(super) fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("log.db")
}

/// Takes the lock. It is held until the returned file is dropped.
pub(super) fn lock(data_dir: &Path) -> Result<File, BusError> {
    // What bots and people write is nobody else's.
    let made = DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data_dir);
    made.map_err(|error| refused(data_dir, &error))?;
    let path = data_dir.join("log.lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| refused(&path, &error))?;
    let started = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if started.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(TryLockError::WouldBlock) => return Err(BusError::InUse(self::path(data_dir))),
            Err(TryLockError::Error(error)) => return Err(refused(&path, &error)),
        }
    }
}

/// The writer's connection. Makes the file if there is none; the lock must be held.
pub(super) fn writable(path: &Path) -> Result<Connection, BusError> {
    let broken = |error: rusqlite::Error| refused(path, &error);
    let connection = Connection::open(path).map_err(broken)?;
    prepare(&connection).map_err(broken)?;
    let format: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(broken)?;
    match format {
        FORMAT => Ok(connection),
        0 => {
            make(&connection).map_err(broken)?;
            Ok(connection)
        }
        found => Err(BusError::Format {
            path: path.to_owned(),
            found,
            known: FORMAT,
        }),
    }
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    // Both have an effect on a new file only. Of usual records four fit a page of 4 KiB and ten one of 8 KiB, so larger
    // pages cost a fifth less time for each record; freed ones can be given back to the system piecemeal.
    connection.pragma_update(None, "page_size", 8 * 1024)?;
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    // A batch at full speed changes more than the usual 2 and 4 MB: it would go to disk and be read back before its commit,
    // and into the file with every commit.
    connection.pragma_update(None, "cache_size", -16 * 1024)?;
    connection.pragma_update(None, "wal_autocheckpoint", 2_000)?;
    // Whoever looks on from another process may hold the file for a moment.
    connection.busy_timeout(Duration::from_secs(1))
}

fn make(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {FORMAT}; COMMIT;"
    ))
}

/// A reader's connection.
pub(super) fn readable(path: &Path) -> Result<Connection, BusError> {
    let broken = |error: rusqlite::Error| refused(path, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(broken)?;
    connection
        .busy_timeout(Duration::from_secs(5))
        .map_err(broken)?;
    connection
        .pragma_update(None, "cache_size", -2 * 1024)
        .map_err(broken)?;
    let format: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(broken)?;
    match format {
        FORMAT => Ok(connection),
        found => Err(BusError::Format {
            path: path.to_owned(),
            found,
            known: FORMAT,
        }),
    }
}

fn refused(path: &Path, error: &dyn std::fmt::Display) -> BusError {
    BusError::Storage {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}
