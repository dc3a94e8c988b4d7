//! Look-ups that leave the local cache: flights, batches, junk, and layers that are away.
//!
//! In: the fakes of `../tests.rs`. Out: pass or fail.

use futures_util::future::join_all;
use tokio::time::Instant;

use super::*;
use crate::registry::statements::FLOOD;

#[tokio::test(start_paused = true)]
async fn a_thousand_look_ups_of_one_key_are_one_query() {
    let set = set();
    set.sql.put(tenant(1, 7, 1));
    let lookups = join_all((0..1_000).map(|_| set.directory.find(bot(7)))).await;
    assert!(lookups.iter().all(|lookup| found(lookup).version == 1));
    assert_eq!(set.sql.lookups(), 1);
    assert_eq!(set.redis.recalls.load(Ordering::SeqCst), 1);
    // From now on it is known.
    assert!(matches!(
        set.directory.cached(&bot(7)),
        Some(Lookup::Found(_))
    ));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_is_asked_for_once_in_a_second() {
    let set = set();
    for _ in 0..10 {
        assert_eq!(set.directory.find(bot(7)).await, Lookup::Absent);
    }
    assert_eq!(set.sql.lookups(), 1);
    sleep(Duration::from_secs(2)).await;
    set.sql.put(tenant(1, 7, 1));
    assert_eq!(found(&set.directory.find(bot(7)).await).version, 1);
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_junk_is_answered_in_few_queries_and_harms_nobody() {
    const JUNK: i64 = 8_000;
    let set = set();
    set.sql.put(tenant(1, 7, 1));
    set.directory.find(bot(7)).await;
    let began = Instant::now();
    let junk = join_all((0..JUNK).map(|id| set.directory.find(bot(1_000 + id)))).await;
    assert!(junk.iter().all(|lookup| *lookup == Lookup::Absent));
    let queries = set.sql.lookups() - 1;
    assert_eq!(queries, (JUNK as usize).div_ceil(FLOOD));
    let rate = queries as f64 / began.elapsed().as_secs_f64();
    assert!(rate < 50.0, "{rate} queries a second");
    assert!(matches!(
        set.directory.cached(&bot(7)),
        Some(Lookup::Found(_))
    ));
}

#[tokio::test(start_paused = true)]
async fn junk_one_after_another_is_no_faster() {
    let set = set();
    let began = Instant::now();
    for id in 0..500 {
        assert_eq!(set.directory.find(bot(id + 1)).await, Lookup::Absent);
    }
    let rate = set.sql.lookups() as f64 / began.elapsed().as_secs_f64();
    assert!(rate < 50.0, "{rate} queries a second");
}

#[tokio::test(start_paused = true)]
async fn more_than_can_wait_is_answered_by_the_next_poll() {
    const BOUND: usize = 8_192;
    let set = set();
    set.directory.0.health.is_whole(Instant::now());
    sleep(Duration::from_millis(1)).await;
    set.sql.hangs.store(true, Ordering::SeqCst);
    let flood = join_all((0..9_000).map(|id| set.directory.find(bot(id + 1))));
    let poll = async {
        sleep(Duration::from_millis(500)).await;
        // What the poll has found meanwhile.
        set.directory.learn(&tenant(1, 9_000, 1));
        set.directory.0.health.is_whole(Instant::now());
    };
    let (lookups, ()) = tokio::join!(flood, poll);
    let (waited, polled) = lookups.split_at(BOUND);
    assert!(waited.iter().all(|lookup| *lookup == Lookup::Unreachable));
    let (last, others) = polled.split_last().unwrap();
    assert!(others.iter().all(|lookup| *lookup == Lookup::Absent));
    assert_eq!(found(last).version, 1);
}

#[tokio::test(start_paused = true)]
async fn without_polls_more_than_can_wait_is_not_refused() {
    let set = set();
    set.directory.0.health.is_whole(Instant::now());
    sleep(Duration::from_millis(1)).await;
    set.sql.hangs.store(true, Ordering::SeqCst);
    let flood = join_all((0..9_000).map(|id| set.directory.find(bot(id + 1)))).await;
    assert!(flood.iter().all(|lookup| *lookup == Lookup::Unreachable));
}

#[tokio::test(start_paused = true)]
async fn while_sql_is_away_the_known_is_served_and_the_unknown_not_refused() {
    let set = set();
    set.sql.put(tenant(1, 7, 1));
    set.directory.find(bot(7)).await;
    set.sql.down.store(true, Ordering::SeqCst);
    set.redis.down.store(true, Ordering::SeqCst);
    for hours in 0..10 {
        assert_eq!(
            found(&set.directory.find(bot(7)).await).version,
            1,
            "hour {hours}"
        );
        assert_eq!(set.directory.find(bot(8)).await, Lookup::Unreachable);
        sleep(Duration::from_secs(3_600)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_sql_that_hangs_costs_one_call_and_not_each() {
    let set = set();
    set.sql.hangs.store(true, Ordering::SeqCst);
    let mut waits = Vec::new();
    for id in 0..200 {
        let began = Instant::now();
        assert_eq!(set.directory.find(bot(id + 1)).await, Lookup::Unreachable);
        waits.push(began.elapsed());
        sleep(Duration::from_millis(30)).await;
    }
    let slow = waits
        .iter()
        .filter(|wait| **wait > Duration::from_millis(5));
    assert_eq!(slow.count(), 1, "{waits:?}");
    assert!(waits.iter().max().unwrap() < &Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn redis_serves_while_sql_is_away() {
    let set = set();
    let known = tenant(1, 7, 1);
    set.sql.put(known.clone());
    set.directory.find(bot(7)).await;
    // Another process, which starts now.
    let (truth, memory) = (Arc::clone(&set.sql), Arc::clone(&set.redis));
    let fresh = Directory(Inner::new(truth, Some(memory), cache::KEYS));
    set.sql.down.store(true, Ordering::SeqCst);
    assert_eq!(found(&fresh.find(bot(7)).await).id, known.id);
    assert_eq!(found(&fresh.find(Key::Code(known.code)).await).id, known.id);
    assert_eq!(fresh.find(bot(8)).await, Lookup::Unreachable);
}

/// More bots than there is room for: what is looked up together pushes itself out, and is found all the same.
#[tokio::test(start_paused = true)]
async fn a_cache_that_is_too_small_finds_every_bot() {
    const BOTS: u32 = 1_000;
    let set = set_of(1);
    for number in 1..=BOTS {
        set.sql.put(tenant(number, number.into(), number.into()));
    }
    let all_find = async |directory: &Directory| {
        let all = (1..=BOTS).map(|number| directory.find(bot(number.into())));
        for (lookup, number) in join_all(all).await.iter().zip(1..) {
            assert_eq!(found(lookup).version, number);
        }
        assert!(directory.0.cache.len() < 100, "{directory:?}");
    };
    all_find(&set.directory).await;
    // Nobody was taken for a stranger.
    all_find(&set.directory).await;
    // Another process, which starts without SQL.
    let (truth, memory) = (Arc::clone(&set.sql), Arc::clone(&set.redis));
    let fresh = Directory(Inner::new(truth, Some(memory), 1));
    set.sql.down.store(true, Ordering::SeqCst);
    all_find(&fresh).await;
}

#[tokio::test(start_paused = true)]
async fn what_redis_remembers_wrongly_is_served_once_at_most() {
    let set = set();
    // It was bound to bot 7 once; Redis was away when that changed.
    let stale = tenant(1, 7, 1);
    let remembered = Remembered {
        key: bot(7),
        version: 1,
        tenant: Some(Arc::new(stale)),
    };
    set.redis.remember(vec![remembered]).await.unwrap();
    set.sql.put(tenant(1, 8, 2));
    set.directory.find(bot(7)).await;
    sleep(Duration::from_millis(50)).await;
    assert_eq!(set.directory.find(bot(7)).await, Lookup::Absent);
    assert_eq!(found(&set.directory.find(bot(8)).await).version, 2);
}

#[tokio::test(start_paused = true)]
async fn a_look_up_that_dies_tells_those_that_wait_and_the_next_one_works() {
    let set = set();
    set.sql.put(tenant(1, 7, 1));
    set.sql.panics.store(true, Ordering::SeqCst);
    let began = Instant::now();
    let lookups = join_all((0..10).map(|_| set.directory.find(bot(7)))).await;
    assert!(lookups.iter().all(|lookup| *lookup == Lookup::Unreachable));
    assert!(
        began.elapsed() < Duration::from_secs(1),
        "nobody waits for the dead"
    );
    set.sql.panics.store(false, Ordering::SeqCst);
    assert_eq!(found(&set.directory.find(bot(7)).await).version, 1);
}

#[tokio::test(start_paused = true)]
async fn callers_that_leave_do_not_take_the_answer_with_them() {
    let set = set();
    set.sql.put(tenant(1, 7, 1));
    {
        let left = set.directory.find(bot(7));
        tokio::pin!(left);
        // Polled once, so that it is under way, and dropped.
        assert!(futures_util::poll!(&mut left).is_pending());
    }
    assert_eq!(found(&set.directory.find(bot(7)).await).version, 1);
    assert_eq!(set.sql.lookups(), 1);
}
