//! Retention, by a clock that the test turns, and by size.
//!
//! In: logs in directories of their own. Out: pass or fail.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use gramtap_events::Topic;
use proptest::prelude::*;

use super::*;
use crate::conformance::{DEADLINE, number, take, topic_of, within};
use crate::embedded::Log;
use crate::port::Engine;
use crate::{
    ConsumerOptions, Ends, Event, Isolation, Message, Offset, ProducerOptions, Skipped, Ticket,
    TopicPartition,
};

const HOUR: i64 = 3_600_000;

/// A log whose clock the test turns.
struct Turned {
    directory: tempfile::TempDir,
    log: Arc<Log>,
    bus: Bus,
    clock: Arc<AtomicI64>,
}

impl Turned {
    fn new(retention: Duration, max_bytes: u64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let section = crate::EmbeddedSection {
            retention,
            max_bytes: gramtap_settings::ByteSize(max_bytes),
        };
        let clock = Arc::new(AtomicI64::new(1_000_000 * HOUR));
        let read = Arc::clone(&clock);
        let now = Arc::new(move || read.load(Ordering::SeqCst));
        let log = Arc::new(Log::open_at(directory.path(), &section, now).unwrap());
        let bus = Bus::over(Engine::Embedded(Arc::clone(&log)));
        Self {
            directory,
            log,
            bus,
            clock,
        }
    }

    async fn turn(&self, by: i64) {
        self.clock.fetch_add(by, Ordering::SeqCst);
        self.log.retain().await;
    }

    /// Records under one key, all acknowledged.
    async fn write(&self, topic: &'static Topic, numbers: std::ops::Range<u64>, size: usize) {
        let producer = self
            .bus
            .producer(ProducerOptions::lossy("test"), |_, outcome| {
                assert!(outcome.is_ok())
            })
            .unwrap();
        for number in numbers {
            let message = Message::new(topic, "key", format!("{}{number}", "0".repeat(size)));
            producer.offer(message, Ticket(number)).unwrap();
        }
        assert_eq!(producer.flush(DEADLINE).await, 0);
    }

    async fn ends(&self, topic: &'static Topic) -> Ends {
        let partition = self.bus.partition_for(topic, b"key").await.unwrap();
        let ends = self.bus.ends(topic).await.unwrap();
        ends.into_iter()
            .find(|end| end.partition == partition)
            .unwrap()
    }
}

#[tokio::test]
async fn old_records_go_and_who_had_not_read_them_is_told() {
    let log = Turned::new(Duration::from_secs(24 * 3_600), u64::MAX);
    let topic = topic_of("gramtap.test-old.v1", false);
    log.write(topic, 0..1_200, 1).await;
    let behind = log
        .bus
        .consumer("behind", &[topic], ConsumerOptions::default())
        .await
        .unwrap();
    assert!(matches!(
        within("assigned", behind.next()).await,
        Some(Ok(Event::Assigned(_)))
    ));
    let partition = TopicPartition {
        topic,
        partition: log.ends(topic).await.partition,
    };
    behind.commit(partition, 100, "").await.unwrap();
    assert!(behind.close(DEADLINE).await);

    // The topic keeps an hour, the log would keep a day.
    log.turn(HOUR / 2).await;
    log.write(topic, 1_200..1_210, 1).await;
    assert_eq!(log.ends(topic).await.low, 0);
    log.turn(HOUR / 2 + 1).await;
    assert_eq!(
        (log.ends(topic).await.low, log.ends(topic).await.high),
        (1_200, 1_210)
    );
    let reader = log
        .bus
        .assign(vec![(partition, Offset::Beginning)], Isolation::Committed)
        .await
        .unwrap();
    let read: Vec<u32> = take(&reader, 10).await.iter().map(number).collect();
    assert_eq!(read, (1_200..1_210).collect::<Vec<_>>());

    let behind = log
        .bus
        .consumer("behind", &[topic], ConsumerOptions::default())
        .await
        .unwrap();
    assert!(matches!(
        within("assigned", behind.next()).await,
        Some(Ok(Event::Assigned(_)))
    ));
    let Some(Ok(Event::Skipped(skipped))) = within("skipped", behind.next()).await else {
        panic!("not told");
    };
    let (from, to) = (100, 1_200);
    assert_eq!(
        skipped,
        Skipped {
            partition,
            from,
            to
        }
    );
    let Some(Ok(Event::Record(record))) = within("record", behind.next()).await else {
        panic!("no record");
    };
    assert_eq!(record.offset, 1_200);

    // All gone: offsets go on where they were.
    log.turn(2 * HOUR).await;
    assert_eq!(
        (log.ends(topic).await.low, log.ends(topic).await.high),
        (1_210, 1_210)
    );
    log.write(topic, 1_210..1_211, 1).await;
    assert_eq!(log.ends(topic).await.high, 1_211);
}

