//! How fast records become events and events become numbers: events a second and core, stage by stage.
//!
//! In: the scripted week (`tests/week/make`), as often as makes [`RECORDS`] records, each time with bots of its own. Out: a table on stdout: CPU
//! time, not the clock's, so that a busy machine tells the same. First each stage alone, as the product calls it: decode
//! (a record read, told from repeats, its event and error made), encode (these as JSON), fold (read and counted), write (the sums added to
//! SQLite); then all of it through the embedded log, and through Kafka where `GRAMTAP_TEST_KAFKA` names one. Invariant: every
//! stage works on the same records, and what comes out is counted and has to be all. Run by `make bench-decode`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "whatever fails here fails the bench"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use bytes::Bytes;
use gramtap_actors::Drain;
use gramtap_analytics::consume;
use gramtap_analytics::decode::decoder::{Decoder, Yield};
use gramtap_analytics::fold::{Folded, Zones};
use gramtap_analytics::store::follow::{FollowOptions, follow};
use gramtap_analytics::store::{Batch, Limits, Store};
use gramtap_bus::{
    Bus, BusConfig, Delivery, Event, Isolation, Message, Offset, ProducerOptions, Ticket,
    TopicPartition, topics as bus_topics,
};
use gramtap_database::Database;
use gramtap_events::Topic;
use gramtap_events::topics::{ALL, CALLS, ERRORS, EVENTS, UPDATES};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

/// Records at least.
const RECORDS: usize = 1_000_000;
/// Records of a batch, as the product's.
const BATCH: usize = 10_000;
/// The end of the week.
const NOW: i64 = 1_951_054_200;

#[derive(Deserialize)]
struct Line<'a> {
    topic: &'a str,
    #[serde(borrow)]
    record: &'a RawValue,
}

fn main() {
    // `cargo test --benches` only wants to know that it starts.
    if std::env::args().all(|it| it != "--bench") {
        return;
    }
    let records = std::env::var("GRAMTAP_BENCH_RECORDS").map_or(RECORDS, |it| it.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let _inside = runtime.enter();
    let folder = tempfile::tempdir().unwrap();
    let week = week(folder.path());
    let deliveries = deliveries(&week, records);
    println!(
        "{} records of {} bots, {BATCH} a batch",
        deliveries.len(),
        deliveries.len().div_ceil(week.lines().count()) * 3
    );
    println!(
        "{:<44} {:>9} {:>8} {:>12}",
        "stage", "events", "CPU s", "events/s"
    );

    let mut total = 0.0;
    let mut decoder = Decoder::default();
    let mut yields = Vec::new();
    total += stage("decode", || {
        for batch in deliveries.chunks(BATCH) {
            let mut into = Yield::default();
            for delivery in batch {
                decoder.decode(delivery, &mut into);
            }
            yields.push(into);
        }
        yields.iter().map(|it| it.events.len()).sum()
    });
    let mut messages: Vec<Vec<Message>> = Vec::new();
    total += stage("encode", || {
        let mut events = 0;
        for it in &yields {
            events += it.events.len();
            let both = it.events.iter().map(Message::of);
            messages.push(
                both.chain(it.errors.iter().map(Message::of))
                    .collect::<Result<_, _>>()
                    .unwrap(),
            );
        }
        events
    });
    drop(yields);
    let zones = Zones::default();
    let mut folded = Vec::new();
    total += stage("fold", || {
        for batch in &messages {
            let mut into = Folded::default();
            for message in batch {
                into.add(message.topic, message.payload.as_deref().unwrap(), &zones);
            }
            folded.push(into);
        }
        messages
            .iter()
            .flatten()
            .filter(|it| it.topic == &EVENTS)
            .count()
    });
    let events = messages
        .iter()
        .flatten()
        .filter(|it| it.topic == &EVENTS)
        .count();
    drop(messages);
    let store = Store::new(database(folder.path()), Limits::default());
    total += stage("write (SQLite)", || {
        runtime.block_on(write(&store, folded, &zones, events))
    });
    row("decode + encode + fold + write", events, total);

    let data = folder.path().join("embedded");
    std::fs::create_dir(&data).unwrap();
    let whole = |name: &str, bus: &Bus, data: &Path| {
        let store = Store::new(database(data), Limits::default());
        runtime.block_on(fill(bus, &deliveries));
        stage(name, || runtime.block_on(through(bus, &store, events)));
    };
    whole(
        "all, through the embedded log",
        &bus("embedded", "", &data),
        &data,
    );
    if let Ok(brokers) = std::env::var("GRAMTAP_TEST_KAFKA") {
        let data = folder.path().join("kafka");
        std::fs::create_dir(&data).unwrap();
        whole(
            "all, through Kafka (its client's time, too)",
            &bus("kafka", &brokers, &data),
            &data,
        );
    }
}

/// Does a stage and tells what it took.
fn stage(name: &str, work: impl FnOnce() -> usize) -> f64 {
    let before = cpu();
    let events = work();
    let took = cpu() - before;
    row(name, events, took);
    took
}

fn row(name: &str, events: usize, seconds: f64) {
    println!(
        "{name:<44} {events:>9} {seconds:>8.2} {:>12.0}",
        events as f64 / seconds
    );
}

/// CPU time of this process, all threads, in seconds.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    // After the name, which may hold anything: utime and stime are the 12th and 13th, in hundredths.
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    ticks / 100.0
}

