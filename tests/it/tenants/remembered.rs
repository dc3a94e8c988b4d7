//! Redis: frozen, restarted, emptied, and never led back to an older version.
//!
//! In: `../tenants.rs`. Out: pass or fail.

use std::time::Instant;

use tokio::task::LocalSet;

use super::*;

#[tokio::test]
async fn a_frozen_redis_does_not_slow_each_look_up() {
    const LOOKUPS: i64 = 60;
    let (sql, cache) = (Sql::new("frozen").await, Cache::new(9).await);
    let direct = sql.open_directly();
    let follow = async {
        let (directory, _refreshing) = Directory::start(&sql.open(), Some(cache.open()), None);
        add(&direct, 1).await;
        until_found(&directory, bot(1)).await;
        cache.wire.freeze();
        let mut waited = Duration::ZERO;
        for id in 2..2 + LOOKUPS {
            add(&direct, id).await;
            let began = Instant::now();
            assert!(directory.find(bot(id)).await.found().is_some());
            waited += began.elapsed();
        }
        // Each of them waiting for Redis would be six seconds.
        assert!(waited < Duration::from_secs(3), "{waited:?}");
        cache.wire.mend();
    };
    LocalSet::new().run_until(follow).await;
    sql.remove().await;
}

#[tokio::test]
async fn an_older_version_never_replaces_a_newer_one() {
    let (sql, cache) = (Sql::new("newer").await, Cache::new(10).await);
    let direct = sql.open_directly();
    let follow = async {
        let (directory, _refreshing) = Directory::start(&sql.open(), Some(cache.open()), None);
        add(&direct, 1).await;
        until_found(&directory, bot(1)).await;
        // Another process has told it of a change that this one has not heard of.
        cache.directly::<()>(&["SET", "gt:bot:2", "999999 "]).await;
        cache.directly::<()>(&["SET", "gt:bot:3", "0 "]).await;
        add(&direct, 2).await;
        let last = add(&direct, 3).await;
        let told = async {
            loop {
                let value: Option<String> = cache.directly(&["GET", "gt:bot:3"]).await;
                if value.is_some_and(|value| value.starts_with(&format!("{} {{", last.version))) {
                    return;
                }
                directory.find(bot(3)).await;
                // paced: asks again until it is so
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(DEADLINE, told)
            .await
            .expect("redis is told of bot 3");
        directory.find(bot(2)).await;
        let kept: String = cache.directly(&["GET", "gt:bot:2"]).await;
        assert_eq!(kept, "999999 ");
    };
    LocalSet::new().run_until(follow).await;
    sql.remove().await;
}

#[tokio::test]
async fn a_redis_that_lost_its_memory_is_told_again() {
    let (sql, cache) = (Sql::new("emptied").await, Cache::new(11).await);
    let direct = sql.open_directly();
    let follow = async {
        let (directory, _refreshing) = Directory::start(&sql.open(), Some(cache.open()), None);
        let tenant = add(&direct, 1).await;
        until_found(&directory, bot(1)).await;
        let keys = ["gt:bot:1".to_owned(), format!("gt:code:{}", tenant.code)];
        let told = async || {
            for key in &keys {
                while !cache.directly::<bool>(&["EXISTS", key]).await {
                    // paced: asks again until it is so
                    sleep(Duration::from_millis(50)).await;
                }
            }
        };
        timeout(DEADLINE, told()).await.expect("redis is told");
        // Restarted without its data.
        cache.wire.cut();
        cache.directly::<()>(&["FLUSHDB"]).await;
        cache.wire.mend();
        timeout(DEADLINE, told())
            .await
            .expect("redis is told again");
        let value: String = cache.directly(&["GET", "gt:bot:1"]).await;
        assert!(value.contains(tenant.code.as_str()), "{value}");
        let left: i64 = cache.directly(&["PTTL", "gt:bot:1"]).await;
        assert!(left > 0, "it is forgotten some day");
    };
    LocalSet::new().run_until(follow).await;
    sql.remove().await;
}