#[tokio::test]
async fn the_logs_own_retention_may_be_shorter() {
    let log = Turned::new(Duration::from_secs(60), u64::MAX);
    let (topic, compacted) = (
        topic_of("gramtap.test-short.v1", false),
        topic_of("gramtap.test-kept.v1", true),
    );
    log.write(topic, 0..3, 1).await;
    log.write(compacted, 0..3, 1).await;
    log.turn(61_000).await;
    assert_eq!(log.ends(topic).await.low, 3);
    let end = log.ends(compacted).await.partition;
    let from = vec![(
        TopicPartition {
            topic: compacted,
            partition: end,
        },
        Offset::Beginning,
    )];
    let reader = log.bus.assign(from, Isolation::Committed).await.unwrap();
    assert_eq!(number(&take(&reader, 1).await[0]), 2);
}

#[tokio::test]
async fn a_full_log_loses_its_oldest_records_first_and_gives_space_back() {
    let (most, each) = (4_000_000, 100_000);
    let log = Turned::new(Duration::from_secs(24 * 3_600), most);
    let (old, new) = (
        topic_of("gramtap.test-larger.v1", false),
        topic_of("gramtap.test-newer.v1", false),
    );
    log.write(old, 0..300, each).await;
    log.turn(1_000).await;
    log.write(new, 0..30, each).await;
    let size = || {
        std::fs::metadata(log.directory.path().join("log.db"))
            .unwrap()
            .len()
    };
    log.turn(1_000).await;
    let (old, new) = (log.ends(old).await, log.ends(new).await);
    assert_eq!((old.high, new.low, new.high), (300, 0, 30));
    // 40 records of 100 kB are left, or one less, or a few less for the pages they lie in.
    let left = (old.high - old.low) + (new.high - new.low);
    assert!((30..=40).contains(&left), "{left} left: {old:?}");
    // 33 MB were written; 16 MiB of free pages may stay for new records, however fast they were written.
    assert!(size() < 22_000_000, "{}", size());
}

#[tokio::test]
async fn a_tombstone_goes_after_a_day() {
    let log = Turned::new(Duration::from_secs(24 * 3_600), u64::MAX);
    let topic = topic_of("gramtap.test-gone.v1", true);
    log.write(topic, 0..2, 1).await;
    let gone = Message {
        payload: None,
        ..Message::new(topic, "key", "")
    };
    log.bus.produce(gone).await.unwrap();
    let records = || {
        let file = rusqlite::Connection::open(log.directory.path().join("log.db")).unwrap();
        let count = |table: &str| -> i64 {
            file.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
                row.get(0)
            })
            .unwrap()
        };
        (count("record"), count("latest"))
    };
    log.turn(23 * HOUR).await;
    assert_eq!(records(), (1, 1));
    log.turn(2 * HOUR).await;
    assert_eq!(records(), (0, 0));
    log.write(topic, 2..3, 1).await;
    assert_eq!(records(), (1, 1));
}

/// Keys, each with a body or none.
fn writes() -> impl Strategy<Value = Vec<(u8, Option<u8>)>> {
    prop::collection::vec((0..5_u8, prop::option::weighted(0.8, any::<u8>())), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn compaction_keeps_the_last_of_each_key(writes in writes()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let log = Turned::new(Duration::from_secs(3_600), u64::MAX);
            let topic = topic_of("gramtap.test-compacted.v1", true);
            let mut last = BTreeMap::new();
            for (key, body) in writes {
                let message = Message {
                    payload: body.map(|body| Bytes::from(vec![body])),
                    ..Message::new(topic, vec![key], "")
                };
                last.insert(Bytes::from(vec![key]), message.payload.clone());
                log.bus.produce(message).await.unwrap();
            }
            let partitions = log.bus.ends(topic).await.unwrap().into_iter();
            let from = partitions.map(|end| (TopicPartition { topic, partition: end.partition }, Offset::Beginning));
            let reader = log.bus.assign(from.collect(), Isolation::Committed).await.unwrap();
            let records = take(&reader, last.len()).await;
            let read = records.into_iter().map(|record| (record.key.unwrap(), record.payload));
            assert_eq!(read.collect::<BTreeMap<_, _>>(), last);
        });
    }
}
