//! Deaths: a process that writes is killed with kill -9, again and again, and nothing that it was
//! told is lost.
//!
//! In: a child process that runs [`write()`], whose stdout says what was acknowledged. Out: panics.
//! Each run writes records numbered from 0 under every key, by one of three [`Lane`]s. Invariant,
//! checked after each death by reading everything again: all that was acknowledged is there; of
//! each run and key the records are the first so many, in order, none twice, none torn; of a
//! transaction all records are there or none.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use gramtap_events::Topic;

use super::{DEADLINE, within};
use crate::{Bus, Event, Isolation, Message, Offset, ProducerOptions, Ticket, TopicPartition};

/// How a run writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Offered in bursts.
    Lossy,
    /// Awaited one by one, a few beside each other.
    Durable,
    /// In transactions of several records under every key.
    Transaction,
}

/// The lanes take turns.
pub const LANES: [Lane; 3] = [Lane::Lossy, Lane::Durable, Lane::Transaction];

/// Keys that every run writes under.
const KEYS: u32 = 6;

/// Records of a key that are in one transaction.
const TOGETHER: u32 = 5;

/// Where a child finds its orders.
const ORDERS: &str = "GRAMTAP_DEATH";

/// The child's part: the orders it was given, if this process is one.
#[must_use]
pub fn orders() -> Option<(u32, String)> {
    let orders = std::env::var(ORDERS).ok()?;
    let (run, place) = orders.split_once(' ')?;
    Some((run.parse().ok()?, place.to_owned()))
}

/// The child's part: writes until it is killed.
pub async fn write(bus: &Bus, topic: &'static Topic, run: u32) {
    match LANES[run as usize % LANES.len()] {
        Lane::Lossy => write_lossy(bus, topic, run).await,
        Lane::Durable => write_durable(bus, topic, run).await,
        Lane::Transaction => write_transactions(bus, topic, run).await,
    }
}

fn tell(key: u32, number: u32) {
    let line = format!("acknowledged {key} {number}\n");
    // One write, so that a death tears no line.
    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
}

fn message(topic: &'static Topic, run: u32, key: u32, number: u32) -> Message {
    Message::new(topic, format!("key-{key}"), body(run, key, number))
}

/// Different in length and content for every record, so that a torn one is seen.
fn body(run: u32, key: u32, number: u32) -> String {
    let filling = (number % 17) * (number % 17) * 23;
    format!("{run} {key} {number} {}", "x".repeat(filling as usize))
}

