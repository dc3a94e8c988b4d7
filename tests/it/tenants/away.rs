//! Look-ups while Postgres and Redis are gone, frozen, and back.
//!
//! In: `../tenants.rs`. Out: pass or fail. Invariant: no bot is refused because something was away.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use gramtap_bus::Bus;
use gramtap_bus::conformance::embedded;
use tokio::task::LocalSet;

use super::*;

const BOTS: i64 = 20;

/// How long one look-up may take on a machine that is busy; it gives up after two seconds itself.
const LONGEST: Duration = Duration::from_secs(5);

async fn add_bots(registry: &Registry) -> Vec<Tenant> {
    let mut added = Vec::new();
    for id in 1..=BOTS {
        added.push(add(registry, id).await);
    }
    added
}

/// All known bots are served at once, and a stranger, another one each time, is passed on.
async fn serves_what_it_knows(directory: &Directory, known: &[Tenant], when: &str) {
    static STRANGER: AtomicI64 = AtomicI64::new(1_000_000);
    for tenant in known {
        for key in [Key::Code(tenant.code), bot(tenant.bot.unwrap().0)] {
            let lookup = directory.cached(&key);
            let lookup = lookup.unwrap_or_else(|| panic!("{when}: {key:?} is not known"));
            assert!(lookup.found().is_some(), "{when}: {key:?} is {lookup:?}");
        }
    }
    let stranger = bot(STRANGER.fetch_add(1, Ordering::Relaxed));
    let began = Instant::now();
    let lookup = directory.find(stranger).await;
    assert_eq!(lookup, Lookup::Unreachable, "{when}");
    assert!(began.elapsed() < LONGEST, "{when}: {:?}", began.elapsed());
}

#[tokio::test]
async fn known_bots_are_served_whatever_is_away() {
    let (sql, cache) = (Sql::new("away").await, Cache::new(6).await);
    let known = add_bots(&sql.open_directly()).await;
    let follow = async {
        let (directory, _refreshing) = Directory::start(&sql.open(), Some(cache.open()), None);
        for tenant in &known {
            until_found(&directory, Key::Code(tenant.code)).await;
        }
        type Fault = fn(&Wire);
        let faults: [(&str, Fault); 2] = [("cut", Wire::cut), ("frozen", Wire::freeze)];
        for (name, fault) in faults {
            fault(&sql.wire);
            fault(&cache.wire);
            for times in 0..20 {
                serves_what_it_knows(&directory, &known, &format!("{name}, {times}")).await;
            }
            // Meanwhile a bot is added by somebody who does reach the database.
            let id = i64::try_from(name.len()).unwrap() + 500;
            let added = add(&sql.open_directly(), id).await;
            sql.wire.mend();
            cache.wire.mend();
            until_found(&directory, Key::Code(added.code)).await;
            until(&directory, bot(987_654), |lookup| *lookup == Lookup::Absent).await;
        }
    };
    LocalSet::new().run_until(follow).await;
    sql.remove().await;
}

#[tokio::test]
async fn a_start_without_sql_is_served_by_redis() {
    let (sql, cache) = (Sql::new("start").await, Cache::new(7).await);
    let known = add_bots(&sql.open_directly()).await;
    let follow = async {
        let (directory, refreshing) = Directory::start(&sql.open(), Some(cache.open()), None);
        until_found(&directory, bot(1)).await;
        // It tells Redis all it knows.
        let told = async {
            while cache
                .directly::<Option<String>>(&["GET", "gt:round"])
                .await
                .as_deref()
                != Some("done")
            {
                // paced: asks again until it is so
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(DEADLINE, told).await.expect("redis is told");
        refreshing.stop().await;

        sql.wire.cut();
        let (fresh, _refreshing) = Directory::start(&sql.open(), Some(cache.open()), None);
        for tenant in &known {
            for key in [Key::Code(tenant.code), bot(tenant.bot.unwrap().0)] {
                let lookup = fresh.find(key).await;
                assert_eq!(lookup.found().map(|it| &**it), Some(tenant), "{key:?}");
            }
        }
        serves_what_it_knows(&fresh, &known, "from redis").await;
    };
    LocalSet::new().run_until(follow).await;
    sql.remove().await;
}

#[tokio::test]
async fn a_start_without_anything_refuses_nobody() {
    let (sql, cache) = (Sql::new("nothing").await, Cache::new(8).await);
    let known = add_bots(&sql.open_directly()).await;
    for fault in [Wire::cut, Wire::freeze] {
        fault(&sql.wire);
        fault(&cache.wire);
        let follow = async {
            let began = Instant::now();
            let (directory, _refreshing) = Directory::start(&sql.open(), Some(cache.open()), None);
            assert!(began.elapsed() < Duration::from_secs(1), "starting waited");
            for tenant in &known {
                let began = Instant::now();
                let lookup = directory.find(Key::Code(tenant.code)).await;
                assert_eq!(lookup, Lookup::Unreachable);
                assert!(began.elapsed() < LONGEST, "{:?}", began.elapsed());
            }
            sql.wire.mend();
            cache.wire.mend();
            for tenant in &known {
                until_found(&directory, Key::Code(tenant.code)).await;
            }
        };
        LocalSet::new().run_until(follow).await;
    }
    sql.remove().await;
}

#[tokio::test]
async fn a_start_without_sql_and_redis_is_warmed_by_the_bus() {
    let sql = Sql::new("bus").await;
    let known = add_bots(&sql.open_directly()).await;
    let folder = tempfile::tempdir().unwrap();
    let bus = Bus::connect(&embedded(folder.path())).await.unwrap();
    let follow = async {
        // The one that publishes the outbox.
        let (_directory, refreshing) = Directory::start(&sql.open(), None, Some(bus.clone()));
        let published = async {
            let waiting = gramtap_database::Statement::new(
                "waiting",
                "SELECT COUNT(*) AS n FROM outbox WHERE published_at IS NULL",
            );
            let direct = sql.open_directly();
            loop {
                let row = direct
                    .database()
                    .first(&waiting, &[])
                    .await
                    .unwrap()
                    .unwrap();
                if row.get::<i64>("n").unwrap() == 0 {
                    return;
                }
                // paced: asks again until it is so
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(DEADLINE, published)
            .await
            .expect("the outbox is published");
        refreshing.stop().await;

        sql.wire.cut();
        let (fresh, _refreshing) = Directory::start(&sql.open(), None, Some(bus.clone()));
        for tenant in &known {
            let lookup = until_found(&fresh, Key::Code(tenant.code)).await;
            assert_eq!(lookup.found().map(|it| it.id), Some(tenant.id));
        }
        serves_what_it_knows(&fresh, &known, "from the bus").await;
    };
    LocalSet::new().run_until(follow).await;
    sql.remove().await;
}