/// The records of the week, with tenants `{name}aaaa…`.
fn week(folder: &Path) -> String {
    let make = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/week/make");
    let tenants = ["shop", "tour", "news"].map(|name| format!("{name}={}", tenant(name, 0)));
    let made = Command::new("python3")
        .arg(make)
        .args(["7", &NOW.to_string()])
        .arg(folder)
        .args(tenants)
        .status();
    assert!(made.expect("python3").success());
    std::fs::read_to_string(folder.join("records.jsonl")).unwrap()
}

/// A tenant's id of a turn.
fn tenant(name: &str, turn: usize) -> String {
    let letter = |place: usize| {
        char::from(
            b'a' + u8::try_from(turn / 26_usize.pow(u32::try_from(place).unwrap()) % 26).unwrap(),
        )
    };
    let turn: String = (0..3).map(letter).collect();
    format!("{name}{turn}{}", "w".repeat(26 - name.len() - 3))
}

/// The week as often as it takes, each time of other bots, one after the other as if of one partition.
fn deliveries(week: &str, records: usize) -> Vec<Delivery> {
    let mut deliveries = Vec::with_capacity(records);
    let lines = week.lines().count();
    for turn in 0..records.div_ceil(lines) {
        let mut week = week.to_owned();
        for name in ["shop", "tour", "news"] {
            week = week.replace(&tenant(name, 0), &tenant(name, turn));
        }
        for line in week.lines().take(records - deliveries.len()) {
            let line: Line<'_> = serde_json::from_str(line).unwrap();
            deliveries.push(Delivery {
                topic: if line.topic == "calls" {
                    &CALLS
                } else {
                    &UPDATES
                },
                partition: 0,
                offset: i64::try_from(deliveries.len()).unwrap(),
                key: None,
                headers: Vec::new(),
                payload: Some(Bytes::copy_from_slice(line.record.get().as_bytes())),
                timestamp: 0,
            });
        }
    }
    deliveries
}

fn database(data: &Path) -> Database {
    let section = json!({"url": "", "max_connections": 4});
    Database::open(&serde_json::from_value(section).unwrap(), data).unwrap()
}

