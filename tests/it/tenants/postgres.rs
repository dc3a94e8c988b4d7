//! What the registry promises, on Postgres.
//!
//! In: `../tenants.rs`. Out: pass or fail. The same on SQLite is in `shared/tenants/tests`.

use futures_util::future::join_all;
use gramtap_database::{Error, Statement};
use gramtap_tenants::RegistryError;
use tokio::task::LocalSet;

use super::*;

#[tokio::test]
async fn the_registry_keeps_its_promises() {
    let sql = Sql::new("suite").await;
    suite::all(&sql.open()).await;
    sql.remove().await;
}

#[tokio::test]
async fn many_processes_that_start_at_once_migrate_once() {
    const APPLIED: Statement = Statement::new("n", "SELECT COUNT(*) AS n FROM gramtap_schema");
    let sql = Sql::new("migrate").await;
    let registries: Vec<Registry> = (0..6).map(|_| sql.open()).collect();
    for start in join_all(registries.iter().map(|it| it.database().prepare())).await {
        start.unwrap();
    }
    let row = registries[0].database().first(&APPLIED, &[]).await.unwrap();
    let migrations = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/database/migrations");
    let migrations = std::fs::read_dir(migrations).unwrap().count();
    assert_eq!(row.unwrap().get::<i64>("n").unwrap(), migrations as i64);
    sql.remove().await;
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    const NEWER: Statement = Statement::new(
        "newer",
        "INSERT INTO gramtap_schema (version, name, digest, applied_at) VALUES (99, 'x', 'x', 'x')",
    );
    let sql = Sql::new("newer").await;
    sql.open().database().execute(&NEWER, &[]).await.unwrap();
    let refused = sql.open().list().await.unwrap_err();
    assert!(matches!(
        refused,
        RegistryError::Database(Error::Newer { found: 99, .. })
    ));
    sql.remove().await;
}

#[tokio::test]
async fn directories_with_redis_agree_with_a_plain_map() {
    let sql = Sql::new("model").await;
    let cache = Cache::new(5).await;
    let seed = u64::from(std::process::id());
    let redis = [Some(cache.open()), Some(cache.open())];
    let agrees = model::agrees([sql.open(), sql.open()], redis, seed);
    LocalSet::new().run_until(agrees).await;
    sql.remove().await;
}

#[tokio::test]
async fn a_server_that_comes_back_is_used_again() {
    let sql = Sql::new("back").await;
    let registry = sql.open();
    add(&registry, 1).await;
    sql.wire.cut();
    let away = registry.list().await.unwrap_err();
    assert!(away.retry(), "{away:?}");
    sql.wire.mend();
    add(&registry, 2).await;
    sql.wire.freeze();
    let frozen = registry.list().await.unwrap_err();
    assert!(frozen.retry(), "{frozen:?}");
    sql.wire.mend();
    add(&registry, 3).await;
    assert_eq!(registry.list().await.unwrap().len(), 3);
    sql.remove().await;
}
