//! The database on SQLite: schema, transactions, two handles on one file, connections cut off.
//!
//! In: files in a folder of the test's own. Out: pass or fail. The same things on Postgres, and each
//! query of the registry on both, are in `tests/it/tenants`. Needs nothing but cargo.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use futures_util::future::join_all;
use gramtap_database::{Database, DatabaseSection, Error, Statement};
use gramtap_settings::SecretString;

const COUNT: Statement = Statement::new("count", "SELECT COUNT(*) AS n FROM leases");
const ADD: Statement = Statement::new(
    "add",
    "INSERT INTO leases (name, holder, until) VALUES ($1, $2, $3)",
);
const TICK: Statement = Statement::new(
    "tick",
    "UPDATE registry_clock SET value = value + 1 RETURNING value",
);

fn open(folder: &Path) -> Database {
    let section = DatabaseSection {
        url: SecretString::default(),
        max_connections: 4,
    };
    Database::open(&section, folder).unwrap()
}

async fn count(database: &Database) -> i64 {
    let row = database.first(&COUNT, &[]).await.unwrap().unwrap();
    row.get("n").unwrap()
}

#[tokio::test]
async fn the_first_query_makes_file_and_schema() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("new/data");
    let database = open(&data);
    assert!(!data.exists(), "opening did I/O");
    assert_eq!(count(&database).await, 0);
    for file in ["registry.db", "registry.db-wal"] {
        let mode = data.join(file).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{file} is open to others: {mode:o}");
    }
}

#[tokio::test]
async fn a_second_start_finds_what_the_first_one_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    let values = ["a".into(), "me".into(), 1.into()];
    assert_eq!(first.execute(&ADD, &values).await.unwrap(), 1);
    first.close().await;
    assert_eq!(count(&open(folder.path())).await, 1);
}

/// How many there are.
fn migrations() -> i64 {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    i64::try_from(std::fs::read_dir(folder).unwrap().count()).unwrap()
}

#[tokio::test]
async fn many_starts_at_once_migrate_once() {
    let folder = tempfile::tempdir().unwrap();
    let databases: Vec<Database> = (0..6).map(|_| open(folder.path())).collect();
    for start in join_all(databases.iter().map(Database::prepare)).await {
        start.unwrap();
    }
    const APPLIED: Statement =
        Statement::new("applied", "SELECT COUNT(*) AS n FROM gramtap_schema");
    let row = databases[0].first(&APPLIED, &[]).await.unwrap().unwrap();
    assert_eq!(row.get::<i64>("n").unwrap(), migrations());
}

#[tokio::test]
async fn a_newer_schema_is_refused_with_both_numbers() {
    const NEWER: Statement = Statement::new(
        "newer",
        "INSERT INTO gramtap_schema (version, name, digest, applied_at) VALUES (99, 'x', 'x', 'x')",
    );
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    first.execute(&NEWER, &[]).await.unwrap();
    first.close().await;
    let error = open(folder.path()).prepare().await.unwrap_err();
    assert!(
        matches!(error, Error::Newer { found: 99, known } if known == migrations()),
        "{error}"
    );
    assert!(!error.retry());
    assert!(error.to_string().contains("99"), "{error}");
}

#[tokio::test]
async fn what_is_not_committed_is_undone() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(folder.path());
    let mut dropped = database.begin().await.unwrap();
    dropped
        .execute(&ADD, &["a".into(), "me".into(), 1.into()])
        .await
        .unwrap();
    drop(dropped);
    let mut undone = database.begin().await.unwrap();
    undone
        .execute(&ADD, &["a".into(), "me".into(), 1.into()])
        .await
        .unwrap();
    undone.rollback().await.unwrap();
    let mut kept = database.begin().await.unwrap();
    kept.execute(&ADD, &["b".into(), "me".into(), 1.into()])
        .await
        .unwrap();
    kept.commit().await.unwrap();
    assert_eq!(count(&database).await, 1);
}

#[tokio::test]
async fn a_contradiction_is_told_from_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(folder.path());
    let values = ["a".into(), "me".into(), 1.into()];
    database.execute(&ADD, &values).await.unwrap();
    let twice = database.execute(&ADD, &values).await.unwrap_err();
    assert!(matches!(twice, Error::Conflict), "{twice:?}");
    const WRONG: Statement = Statement::new("wrong", "SELECT nothing FROM leases");
    let wrong = database.check(&WRONG).await.unwrap_err();
    assert!(matches!(wrong, Error::Bug(_)), "{wrong:?}");
}

#[tokio::test]
async fn two_processes_worth_of_writers_take_turns() {
    const TURNS: i64 = 40;
    let folder = tempfile::tempdir().unwrap();
    // Each handle has its own connections, as another process would.
    let databases: Vec<Database> = (0..3).map(|_| open(folder.path())).collect();
    let writers = databases.iter().map(async |database| {
        let mut seen = Vec::new();
        for _ in 0..TURNS {
            let mut transaction = database.begin().await.unwrap();
            let row = transaction.first(&TICK, &[]).await.unwrap().unwrap();
            seen.push(row.get::<i64>("value").unwrap());
            transaction.commit().await.unwrap();
        }
        seen
    });
    let mut all = join_all(writers).await.concat();
    all.sort_unstable();
    assert_eq!(all, (1..=3 * TURNS).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_caller_that_leaves_harms_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(folder.path());
    database.prepare().await.unwrap();
    for _ in 0..50 {
        let work = async {
            let mut transaction = database.begin().await?;
            transaction.first(&TICK, &[]).await?;
            transaction.commit().await
        };
        // Cut off at whatever point it has come to.
        drop(tokio::time::timeout(Duration::from_micros(300), work).await);
    }
    let mut transaction = database.begin().await.unwrap();
    transaction.first(&TICK, &[]).await.unwrap();
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_unavailable() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("registry.db")).unwrap();
    let error = open(folder.path()).prepare().await.unwrap_err();
    assert!(error.retry(), "{error:?}");
}
