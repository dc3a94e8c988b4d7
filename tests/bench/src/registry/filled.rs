//! A registry of many bots: a database of its own in Postgres, and one in Redis.
//!
//! In: `GRAMTAP_TEST_POSTGRES`, `GRAMTAP_TEST_REDIS`. Out: handles as a process has them. Invariant: the schema is the project's; rows are as
//! `gramtap bots add` writes them, but that codes count, so that they are written quickly. What an earlier run left is removed first.

use anyhow::{Context as _, Result};
use gramtap_settings::Settings;
use gramtap_tenants::{Code, Opened, TenantsConfig};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

/// The id of the bot that was connected first; the others follow it.
const FIRST: i64 = 700_000_001;
/// The database in Postgres.
const DATABASE: &str = "gramtap_bench";
/// The database in Redis: the last one that there usually is.
const REDIS: &str = "15";
/// An address where nobody answers.
const NOWHERE: &str = "postgres://127.0.0.1:1/nothing";

/// See the file's header.
pub(super) struct Filled {
    folder: tempfile::TempDir,
    /// A database beside ours.
    beside: String,
    postgres: String,
    redis: String,
}

impl Filled {
    pub(super) async fn new(bots: u32) -> Result<Self> {
        let beside = address("GRAMTAP_TEST_POSTGRES")?;
        let redis = address("GRAMTAP_TEST_REDIS")?;
        let filled = Self {
            folder: tempfile::tempdir()?,
            postgres: in_database(&beside, DATABASE),
            redis: in_database(&redis, REDIS),
            beside,
        };
        filled.remove().await?;
        filled.fill(bots).await.context("filling the registry")?;
        Ok(filled)
    }

    async fn fill(&self, bots: u32) -> Result<()> {
        run(&self.beside, &format!("CREATE DATABASE {DATABASE}")).await?;
        let database = self.open()?.registry.database().clone();
        database.prepare().await?;
        database.close().await;
        let rows = format!(
            "INSERT INTO tenants (id, code, bot, privacy, version, created_at, gone)
             SELECT label, label, {FIRST} + place, 'pseudonymous', place + 1, '2026-01-01T00:00:00.000000Z', FALSE
             FROM generate_series(0, {bots} - 1) AS place,
                 LATERAL (SELECT translate(lpad(place::text, 25, '0'), '0123456789', '{DIGITS}') || '{KNOWN}') AS it (label);
             UPDATE registry_clock SET value = {bots}"
        );
        run(&self.postgres, &rows).await?;
        run(&self.postgres, "VACUUM ANALYZE").await
    }

    /// The registry and Redis.
    pub(super) fn open(&self) -> Result<Opened> {
        self.open_at(&self.postgres)
    }

    /// Redis, and a registry that cannot be reached.
    pub(super) fn open_without_sql(&self) -> Result<Opened> {
        self.open_at(NOWHERE)
    }

    fn open_at(&self, postgres: &str) -> Result<Opened> {
        let variables = [
            ("GRAMTAP_DATABASE__URL", postgres),
            ("GRAMTAP_REDIS__URL", &self.redis),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let settings = Settings::load(None, variables.into_iter())?;
        Ok(TenantsConfig::load(&settings, self.folder.path())?.open()?)
    }

    /// Leaves nothing behind.
    pub(super) async fn remove(&self) -> Result<()> {
        let drop = format!("DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)");
        run(&self.beside, &drop).await?;
        let client = redis::Client::open(self.redis.as_str())?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        Ok(redis::cmd("FLUSHDB").query_async(&mut connection).await?)
    }
}

/// Digits as codes have them, and what a code ends with: one that is there, and one that is not but lies beside it.
const DIGITS: &str = "abcdefghij";
const KNOWN: char = '2';
const UNKNOWN: char = '3';

/// The code of a bot, by how many were connected before it.
pub(super) fn known(place: u32) -> Result<Code> {
    code(place, KNOWN)
}

/// A code that nobody has.
pub(super) fn unknown(place: u32) -> Result<Code> {
    code(place, UNKNOWN)
}

fn code(place: u32, end: char) -> Result<Code> {
    let digits = format!("{place:025}");
    let digits = digits.bytes().map(|digit| char::from(digit - b'0' + b'a'));
    let code: String = digits.chain([end]).collect();
    Ok(code.parse()?)
}

async fn run(address: &str, statements: &str) -> Result<()> {
    let mut connection = PgConnection::connect(address).await?;
    let statements = AssertSqlSafe(statements.to_owned());
    connection.execute(sqlx::raw_sql(statements)).await?;
    Ok(connection.close().await?)
}

fn address(variable: &str) -> Result<String> {
    let address = std::env::var(variable);
    address.with_context(|| format!("{variable} is not set: run `make bench`, which starts it"))
}

/// The address of another database of the same server.
fn in_database(address: &str, name: &str) -> String {
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    let server = rest.split_once('/').map_or(rest, |(server, _)| server);
    format!("{scheme}://{server}/{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_has_many_databases() {
        for (address, expected) in [
            ("redis://127.0.0.1:6379", "redis://127.0.0.1:6379/x"),
            ("redis://127.0.0.1:6379/", "redis://127.0.0.1:6379/x"),
            ("postgres://me@host:5432/mine", "postgres://me@host:5432/x"),
        ] {
            assert_eq!(in_database(address, "x"), expected, "{address}");
        }
    }

    #[test]
    fn unknown_codes_are_codes_and_differ() {
        let code = unknown(123_456).unwrap();
        assert_eq!(code.as_str(), "aaaaaaaaaaaaaaaaaaabcdefg3");
        assert_ne!(unknown(7).unwrap(), unknown(70).unwrap());
        assert_ne!(unknown(7).unwrap(), known(7).unwrap());
    }
}
