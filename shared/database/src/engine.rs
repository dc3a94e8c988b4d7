//! Runs a statement on a connection of either engine.
//!
//! In: `database.rs`, `transaction.rs`, `migrations.rs`. Out: rows, or the number of rows changed.
//! Invariant: both engines get the same question and the same values. No timeouts and no retries here.

use std::future::Future;

use sqlx::postgres::Postgres;
use sqlx::sqlite::Sqlite;
use sqlx::{Executor, SqlSafeStr, SqlStr};

use crate::row::{Inner, Row};
use crate::{Statement, Value};

type Answer<T> = Result<T, sqlx::Error>;

/// What the two engines are asked alike.
pub(crate) trait Engine: sqlx::Database {
    /// Begins a transaction that will write, with its lock taken now rather than at the first write.
    const BEGIN: &'static str;
    /// Within a transaction: waits until no other process migrates, and keeps others waiting.
    const LOCK: &'static str;

    /// How many tables of migrations there are: `n` is 0 or 1.
    const MIGRATED: Statement;

    /// The text of a statement for this engine.
    fn text(statement: &Statement) -> &'static str;

    /// All rows of an answer.
    fn fetch(
        connection: &mut Self::Connection,
        statement: &Statement,
        values: &[Value],
    ) -> impl Future<Output = Answer<Vec<Row>>> + Send;

    /// The number of rows changed.
    fn execute(
        connection: &mut Self::Connection,
        statement: &Statement,
        values: &[Value],
    ) -> impl Future<Output = Answer<u64>> + Send;

    /// Checks that a statement fits the schema, without running it.
    fn check(
        connection: &mut Self::Connection,
        statement: &Statement,
    ) -> impl Future<Output = Answer<()>> + Send;

    /// Runs a text of one or more statements without values.
    fn script(
        connection: &mut Self::Connection,
        sql: &'static str,
    ) -> impl Future<Output = Answer<()>> + Send;
}

/// The query of a statement with its values, for the engine that the context wants.
macro_rules! bound {
    ($statement:ident, $values:ident) => {{
        let query = sqlx::query::<Self>(Self::text($statement)).persistent($statement.kept);
        $values.iter().fold(query, |query, value| match value {
            Value::Int(value) => query.bind(*value),
            Value::Text(value) => query.bind(value.clone()),
            Value::Bool(value) => query.bind(*value),
        })
    }};
}

macro_rules! engine {
    ($engine:ident, text: $text:ident, begin: $begin:literal, lock: $lock:literal, migrated: $migrated:literal) => {
        impl Engine for $engine {
            const BEGIN: &'static str = $begin;
            const LOCK: &'static str = $lock;
            const MIGRATED: Statement = Statement::new("migrated", $migrated);

            fn text(statement: &Statement) -> &'static str {
                statement.$text
            }

            async fn fetch(
                connection: &mut Self::Connection,
                statement: &Statement,
                values: &[Value],
            ) -> Answer<Vec<Row>> {
                let query = bound!(statement, values);
                let rows = query.fetch_all(connection).await?;
                Ok(rows
                    .into_iter()
                    .map(|row| Row(Inner::$engine(row)))
                    .collect())
            }

            async fn execute(
                connection: &mut Self::Connection,
                statement: &Statement,
                values: &[Value],
            ) -> Answer<u64> {
                let query = bound!(statement, values);
                Ok(query.execute(connection).await?.rows_affected())
            }

            async fn check(connection: &mut Self::Connection, statement: &Statement) -> Answer<()> {
                let sql: SqlStr = Self::text(statement).into_sql_str();
                connection.prepare(sql).await.map(drop)
            }

            async fn script(connection: &mut Self::Connection, sql: &'static str) -> Answer<()> {
                connection.execute(sqlx::raw_sql(sql)).await.map(drop)
            }
        }
    };
}

engine!(
    Sqlite,
    text: sqlite,
    // It would else take the write lock only at the first write, and fail there when another
    // process has written since. It is the lock of migrations as well.
    begin: "BEGIN IMMEDIATE",
    lock: "SELECT 1",
    migrated: "SELECT COUNT(*) AS n FROM sqlite_master WHERE name = 'gramtap_schema'"
);
engine!(
    Postgres,
    text: sql,
    begin: "BEGIN",
    // The number is arbitrary; all that matters is that nothing else in the database uses it.
    lock: "SELECT pg_advisory_xact_lock(7311284029446153505)",
    migrated: "SELECT COUNT(*) AS n FROM pg_tables
               WHERE tablename = 'gramtap_schema' AND schemaname = current_schema()"
);
