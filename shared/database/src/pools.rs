//! The connections: for SQLite one that writes and some that read, for Postgres one pool.
//!
//! In: `config.rs`. Out: leases, to `database.rs`. Invariant: making the pools does no I/O; the
//! SQLite file is readable by its owner alone, and may be used by a second process at the same time.
//! When all connections are taken, or the server is away, taking one fails after [`PATIENCE`].

use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions, Postgres};
use sqlx::sqlite::{
    Sqlite, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Pool};
use tokio::time::{Instant, sleep};

use crate::Error;
use crate::config::Target;
use crate::lease::Lease;

/// How long a caller waits for a connection.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);
/// How long SQLite waits for another process's write: less than a statement may take.
const BUSY: Duration = Duration::from_secs(4);
/// How soon a refused connection is tried again.
const AGAIN: Duration = Duration::from_millis(25);
/// Connections that read an SQLite file; each is a thread.
const READERS: u32 = 4;
/// How much of the file a connection remembers at most, in KiB below zero, as SQLite has it. A batch of sums of many bots changes some
/// megabytes in many places, and a page reads some; with the usual 2 MB both would be read over and over.
const WRITER_CACHE: &str = "-32768";
const READER_CACHE: &str = "-8192";
/// How long an unused connection is kept.
const IDLE: Duration = Duration::from_secs(300);

pub(crate) enum Pools {
    Sqlite {
        file: PathBuf,
        writer: Pool<Sqlite>,
        readers: Pool<Sqlite>,
    },
    Postgres(Pool<Postgres>),
}

impl Pools {
    pub(crate) fn new(target: Target, max_connections: u32) -> Self {
        match target {
            Target::Sqlite(file) => sqlite(file),
            Target::Postgres(options) => postgres(*options, max_connections),
        }
    }
}

fn sqlite(file: PathBuf) -> Pools {
    let options = SqliteConnectOptions::new()
        .filename(&file)
        .create_if_missing(false)
        .busy_timeout(BUSY)
        .foreign_keys(true)
        .disable_statement_logging();
    let pool = || {
        SqlitePoolOptions::new()
            .acquire_timeout(BUSY + PATIENCE)
            .max_lifetime(None)
            .test_before_acquire(false)
    };
    let writing = options
        .clone()
        .journal_mode(SqliteJournalMode::Wal)
        .pragma("cache_size", WRITER_CACHE)
        // In pages of 4 KiB.
        .pragma("wal_autocheckpoint", "4000")
        // The registry changes rarely, and what it was told must survive the power.
        .synchronous(SqliteSynchronous::Full);
    Pools::Sqlite {
        writer: pool()
            .max_connections(1)
            .idle_timeout(None)
            .connect_lazy_with(writing),
        readers: pool()
            .max_connections(READERS)
            .idle_timeout(IDLE)
            .connect_lazy_with(options.read_only(true).pragma("cache_size", READER_CACHE)),
        file,
    }
}

fn postgres(options: PgConnectOptions, max_connections: u32) -> Pools {
    let options = options
        .application_name("gramtap")
        .disable_statement_logging();
    let pool = PgPoolOptions::new()
        .max_connections(max_connections.max(1))
        .acquire_timeout(PATIENCE)
        .idle_timeout(IDLE)
        .connect_lazy_with(options);
    Pools::Postgres(pool)
}

/// The first connection that writes. Of several processes that turn a new file to write-ahead
/// logging at once, all but one are refused, and SQLite does not wait for that by itself.
pub(crate) async fn first_writer(
    writer: &Pool<Sqlite>,
    limit: Duration,
) -> Result<Lease<Sqlite>, Error> {
    let patience = Instant::now() + BUSY;
    loop {
        match Lease::take(writer, limit).await {
            Err(error) if error.is_busy() && Instant::now() < patience => sleep(AGAIN).await,
            taken => return taken,
        }
    }
}

/// Makes the SQLite file, if there is none, so that only its owner can read it.
pub(crate) fn make_file(file: &Path) -> Result<(), Error> {
    let unavailable = |error| Error::Unavailable(sqlx::Error::Io(error));
    if let Some(folder) = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(unavailable)?;
    }
    let made = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(file);
    made.map(drop).map_err(unavailable)
}
