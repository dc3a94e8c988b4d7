//! From the topics to the sums: followed, killed anywhere, taken over, counted again.
//!
//! In: random traffic written to the topics of the subject's bus. Out: a panic where a number differs from the oracle's. Topics may hold
//! other bots' records, and what is counted of those does not matter.

use std::time::Duration;

use gramtap_actors::Drain;
use gramtap_bus::{Event, Isolation, Message, Offset, TopicPartition};
use gramtap_database::Statement;
use gramtap_events::topics;
use tokio::time::{sleep, timeout};

use super::stream::{BEGIN, DAYS, Dice, Traffic, seed, traffic};
use super::{DEADLINE, Subject, dump, oracle, same};
use crate::query::{Period, overview};
use crate::store::Store;
use crate::store::follow::{FollowOptions, follow};
use crate::zone::{DAY, Zone};

/// Writes traffic to the topics, in order.
pub async fn write(subject: &Subject, traffic: &Traffic) {
    for event in &traffic.events {
        subject
            .bus
            .produce(Message::of(event).unwrap())
            .await
            .unwrap();
    }
    for failure in &traffic.failures {
        subject
            .bus
            .produce(Message::of(failure).unwrap())
            .await
            .unwrap();
    }
}

pub fn options(group: &str) -> FollowOptions {
    FollowOptions {
        group: group.to_owned(),
        records: 100,
        every: Duration::from_millis(20),
        ..FollowOptions::default()
    }
}

fn name(dice: u64) -> String {
    format!("test-fold-{dice:x}")
}

/// Follows until all records of the topics are counted.
async fn catch_up(subject: &Subject, store: &Store, group: &str) {
    let drain = Drain::new();
    let (token, options) = (drain.token(), options(group));
    let caught = async {
        wait(subject, store).await;
        drain.begin();
    };
    let (followed, ()) = timeout(DEADLINE, async {
        tokio::join!(follow(&subject.bus, store, &options, &token), caught)
    })
    .await
    .expect("not counted in time");
    followed.unwrap();
}

