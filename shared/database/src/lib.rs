//! The SQL pool, schema and migrations for SQLite and Postgres.
//!
//! The way of a query, in order: `config.rs` reads where the database is → `database.rs` is the
//! handle that everybody clones; before its first query it has the schema brought up to date
//! (`migrations.rs`) → `engine.rs` runs a [`Statement`] (`statement.rs`) with its [`Value`]s on a
//! connection that `lease.rs` took from a pool (`pools.rs`) → [`Row`]s (`row.rs`), or an [`Error`]
//! (`error.rs`) that says whether asking again may help. Several statements that belong together
//! are a [`Transaction`] (`transaction.rs`), many rows at once a [`Bulk`] (`bulk.rs`).
//!
//! Invariant: no query runs against a schema that this binary does not know, and one subset of SQL
//! serves both engines: `$1` placeholders; TEXT, BIGINT and BOOLEAN columns; RETURNING and
//! ON CONFLICT. Opening does no I/O: a process starts while its database is away.

mod bulk;
mod config;
mod database;
mod engine;
mod error;
mod lease;
mod migrations;
mod pools;
mod row;
mod statement;
mod transaction;

pub use bulk::Bulk;
pub use config::DatabaseSection;
pub use database::Database;
pub use error::Error;
pub use row::Row;
pub use statement::{Statement, Value};
pub use transaction::Transaction;
