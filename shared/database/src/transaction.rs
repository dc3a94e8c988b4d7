//! Statements that are done together or not at all.
//!
//! In: `Database::begin`. Out: to whoever changes several rows. Invariant: nothing is kept unless
//! [`Transaction::commit`] returned; dropped or failed, all of it is undone. After an error inside,
//! a transaction is only good for being dropped.

use sqlx::postgres::Postgres;
use sqlx::sqlite::Sqlite;

use crate::lease::Lease;
use crate::{Bulk, Error, Row, Statement, Value};

/// A transaction that writes.
pub struct Transaction(pub(crate) Inner);

pub(crate) enum Inner {
    Sqlite(Lease<Sqlite>),
    Postgres(Lease<Postgres>),
}

impl Transaction {
    /// The rows of a query.
    pub async fn fetch(
        &mut self,
        statement: &Statement,
        values: &[Value],
    ) -> Result<Vec<Row>, Error> {
        match &mut self.0 {
            Inner::Sqlite(lease) => lease.fetch(statement, values).await,
            Inner::Postgres(lease) => lease.fetch(statement, values).await,
        }
    }

    /// The first row of a query.
    pub async fn first(
        &mut self,
        statement: &Statement,
        values: &[Value],
    ) -> Result<Option<Row>, Error> {
        Ok(self.fetch(statement, values).await?.into_iter().next())
    }

    /// Writes; returns how many rows were changed.
    pub async fn execute(&mut self, statement: &Statement, values: &[Value]) -> Result<u64, Error> {
        match &mut self.0 {
            Inner::Sqlite(lease) => lease.execute(statement, values).await,
            Inner::Postgres(lease) => lease.execute(statement, values).await,
        }
    }

    /// The rows that a statement over many rows answers; `values` are those of all rows, one after another.
    pub async fn fetch_bulk(
        &mut self,
        bulk: &'static Bulk,
        values: &[Value],
    ) -> Result<Vec<Row>, Error> {
        let mut rows = Vec::new();
        for (statement, values) in bulk.parts(values) {
            rows.extend(self.fetch(statement, values).await?);
        }
        Ok(rows)
    }

    /// Writes many rows; `values` are those of all rows, one after another. Returns how many were changed.
    pub async fn execute_bulk(
        &mut self,
        bulk: &'static Bulk,
        values: &[Value],
    ) -> Result<u64, Error> {
        let mut changed = 0;
        for (statement, values) in bulk.parts(values) {
            changed += self.execute(statement, values).await?;
        }
        Ok(changed)
    }

    /// Keeps what was done. An error that may be retried leaves it open whether it was kept.
    pub async fn commit(mut self) -> Result<(), Error> {
        self.end("COMMIT").await
    }

    /// Undoes what was done. Dropping does so too, at the price of the connection.
    pub async fn rollback(mut self) -> Result<(), Error> {
        self.end("ROLLBACK").await
    }

    async fn end(&mut self, how: &'static str) -> Result<(), Error> {
        match &mut self.0 {
            Inner::Sqlite(lease) => lease.end(how).await,
            Inner::Postgres(lease) => lease.end(how).await,
        }
    }
}
