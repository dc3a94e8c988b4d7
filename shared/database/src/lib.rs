//! The SQL pool, schema and migrations for SQLite and Postgres.