/// Waits until what is in the topics now is counted.
pub async fn wait(subject: &Subject, store: &Store) {
    for topic in [&topics::EVENTS, &topics::ERRORS] {
        for ends in subject.bus.ends(topic).await.unwrap() {
            let partition = TopicPartition {
                topic,
                partition: ends.partition,
            };
            // The last offsets may be marks of transactions, which nobody is shown; a bot of the suite writes none.
            let last = last(subject, partition, ends.low, ends.high).await;
            while store.position(partition).await.unwrap() < last {
                // paced: nobody tells when a row of SQL changes
                sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

/// One behind the last record of a partition.
async fn last(subject: &Subject, partition: TopicPartition, low: i64, high: i64) -> i64 {
    let mut from = high;
    while from > low {
        from -= 1;
        let reader = subject
            .bus
            .assign(vec![(partition, Offset::At(from))], Isolation::Committed)
            .await
            .unwrap();
        if let Ok(Some(Ok(Event::Record(record)))) =
            timeout(Duration::from_secs(5), reader.next()).await
        {
            return record.offset + 1;
        }
    }
    low
}

pub async fn is_true(subject: &Subject, traffic: &Traffic) {
    let period = Period::last(Zone::UTC, BEGIN + DAYS * DAY - 1, 30);
    let told = overview::overview(&subject.database, traffic.tenant, &period)
        .await
        .unwrap();
    assert_eq!(told.total, oracle::figures(traffic, &period));
}

pub async fn what_is_written_is_counted_once(subject: &Subject) {
    let (store, seed) = (subject.store(), seed());
    println!("seed {seed}");
    let (first, second) = (traffic(seed, 300), traffic(seed ^ 1, 300));
    write(subject, &first).await;
    let group = name(seed);
    catch_up(subject, &store, &group).await;
    is_true(subject, &first).await;
    write(subject, &second).await;
    // Also by another group: what is counted is told by SQL alone.
    catch_up(subject, &store, &format!("{group}-other")).await;
    is_true(subject, &first).await;
    is_true(subject, &second).await;
}

pub async fn a_crash_anywhere_counts_nothing_twice(subject: &Subject) {
    let (store, seed) = (subject.store(), seed());
    println!("seed {seed}");
    let traffic = traffic(seed, 600);
    write(subject, &traffic).await;
    let mut dice = Dice(seed);
    for round in 0..5 {
        let drain = Drain::new();
        let token = drain.token();
        // Two owners at once, as while a partition moves; both cut off wherever they are once something was counted.
        let mut one = options(&format!("{}-{round}", name(seed)));
        one.records = 40;
        let mut other = one.clone();
        other.group.push_str("-beside");
        let before = counted(subject, &store).await;
        let moved = async {
            while counted(subject, &store).await == before {
                // paced: nobody tells when a row of SQL changes
                sleep(Duration::from_millis(2)).await;
            }
            sleep(Duration::from_millis(dice.below(15) as u64)).await; // paced: a crash comes at any time
        };
        let both = async {
            tokio::join!(
                follow(&subject.bus, &store, &one, &token),
                follow(&subject.bus, &store, &other, &token)
            )
        };
        let cut = timeout(DEADLINE, async {
            tokio::select! {
                () = moved => {}
                ended = both => panic!("ended by itself: {ended:?}"),
            }
        });
        cut.await.expect("nothing was counted");
        if counted(subject, &store).await >= (traffic.events.len() + traffic.failures.len()) as i64
        {
            break;
        }
    }
    catch_up(subject, &store, &name(seed)).await;
    is_true(subject, &traffic).await;
}

/// How many offsets are counted, of all partitions.
async fn counted(subject: &Subject, store: &Store) -> i64 {
    let mut counted = 0;
    for topic in [&topics::EVENTS, &topics::ERRORS] {
        for partition in 0..subject.bus.partitions(topic).await.unwrap() {
            counted += store
                .position(TopicPartition { topic, partition })
                .await
                .unwrap();
        }
    }
    counted
}

pub async fn a_window_counted_again_is_the_same(subject: &Subject) {
    const SPOIL: [Statement; 4] = [
        Statement::new(
            "spoil",
            "UPDATE sum_labels SET n = n + 3 WHERE tenant = $1 AND hour >= $2 AND hour < $3",
        ),
        Statement::new(
            "spoil",
            "DELETE FROM sum_calls WHERE tenant = $1 AND hour >= $2 AND hour < $3",
        ),
        Statement::new(
            "spoil",
            "UPDATE sum_latency SET buckets = buckets || ' 270:9' WHERE tenant = $1 AND hour >= $2 AND hour < $3",
        ),
        Statement::new(
            "spoil",
            "DELETE FROM bot_user_days WHERE tenant = $1 AND day >= $2 / 86400 AND day < $3 / 86400",
        ),
    ];
    let (store, seed) = (subject.store(), seed());
    println!("seed {seed}");
    let traffic = traffic(seed, 500);
    store
        .set_zone(traffic.tenant, "Europe/Berlin")
        .await
        .unwrap();
    write(subject, &traffic).await;
    catch_up(subject, &store, &name(seed)).await;
    let truth = dump(&subject.database, traffic.tenant).await;
    let window = BEGIN + 3 * DAY..BEGIN + 6 * DAY;
    assert!(store.refold(&subject.bus, window.clone()).await.unwrap() > 0);
    same(&dump(&subject.database, traffic.tenant).await, &truth);
    for statement in &SPOIL {
        let values = [
            traffic.tenant.as_str().into(),
            window.start.into(),
            window.end.into(),
        ];
        subject.database.execute(statement, &values).await.unwrap();
    }
    assert_ne!(dump(&subject.database, traffic.tenant).await, truth);
    // A part of a day means the day.
    let parts = window.start + 5_000..window.end - 5_000;
    store.refold(&subject.bus, parts).await.unwrap();
    same(&dump(&subject.database, traffic.tenant).await, &truth);
}
