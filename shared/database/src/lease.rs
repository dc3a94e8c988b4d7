//! A connection taken from a pool, given back only if it is known to be at rest.
//!
//! In: `pools.rs`. Out: `database.rs`, `transaction.rs`, `migrations.rs`. Invariant: a connection
//! whose query was cut off (a timeout, a caller that left, a broken wire) or whose transaction was
//! not ended is closed and never used by anybody else; closing it undoes what was not committed.

use std::future::Future;
use std::time::{Duration, Instant};

use gramtap_telemetry::{Counter, Histogram};
use sqlx::Pool;
use sqlx::pool::PoolConnection;

use crate::engine::Engine;
use crate::{Error, Row, Statement, Value};

/// The connection.
pub(crate) struct Lease<E: Engine> {
    /// Taken only by drop.
    connection: Option<PoolConnection<E>>,
    /// How long one step may take.
    limit: Duration,
    /// A step was begun and not ended.
    in_step: bool,
    /// A transaction was begun and not ended.
    in_transaction: bool,
}

impl<E: Engine> Lease<E> {
    pub(crate) async fn take(pool: &Pool<E>, limit: Duration) -> Result<Self, Error> {
        let taken = pool.acquire().await.map_err(Error::from);
        let connection = Some(taken.inspect_err(|error| {
            Counter::RegistryQueries {
                result: error.label(),
            }
            .inc();
        })?);
        Ok(Self {
            connection,
            limit,
            in_step: false,
            in_transaction: false,
        })
    }

    pub(crate) async fn begin(&mut self) -> Result<(), Error> {
        self.in_transaction = true;
        self.script(E::BEGIN).await
    }

    pub(crate) async fn end(&mut self, how: &'static str) -> Result<(), Error> {
        self.script(how).await?;
        self.in_transaction = false;
        Ok(())
    }

    pub(crate) async fn fetch(
        &mut self,
        statement: &Statement,
        values: &[Value],
    ) -> Result<Vec<Row>, Error> {
        let limit = self.limit;
        let step = E::fetch(self.begin_step()?, statement, values);
        let answer = measured(limit, step).await;
        self.end_step(answer)
    }

    pub(crate) async fn execute(
        &mut self,
        statement: &Statement,
        values: &[Value],
    ) -> Result<u64, Error> {
        let limit = self.limit;
        let step = E::execute(self.begin_step()?, statement, values);
        let answer = measured(limit, step).await;
        self.end_step(answer)
    }

    pub(crate) async fn check(&mut self, statement: &Statement) -> Result<(), Error> {
        let limit = self.limit;
        let step = E::check(self.begin_step()?, statement);
        let answer = measured(limit, step).await;
        self.end_step(answer)
    }

    pub(crate) async fn script(&mut self, sql: &'static str) -> Result<(), Error> {
        let limit = self.limit;
        let step = E::script(self.begin_step()?, sql);
        let answer = measured(limit, step).await;
        self.end_step(answer)
    }

    fn begin_step(&mut self) -> Result<&mut E::Connection, Error> {
        self.in_step = true;
        let connection = self.connection.as_deref_mut();
        connection.ok_or(Error::Unavailable(sqlx::Error::PoolClosed))
    }

    /// The step is over, if the connection can be believed to know it as well.
    fn end_step<T>(&mut self, answer: Result<T, Error>) -> Result<T, Error> {
        self.in_step = answer.as_ref().is_err_and(Error::retry);
        answer
    }
}

impl<E: Engine> Drop for Lease<E> {
    fn drop(&mut self) {
        if (self.in_step || self.in_transaction)
            && let Some(connection) = self.connection.take()
        {
            drop(connection.detach());
        }
    }
}

/// Runs a step for `limit` at most, and counts it.
async fn measured<T>(
    limit: Duration,
    step: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, Error> {
    let began = Instant::now();
    let answer = match tokio::time::timeout(limit, step).await {
        Ok(answer) => answer.map_err(Error::from),
        Err(_) => Err(Error::Timeout(limit)),
    };
    Histogram::RegistrySeconds.record(began.elapsed());
    let result = answer.as_ref().map_or_else(Error::label, |_| "ok");
    Counter::RegistryQueries { result }.inc();
    answer
}
