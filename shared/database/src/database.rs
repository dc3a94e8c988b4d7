//! The handle that everybody who needs SQL clones.
//!
//! In: `config.rs` at start, queries from the crates that own the tables. Out: rows. Invariant:
//! opening does no I/O, and the first query waits until the schema is that of this binary, however
//! late the database comes. While it is away every call fails within a few seconds with an error
//! whose [`Error::retry`] is true; no call waits for ever.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;

use crate::config::Target;
use crate::lease::Lease;
use crate::migrations;
use crate::pools::{self, Pools};
use crate::transaction::{self, Transaction};
use crate::{DatabaseSection, Error, Row, Statement, Value};

/// How long one statement may take.
const STATEMENT: Duration = Duration::from_secs(5);
/// How long one step of a migration may take, the wait for another process's included.
const MIGRATION: Duration = Duration::from_secs(300);

/// The database.
#[derive(Clone)]
pub struct Database(Arc<Inner>);

struct Inner {
    pools: Pools,
    /// The schema is known to be up to date.
    ready: AtomicBool,
    /// Held by the one that brings it up to date.
    gate: Mutex<()>,
}

impl Database {
    /// Reads where the database is. Connects to nothing yet.
    pub fn open(section: &DatabaseSection, data_dir: &Path) -> Result<Self, Error> {
        let target = Target::read(section, data_dir)?;
        Ok(Self(Arc::new(Inner {
            pools: Pools::new(target, section.max_connections),
            ready: AtomicBool::new(false),
            gate: Mutex::new(()),
        })))
    }

    /// Which engine it is: `sqlite` or `postgres`.
    #[must_use]
    pub fn engine(&self) -> &'static str {
        match self.0.pools {
            Pools::Sqlite { .. } => "sqlite",
            Pools::Postgres(_) => "postgres",
        }
    }

    /// Brings the schema up to date, unless this was done before. Every query does so, too; calling
    /// it at start makes a refusal ([`Error::Newer`]) known before the first call.
    pub async fn prepare(&self) -> Result<(), Error> {
        if self.0.ready.load(Ordering::Acquire) {
            return Ok(());
        }
        let _gate = self.0.gate.lock().await;
        if self.0.ready.load(Ordering::Acquire) {
            return Ok(());
        }
        match &self.0.pools {
            Pools::Sqlite { file, writer, .. } => {
                pools::make_file(file)?;
                let mut lease = pools::first_writer(writer, MIGRATION).await?;
                migrations::run(&mut lease, migrations::ALL).await?;
            }
            Pools::Postgres(pool) => {
                let mut lease = Lease::take(pool, MIGRATION).await?;
                migrations::run(&mut lease, migrations::ALL).await?;
            }
        }
        self.0.ready.store(true, Ordering::Release);
        Ok(())
    }

    /// The rows of a query that only reads. Asked a second time if the connection broke.
    pub async fn fetch(&self, statement: &Statement, values: &[Value]) -> Result<Vec<Row>, Error> {
        self.prepare().await?;
        match self.fetch_once(statement, values).await {
            Err(Error::Unavailable(sqlx::Error::Io(_) | sqlx::Error::Protocol(_))) => {
                self.fetch_once(statement, values).await
            }
            answer => answer,
        }
    }

    /// The first row of a query that only reads.
    pub async fn first(
        &self,
        statement: &Statement,
        values: &[Value],
    ) -> Result<Option<Row>, Error> {
        Ok(self.fetch(statement, values).await?.into_iter().next())
    }

    /// Writes with one statement; returns how many rows were changed.
    pub async fn execute(&self, statement: &Statement, values: &[Value]) -> Result<u64, Error> {
        self.prepare().await?;
        match &self.0.pools {
            Pools::Sqlite { writer, .. } => {
                let mut lease = Lease::take(writer, STATEMENT).await?;
                lease.execute(statement, values).await
            }
            Pools::Postgres(pool) => {
                let mut lease = Lease::take(pool, STATEMENT).await?;
                lease.execute(statement, values).await
            }
        }
    }

    /// Begins a transaction that will write.
    pub async fn begin(&self) -> Result<Transaction, Error> {
        self.prepare().await?;
        let inner = match &self.0.pools {
            Pools::Sqlite { writer, .. } => {
                let mut lease = Lease::take(writer, STATEMENT).await?;
                lease.begin().await?;
                transaction::Inner::Sqlite(lease)
            }
            Pools::Postgres(pool) => {
                let mut lease = Lease::take(pool, STATEMENT).await?;
                lease.begin().await?;
                transaction::Inner::Postgres(lease)
            }
        };
        Ok(Transaction(inner))
    }

    /// Checks that a statement fits the schema, without running it.
    pub async fn check(&self, statement: &Statement) -> Result<(), Error> {
        self.prepare().await?;
        match &self.0.pools {
            Pools::Sqlite { writer, .. } => {
                let mut lease = Lease::take(writer, STATEMENT).await?;
                lease.check(statement).await
            }
            Pools::Postgres(pool) => {
                let mut lease = Lease::take(pool, STATEMENT).await?;
                lease.check(statement).await
            }
        }
    }

    /// Closes all connections, after their queries.
    pub async fn close(&self) {
        match &self.0.pools {
            Pools::Sqlite {
                writer, readers, ..
            } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }

    async fn fetch_once(&self, statement: &Statement, values: &[Value]) -> Result<Vec<Row>, Error> {
        match &self.0.pools {
            Pools::Sqlite { readers, .. } => {
                let mut lease = Lease::take(readers, STATEMENT).await?;
                lease.fetch(statement, values).await
            }
            Pools::Postgres(pool) => {
                let mut lease = Lease::take(pool, STATEMENT).await?;
                lease.fetch(statement, values).await
            }
        }
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Database").field(&self.engine()).finish()
    }
}
