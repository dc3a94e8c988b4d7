//! The whole way of a record, as analytics goes it: consumed and decoded into transactions of the bus, followed and counted into SQL.
//!
//! In: the records, an empty bus, an empty database. Out: what either half has spent. Invariant: these are the product's own loops, with its own
//! sizes; they are run one after the other, so that each one's time is known, and each goes on until all records are through.

use std::path::Path;
use std::time::Duration;

use gramtap_actors::Drain;
use gramtap_analytics::consume;
use gramtap_analytics::store::follow::{FollowOptions, follow};
use gramtap_analytics::store::{Limits, Store};
use gramtap_bus::{
    Bus, BusConfig, Delivery, Message, ProducerOptions, Ticket, topics as bus_topics,
};
use gramtap_database::Database;
use gramtap_events::topics::{ALL, CALLS, ERRORS, EVENTS, UPDATES};
use gramtap_telemetry::Counter;
use gramtap_tenants::{Keys, Registry};
use serde_json::json;

use super::cpu::{Clock, Spent};
use super::{BATCH, progress};

/// What the two halves have spent.
pub(crate) struct Whole {
    /// calls.v1 and updates.v1 to events.v1 and errors.v1.
    pub(crate) decode: Spent,
    /// events.v1 and errors.v1 to SQL.
    pub(crate) fold: Spent,
}

/// The whole way of all records, which become so many events and errors.
pub(crate) async fn whole(bus: &Bus, store: &Store, records: usize, made: [usize; 2]) -> Whole {
    let decoded = || {
        outcomes()
            .iter()
            .map(|outcome| Counter::Decoded { outcome }.get())
            .sum()
    };
    let decode = part("decoded", records, decoded, async |stop| {
        consume::run(
            bus,
            &source(store),
            &consume::Options::named("bench"),
            &stop.token(),
        )
        .await
        .unwrap();
    })
    .await;
    let folded = || {
        [&EVENTS, &ERRORS]
            .iter()
            .map(|topic| counted(topic.name))
            .sum()
    };
    let fold = part("counted", made.iter().sum(), folded, async |stop| {
        follow(bus, store, &FollowOptions::default(), &stop.token())
            .await
            .unwrap();
    })
    .await;
    Whole { decode, fold }
}

fn outcomes() -> [&'static str; 3] {
    ["event", "repeat", "unreadable"]
}

fn counted(topic: &'static str) -> u64 {
    Counter::FoldRecords {
        topic,
        result: "counted",
    }
    .get()
}

/// Runs a loop until its counter has grown by so many.
async fn part(
    what: &str,
    until: usize,
    count: impl Fn() -> u64,
    run: impl AsyncFnOnce(&Drain),
) -> Spent {
    let drain = Drain::new();
    let (clock, before) = (Clock::now(), count());
    let mut spent = None;
    let watch = async {
        loop {
            let done = usize::try_from(count() - before).unwrap();
            progress(what, done, until);
            if done >= until {
                break;
            }
            // paced: a counter tells nobody that it has changed
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        spent = Some(clock.spent());
        drain.begin();
    };
    tokio::join!(run(&drain), watch);
    spent.unwrap()
}

/// Hands the records over to an empty bus.
pub(crate) async fn fill(bus: &Bus, deliveries: &[Delivery]) {
    let deadline = Duration::from_secs(60);
    bus_topics::apply(bus, &ALL, deadline).await.unwrap();
    for topic in [&CALLS, &UPDATES, &EVENTS, &ERRORS] {
        let ends = bus.ends(topic).await.unwrap();
        assert!(
            ends.iter().all(|it| it.high == 0),
            "the bus holds records of somebody else"
        );
    }
    let told = |_: Ticket, outcome: Result<_, _>| {
        outcome.unwrap();
    };
    let producer = bus.producer(ProducerOptions::lossy("bench"), told).unwrap();
    for (number, delivery) in deliveries.iter().enumerate() {
        let key = String::from_utf8(delivery.key.as_ref().unwrap().to_vec()).unwrap();
        let message = Message::new(delivery.topic, key, delivery.payload.clone().unwrap());
        producer.offer(message, Ticket(number as u64)).unwrap();
        if number % BATCH == BATCH - 1 {
            assert_eq!(producer.flush(deadline).await, 0);
            progress("handed to the bus", number + 1, deliveries.len());
        }
    }
    assert_eq!(producer.flush(deadline).await, 0);
}

/// Nobody's updates were kept sealed: keys are needed, and open nothing.
fn source(store: &Store) -> consume::Source {
    let section = serde_json::from_value(json!({"key": "07".repeat(32), "key_file": ""})).unwrap();
    let keys = Keys::load(&section, Path::new("/no/such")).unwrap();
    consume::Source {
        registry: Registry::new(store.database().clone(), keys.clone()),
        keys,
    }
}

/// A database: SQLite's file in a folder, or what an address names.
pub(crate) fn store(url: &str, data: &Path) -> Store {
    let section = json!({"url": url, "max_connections": 4});
    let database = Database::open(&serde_json::from_value(section).unwrap(), data).unwrap();
    Store::new(database, Limits::default())
}

/// A bus: a file in a folder, or Kafka.
pub(crate) fn bus(kind: &str, brokers: &str, data: &Path) -> Bus {
    let section = json!({"kind": kind, "embedded": {"retention": "7d", "max_bytes": "100GiB"}});
    let kafka = json!({
        "brokers": brokers, "properties": [], "partitions": 24, "replication": 1, "compression": "lz4",
    });
    let config = BusConfig {
        bus: serde_json::from_value(section).unwrap(),
        kafka: serde_json::from_value(kafka).unwrap(),
        data_dir: data.to_owned(),
        client: "gramtap-bench".to_owned(),
    };
    Bus::open(&config).unwrap()
}