async fn write_lossy(bus: &Bus, topic: &'static Topic, run: u32) {
    let told = |ticket: Ticket, outcome: Result<_, _>| {
        outcome.unwrap();
        let ticket = u32::try_from(ticket.0).unwrap();
        tell(ticket % KEYS, ticket / KEYS);
    };
    let options = ProducerOptions {
        linger: std::time::Duration::from_millis(5),
        ..ProducerOptions::lossy("death")
    };
    let producer = bus.producer(options, told).unwrap();
    for number in 0.. {
        for key in 0..KEYS {
            let ticket = Ticket(u64::from(number * KEYS + key));
            producer
                .offer(message(topic, run, key, number), ticket)
                .unwrap();
        }
        if number % 20 == 19 {
            // Not more than a few bursts ahead.
            while producer.health().waiting > 500 {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
        }
    }
}

async fn write_durable(bus: &Bus, topic: &'static Topic, run: u32) {
    for number in 0.. {
        let written = (0..KEYS).map(async |key| {
            bus.produce(message(topic, run, key, number)).await.unwrap();
            tell(key, number);
        });
        futures_util::future::join_all(written).await;
    }
}

async fn write_transactions(bus: &Bus, topic: &'static Topic, run: u32) {
    let mut transactor = bus.transactor(topic.name).await.unwrap();
    for round in 0.. {
        let mut transaction = transactor.begin().await.unwrap();
        let numbers = round * TOGETHER..(round + 1) * TOGETHER;
        for number in numbers.clone() {
            for key in 0..KEYS {
                transaction
                    .produce(message(topic, run, key, number))
                    .await
                    .unwrap();
            }
        }
        transaction.commit().await.unwrap();
        for number in numbers {
            (0..KEYS).for_each(|key| tell(key, number));
        }
    }
}

/// The parent's part: what was acknowledged, by run and key: the highest number.
#[derive(Default)]
pub struct Witness {
    acknowledged: BTreeMap<(u32, u32), u32>,
}

impl Witness {
    /// Starts a child, kills it after so many acknowledgements, and notes what it was told.
    pub fn kill_one(&mut self, mut child: Command, run: u32, place: &str, after: u32) {
        let child = child.env(ORDERS, format!("{run} {place}"));
        let mut child = child.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut told = 0;
        for line in lines {
            let line = line.unwrap();
            // The test harness has lines of its own.
            let Some((key, number)) = line
                .strip_prefix("acknowledged ")
                .and_then(|it| it.split_once(' '))
            else {
                continue;
            };
            let (key, number): (u32, u32) = (key.parse().unwrap(), number.parse().unwrap());
            let before = self.acknowledged.insert((run, key), number);
            assert!(
                before.is_none_or(|before| before < number),
                "run {run}, key {key}: {number} after {before:?}"
            );
            told += 1;
            if told == after {
                // The pipe is read to its end: what was told before the death counts.
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(
            told >= after,
            "run {run} ended by itself after {told} records"
        );
    }

    /// Reads everything and compares.
    pub async fn check(&self, bus: &Bus, topic: &'static Topic) {
        // Ends a transaction that the dead left open.
        drop(
            within("a transactor", bus.transactor(topic.name))
                .await
                .unwrap(),
        );
        let read = read_all(bus, topic).await;
        for ((run, key), last) in &self.acknowledged {
            let count = read.get(&(*run, *key)).copied().unwrap_or(0);
            assert!(
                count > *last,
                "run {run}, key {key}: {last} was acknowledged, {count} are there"
            );
        }
        for ((run, key), count) in &read {
            let whole =
                LANES[*run as usize % LANES.len()] != Lane::Transaction || count % TOGETHER == 0;
            assert!(
                whole,
                "run {run}, key {key}: {count} records are no whole transactions"
            );
        }
    }
}

/// How many records there are of each run and key; that they are the first so many, and whole.
async fn read_all(bus: &Bus, topic: &'static Topic) -> BTreeMap<(u32, u32), u32> {
    let count = bus.partitions(topic).await.unwrap();
    let mut open = Vec::new();
    for partition in 0..count {
        let keys = (0..).map(|number: u32| format!("end-{number}"));
        let mut keys = keys.filter(|key| crate::partition_of(key.as_bytes(), count) == partition);
        let end = Message::new(topic, keys.next().unwrap(), "end");
        let position = bus.produce(end).await.unwrap();
        open.push((partition, position.offset.unwrap()));
    }
    let from = (0..count).map(|partition| (TopicPartition { topic, partition }, Offset::Beginning));
    let reader = bus
        .assign(from.collect(), Isolation::Committed)
        .await
        .unwrap();
    let mut read = BTreeMap::new();
    while !open.is_empty() {
        let Event::Record(record) = within("a record", reader.next()).await.unwrap().unwrap()
        else {
            panic!("records were skipped");
        };
        open.retain(|end| *end != (record.partition, record.offset));
        let text = String::from_utf8(record.payload.unwrap().to_vec()).unwrap();
        if text == "end" {
            continue;
        }
        let mut words = text.split(' ').map(|word| word.parse::<u32>());
        let mut next = || words.next().unwrap().unwrap();
        let (run, key, number) = (next(), next(), next());
        assert_eq!(text, body(run, key, number), "torn");
        assert_eq!(record.key.as_deref(), Some(format!("key-{key}").as_bytes()));
        let expected = read.entry((run, key)).or_insert(0);
        assert_eq!(
            number, *expected,
            "run {run}, key {key}: not in order, doubled or lost"
        );
        *expected += 1;
    }
    assert!(reader.close(DEADLINE).await);
    read
}

/// A child that runs one ignored test of this very program.
#[must_use]
pub fn child(test: &str) -> Command {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args([
        test,
        "--exact",
        "--ignored",
        "--nocapture",
        "--test-threads=1",
    ]);
    child
}

/// Numbers that look random and are the same every time.
pub struct Dice(u64);

impl Dice {
    /// The seed decides all that follows.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number below `bound`.
    pub fn below(&mut self, bound: u32) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(self.0 >> 33).unwrap() % bound
    }
}
