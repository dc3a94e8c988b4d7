//! Decoding on a real log, killed at any point: each thing is counted once.
//!
//! In: a script of calls, updates, repeats and replays, drawn from a seed, with a truth of its own. Out: a
//! failure when events.v1 or errors.v1 holds anything else than the truth, or in another order.
#![allow(clippy::unwrap_used, clippy::panic)]

mod script;

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use gramtap_actors::Drain;
use gramtap_bus::conformance::embedded;
use gramtap_bus::{
    Bus, ConsumerOptions, Event, Isolation, Message, Offset, ProducerOptions, Reader, Ticket,
    TopicPartition,
};
use gramtap_database::Database;
use gramtap_events::{Topic, topics};
use gramtap_tenants::{Keys, Registry};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use super::poller::READ;
use super::{DecodeError, Options, Source, run};
use script::Script;

pub(crate) fn keys() -> Keys {
    let section = json!({"key": "07".repeat(32), "key_file": ""});
    Keys::load(
        &serde_json::from_value(section).unwrap(),
        Path::new("/no/such"),
    )
    .unwrap()
}

/// A registry of its own.
pub(crate) fn source(folder: &Path) -> Source {
    let section = json!({"url": "", "max_connections": 4});
    let database = Database::open(&serde_json::from_value(section).unwrap(), folder).unwrap();
    Source {
        registry: Registry::new(database, keys()),
        keys: keys(),
    }
}

const DEADLINE: Duration = Duration::from_secs(60);

fn options(instance: &str, random: &mut StdRng) -> Options {
    Options {
        window: Duration::from_millis(random.random_range(0..30)),
        max_records: random.random_range(1..60),
        ..Options::named(instance)
    }
}

/// Drops a future after so many turns, as a kill would; or when it rests for long.
async fn killed(future: impl Future, turns: usize) {
    let mut future = pin!(future);
    let mut left = turns;
    let turning = std::future::poll_fn(move |context| match left.checked_sub(1) {
        None => Poll::Ready(()),
        Some(less) => {
            left = less;
            future.as_mut().poll(context).map(drop)
        }
    });
    // paced: only bounds how long a process that has nothing to do is watched.
    drop(tokio::time::timeout(Duration::from_millis(100), turning).await);
}

