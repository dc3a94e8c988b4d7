//! Changes made elsewhere: the poll, and what it tells Redis.
//!
//! In: the fakes of `../tests.rs`. Out: pass or fail.

use super::refresh::{Seen, catch_up};
use super::*;

#[tokio::test(start_paused = true)]
async fn the_poll_brings_everything_and_then_every_change() {
    let set = set();
    for number in 1..=2_500_u32 {
        set.sql
            .put(tenant(number, i64::from(number), u64::from(number)));
    }
    let mut seen = Seen::default();
    catch_up(&set.directory.0, &mut seen).await.unwrap();
    assert_eq!(set.directory.0.cache.len(), 2_500);
    assert!(
        set.redis.told.lock().unwrap().is_empty(),
        "the first reading is no change"
    );

    assert_eq!(set.directory.find(bot(9_999)).await, Lookup::Absent);
    set.sql.put(tenant(3_000, 9_999, 3_000));
    set.sql.put(tenant(1, 77_777, 3_001));
    catch_up(&set.directory.0, &mut seen).await.unwrap();
    let added = set.directory.cached(&bot(9_999)).unwrap();
    assert_eq!(
        found(&added).version,
        3_000,
        "it is no longer taken for unknown"
    );
    assert_eq!(
        set.directory.cached(&bot(1)),
        None,
        "it has another bot now"
    );
    assert_eq!(set.sql.lookups(), 1);

    let told = set.redis.told.lock().unwrap();
    let leads = |key: Key| told.iter().find(|told| told.key == key).unwrap();
    assert!(leads(bot(9_999)).tenant.is_some() && leads(bot(77_777)).tenant.is_some());
    assert_eq!(
        leads(bot(1)).tenant,
        None,
        "redis learns that it leads nowhere"
    );
    assert_eq!(leads(bot(1)).version, 3_001);
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_went_back_in_time_is_read_anew() {
    let set = set();
    let mut seen = Seen::default();
    set.sql.put(tenant(1, 7, 50));
    catch_up(&set.directory.0, &mut seen).await.unwrap();
    *set.sql.clock.lock().unwrap() = 0;
    set.sql.tenants.lock().unwrap().clear();
    set.sql.put(tenant(2, 8, 20));
    catch_up(&set.directory.0, &mut seen).await.unwrap();
    assert_eq!(set.directory.cached(&bot(7)), None);
    assert_eq!(found(&set.directory.cached(&bot(8)).unwrap()).version, 20);
}

#[tokio::test(start_paused = true)]
async fn what_outlived_its_database_is_served_only_until_sql_answers() {
    let set = set();
    let inner = &set.directory.0;
    // A topic of a registry that was set up anew since, with the same bot in both.
    let ghost = tenant(1, 7, 50);
    inner.hear(Tenant::from_state(ghost.state()).unwrap());
    inner.hear(tenant(2, 8, 51));
    let served = set.directory.cached(&bot(7)).unwrap();
    assert_eq!(found(&served).id, ghost.id);
    set.sql.put(tenant(3, 7, 2));
    catch_up(inner, &mut Seen::default()).await.unwrap();
    let served = set.directory.cached(&bot(7)).unwrap();
    assert_eq!(found(&served).version, 2);
    assert_eq!(
        set.directory.find(Key::Code(ghost.code)).await,
        Lookup::Absent
    );
    assert_eq!(set.directory.find(bot(8)).await, Lookup::Absent);
}

#[tokio::test(start_paused = true)]
async fn a_restored_registry_is_right_and_the_topic_is_not() {
    let set = set();
    let inner = &set.directory.0;
    inner.hear(Tenant::from_state(tenant(1, 8, 50).state()).unwrap());
    set.sql.put(tenant(1, 7, 20));
    catch_up(inner, &mut Seen::default()).await.unwrap();
    let served = set.directory.cached(&bot(7)).unwrap();
    assert_eq!(found(&served).version, 20);
    assert_eq!(set.directory.find(bot(8)).await, Lookup::Absent);
}

#[tokio::test(start_paused = true)]
async fn what_was_told_rightly_is_asked_for_no_more() {
    let set = set();
    let inner = &set.directory.0;
    for number in 1..=500_u32 {
        let told = tenant(number, i64::from(number), u64::from(number));
        inner.hear(Tenant::from_state(told.state()).unwrap());
        set.sql.put(told);
    }
    let mut seen = Seen::default();
    for _ in 0..3 {
        catch_up(inner, &mut seen).await.unwrap();
    }
    assert_eq!(
        set.sql.lookups(),
        0,
        "the first reading has told all of them"
    );
    assert_eq!(inner.cache.len(), 500);
}

#[tokio::test(start_paused = true)]
async fn versions_without_a_bot_are_passed_over() {
    let set = set();
    let mut seen = Seen::default();
    *set.sql.clock.lock().unwrap() = 40;
    catch_up(&set.directory.0, &mut seen).await.unwrap();
    set.sql.put(tenant(1, 7, 41));
    catch_up(&set.directory.0, &mut seen).await.unwrap();
    assert_eq!(found(&set.directory.cached(&bot(7)).unwrap()).version, 41);
}

#[tokio::test(start_paused = true)]
async fn a_round_tells_redis_all_bots() {
    let set = set();
    for number in 1..=250_u32 {
        set.sql
            .put(tenant(number, i64::from(number), u64::from(number)));
    }
    catch_up(&set.directory.0, &mut Seen::default())
        .await
        .unwrap();
    set.directory.0.health.is_whole(Instant::now());
    let inner = Arc::clone(&set.directory.0);
    let round = tokio::time::timeout(Duration::from_secs(5), warm::keep_warm(inner));
    assert!(round.await.is_err(), "it goes on for ever");
    assert_eq!(set.redis.told.lock().unwrap().len(), 750);
    let code = Key::Code(tenant(9, 9, 9).code);
    let fresh = set.redis.recall(&[bot(9), code]).await.unwrap();
    assert_eq!(fresh.len(), 2);
}

#[test]
fn codes_of_the_tests_differ() {
    let codes: std::collections::HashSet<Code> =
        (0..5_000).map(|number| tenant(number, 1, 1).code).collect();
    assert_eq!(codes.len(), 5_000);
}