fn bus(kind: &str, brokers: &str, data: &Path) -> Bus {
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

/// Adds the sums to the tables, batch by batch.
async fn write(store: &Store, folded: Vec<Folded>, zones: &Zones, events: usize) -> usize {
    let partition = TopicPartition {
        topic: &EVENTS,
        partition: 0,
    };
    let mut expected = store.position(partition).await.unwrap();
    for folded in folded {
        let batch = Batch {
            partition,
            expected,
            next: expected + 1,
            marks: BTreeMap::new(),
            folded,
        };
        store.apply(vec![batch], zones).await.unwrap();
        expected += 1;
    }
    events
}

/// Hands the records over.
async fn fill(bus: &Bus, deliveries: &[Delivery]) {
    bus_topics::apply(bus, &ALL, Duration::from_secs(60))
        .await
        .unwrap();
    let told = |_: Ticket, outcome: Result<_, _>| {
        outcome.unwrap();
    };
    let producer = bus.producer(ProducerOptions::lossy("bench"), told).unwrap();
    for (number, delivery) in deliveries.iter().enumerate() {
        let payload = delivery.payload.clone().unwrap();
        let key = tenant_of(&payload);
        let message = Message::new(delivery.topic, key, payload);
        producer.offer(message, Ticket(number as u64)).unwrap();
        if number % BATCH == BATCH - 1 {
            assert_eq!(producer.flush(Duration::from_secs(60)).await, 0);
        }
    }
    assert_eq!(producer.flush(Duration::from_secs(60)).await, 0);
}

fn tenant_of(payload: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Of {
        tenant: String,
    }
    serde_json::from_slice::<Of>(payload).unwrap().tenant
}

/// Decodes and counts what is in the bus, until so many events are told and in the sums.
#[expect(
    clippy::disallowed_methods,
    reason = "the thread is joined by this very function"
)]
async fn through(bus: &Bus, store: &Store, events: usize) -> usize {
    let drain = Drain::new();
    let tag = std::process::id();
    let decode = {
        let (bus, stop) = (bus.clone(), drain.token());
        let options = consume::Options {
            group: format!("bench-decode-{tag}"),
            ..consume::Options::named("bench")
        };
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime
                .unwrap()
                .block_on(consume::run(&bus, &options, &stop))
                .unwrap();
        })
    };
    let ends = bus.ends(&EVENTS).await.unwrap().into_iter().map(|ends| {
        let partition = TopicPartition {
            topic: &EVENTS,
            partition: ends.partition,
        };
        (partition, Offset::At(ends.high))
    });
    let ends: Vec<_> = ends.collect();
    for (partition, offset) in &ends {
        let Offset::At(offset) = offset else { continue };
        begin(store, *partition, *offset).await;
    }
    let errors = bus.ends(&ERRORS).await.unwrap();
    for ends in errors {
        begin(
            store,
            TopicPartition {
                topic: &ERRORS,
                partition: ends.partition,
            },
            ends.high,
        )
        .await;
    }
    let reader = bus.assign(ends, Isolation::Committed).await.unwrap();
    let options = FollowOptions {
        group: format!("bench-fold-{tag}"),
        ..FollowOptions::default()
    };
    let token = drain.token();
    let counted = async {
        let mut seen = 0;
        while seen < events {
            if let Some(Ok(Event::Record(_))) = reader.next().await {
                seen += 1;
            }
        }
        // The sums follow within a batch; ending adds what was read.
        while summed(store).await < events {
            // paced: nobody tells when a row of SQL changes
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        drain.begin();
        seen
    };
    let (followed, seen) = tokio::join!(follow(bus, store, &options, &token), counted);
    followed.unwrap();
    decode.join().unwrap();
    seen
}

async fn begin(store: &Store, partition: TopicPartition, offset: i64) {
    use gramtap_database::Statement;
    const STAND: Statement = Statement::new(
        "bench_stand",
        "INSERT INTO fold_offsets (topic, part, next_offset) VALUES ($1, $2, $3)",
    );
    let topic: &Topic = partition.topic;
    let values = [
        topic.name.into(),
        i64::from(partition.partition).into(),
        offset.into(),
    ];
    store.database().execute(&STAND, &values).await.unwrap();
}

async fn summed(store: &Store) -> usize {
    use gramtap_database::Statement;
    const SUM: Statement = Statement::new(
        "bench_summed",
        "SELECT CAST(SUM(n) AS BIGINT) AS n FROM sum_labels WHERE kind = 'event'",
    );
    let row = store.database().first(&SUM, &[]).await.unwrap();
    let n = row
        .and_then(|row| row.get::<Option<i64>>("n").unwrap())
        .unwrap_or(0);
    usize::try_from(n).unwrap()
}