async fn write(bus: &Bus, records: &[(&'static Topic, String, Value)]) {
    let mut options = ProducerOptions::lossy("test");
    options.linger = Duration::ZERO;
    let producer = bus
        .producer(options, |_, outcome| assert!(outcome.is_ok()))
        .unwrap();
    for (number, (topic, tenant, record)) in (0..).zip(records) {
        let message = Message::new(topic, tenant.clone(), record.to_string());
        producer.offer(message, Ticket(number)).unwrap();
    }
    assert_eq!(producer.flush(DEADLINE).await, 0);
}

async fn whole(bus: &Bus, topic: &'static Topic) -> Reader {
    let partitions = 0..bus.partitions(topic).await.unwrap();
    let begin = |partition| (TopicPartition { topic, partition }, Offset::Beginning);
    let from = partitions.map(begin).collect();
    bus.assign(from, Isolation::Committed).await.unwrap()
}

/// The ids of a topic's records by tenant and letter of the id, until `count` have come.
async fn read(reader: &Reader, id: &str, count: usize) -> BTreeMap<String, Vec<String>> {
    let mut ids: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for _ in 0..count {
        let Some(Ok(Event::Record(record))) = reader.next().await else {
            panic!("the reader ended")
        };
        let value: Value = serde_json::from_slice(&record.payload.unwrap()).unwrap();
        let id = value[id].as_str().unwrap().to_owned();
        let lane = format!("{} {}", value["tenant"].as_str().unwrap(), &id[..1]);
        ids.entry(lane).or_default().push(id);
    }
    ids
}

async fn count(bus: &Bus, topic: &'static Topic) -> i64 {
    let ends = bus.ends(topic).await.unwrap();
    ends.iter().map(|ends| ends.high - ends.low).sum()
}

/// Whether the group has committed all that was written.
async fn is_all_committed(bus: &Bus) -> bool {
    let options = ConsumerOptions {
        together: true,
        ..ConsumerOptions::default()
    };
    let group = &Options::named("").group;
    let consumer = bus.consumer(group, &READ, options).await.unwrap();
    let mut ends = HashMap::new();
    for topic in READ {
        for end in bus.ends(topic).await.unwrap() {
            let partition = end.partition;
            ends.insert(TopicPartition { topic, partition }, end.high);
        }
    }
    while !ends.is_empty() {
        let Some(Ok(Event::Assigned(assigned))) = consumer.next().await else {
            return false;
        };
        for it in assigned {
            let committed = it.committed.map_or(0, |committed| committed.offset);
            if ends.remove(&it.partition) != Some(committed) {
                return false;
            }
        }
    }
    true
}

async fn each_thing_is_counted_once(seed: u64) {
    let directory = tempfile::tempdir().unwrap();
    let bus = Bus::connect(&embedded(directory.path())).await.unwrap();
    let mut random = StdRng::seed_from_u64(seed);
    let source = source(directory.path());
    let mut script = Script::new(seed, keys());
    let stop = Drain::new();
    let token = stop.token();
    for _ in 0..10 {
        let records = script.part(random.random_range(20..80));
        let [one, other] = ["decode-0", "decode-1"].map(|name| options(name, &mut random));
        let turns: [usize; 2] = std::array::from_fn(|_| random.random_range(1..120));
        let pause = random.random_range(0..60);
        match random.random_range(0..4) {
            // While it is written, after it is written, and by two that come to share.
            0 => drop(tokio::join!(
                write(&bus, &records),
                killed(run(&bus, &source, &one, &token), turns[0])
            )),
            1 => {
                write(&bus, &records).await;
                killed(run(&bus, &source, &one, &token), turns[0]).await;
            }
            _ => {
                let newcomer = async {
                    // paced: the other one has read something by then, or nothing, or all.
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                    killed(run(&bus, &source, &other, &token), turns[1]).await;
                };
                let known = killed(run(&bus, &source, &one, &token), turns[0]);
                tokio::join!(write(&bus, &records), known, newcomer);
            }
        }
    }
    write(&bus, &script.last()).await;
    let truth = script.truth();
    let (events, errors) = (
        whole(&bus, &topics::EVENTS).await,
        whole(&bus, &topics::ERRORS).await,
    );
    let last = async {
        let told = read(
            &events,
            "event_id",
            truth.events.values().map(Vec::len).sum(),
        )
        .await;
        let failed = read(
            &errors,
            "error_id",
            truth.errors.values().map(Vec::len).sum(),
        )
        .await;
        stop.begin();
        (told, failed)
    };
    let options = options("decode-0", &mut random);
    let (ended, (told, failed)) = tokio::time::timeout(DEADLINE, async {
        tokio::join!(run(&bus, &source, &options, &token), last)
    })
    .await
    .unwrap_or_else(|_| panic!("seed {seed}: not all events have come"));
    ended.unwrap();
    assert_eq!(told, truth.events, "seed {seed}");
    assert_eq!(failed, truth.errors, "seed {seed}");
    assert!(is_all_committed(&bus).await, "seed {seed}");
    let counted = count(&bus, &topics::EVENTS).await;
    assert_eq!(
        usize::try_from(counted).unwrap(),
        told.values().map(Vec::len).sum::<usize>(),
        "seed {seed}"
    );
}

#[test]
fn each_thing_is_counted_once_through_kills_repeats_and_rebalances() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    for seed in 0..6 {
        runtime.block_on(each_thing_is_counted_once(seed));
    }
}

#[test]
fn of_two_processes_of_one_name_one_is_put_out() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let bus = Bus::connect(&embedded(directory.path())).await.unwrap();
        let source = source(directory.path());
        let options = options("decode-0", &mut StdRng::seed_from_u64(0));
        let token = Drain::new().token();
        let both = async {
            tokio::select! {
                ended = run(&bus, &source, &options, &token) => ended,
                ended = run(&bus, &source, &options, &token) => ended,
            }
        };
        let ended = tokio::time::timeout(DEADLINE, both).await.unwrap();
        let error = ended.unwrap_err();
        assert!(
            matches!(error, DecodeError::Fenced) && !error.retry(),
            "{error}"
        );
    });
}
