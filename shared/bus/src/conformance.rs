//! The suite that both engines pass: what the port promises, row by row.
//!
//! In: a [`Subject`], an engine to be tried, made by the tests of this crate (embedded log) and by
//! `tests/it/bus.rs` (Kafka). Out: a panic where a promise is broken. Each row uses topics and
//! groups of its own, so rows run beside each other. [`rows!`](crate::conformance_rows) makes one
//! test of each. Invariant: a row knows nothing of the engine.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a suite of tests"
)]

pub mod death;
pub mod groups;
pub mod kafka;
pub mod lane;
pub mod producing;
pub mod reading;
pub mod together;
pub mod transactions;

use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gramtap_events::Topic;

use crate::config::Compression;
use crate::{
    Bus, BusConfig, BusSection, Delivery, EmbeddedSection, Event, Isolation, KafkaSection, Kind,
    Message, Offset, Reader, TopicPartition, topics,
};

/// Every wait of the suite ends after this, only to fail.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// The embedded log in a folder, with few partitions, for tests of whatever needs a bus.
#[must_use]
pub fn embedded(data_dir: &Path) -> BusConfig {
    BusConfig {
        bus: BusSection {
            kind: Kind::Embedded,
            embedded: EmbeddedSection {
                retention: Duration::from_secs(24 * 3_600),
                max_bytes: gramtap_settings::ByteSize::gib(1),
            },
        },
        kafka: KafkaSection {
            brokers: String::new(),
            properties: Vec::new(),
            partitions: 4,
            replication: 1,
            compression: Compression::Lz4,
        },
        data_dir: data_dir.to_owned(),
        client: "test".to_owned(),
    }
}

/// An engine to be tried.
pub struct Subject {
    /// It.
    pub bus: Bus,
    /// Makes names of topics and groups this run's own.
    pub tag: String,
}

static NAMES: AtomicU64 = AtomicU64::new(0);

impl Subject {
    /// A topic that nobody else uses.
    pub async fn topic(&self, compacted: bool) -> &'static Topic {
        let topic = topic_of(&format!("gramtap.{}.v1", self.name()), compacted);
        topics::apply(&self.bus, &[topic], DEADLINE).await.unwrap();
        topic
    }

    /// A name that nobody else uses.
    #[must_use]
    pub fn name(&self) -> String {
        format!(
            "test-{}-{}",
            self.tag,
            NAMES.fetch_add(1, Ordering::Relaxed)
        )
    }

    /// Reads all partitions of a topic from the beginning.
    pub async fn read(&self, topic: &'static Topic) -> Reader {
        let count = self.bus.partitions(topic).await.unwrap();
        let from =
            (0..count).map(|partition| (TopicPartition { topic, partition }, Offset::Beginning));
        self.bus
            .assign(from.collect(), Isolation::Committed)
            .await
            .unwrap()
    }

    /// Writes records `from..to` of a key, each acknowledged before the next, with their numbers
    /// as payload.
    pub async fn write(&self, topic: &'static Topic, key: &str, numbers: std::ops::Range<u32>) {
        for number in numbers {
            let message = Message::new(topic, key.to_owned(), number.to_string());
            self.bus.produce(message).await.unwrap();
        }
    }

    /// A key that lives in a partition.
    pub async fn key_in(&self, topic: &'static Topic, partition: i32) -> String {
        let count = self.bus.partitions(topic).await.unwrap();
        let keys = (0..).map(|number: u32| format!("key-{number}"));
        let fits = |key: &String| crate::partition_of(key.as_bytes(), count) == partition;
        keys.into_iter().find(fits).unwrap()
    }
}

/// A topic of that name, kept for an hour or compacted.
#[must_use]
pub fn topic_of(name: &str, compacted: bool) -> &'static Topic {
    Box::leak(Box::new(Topic {
        name: Box::leak(name.to_owned().into_boxed_str()),
        retention: (!compacted).then_some(Duration::from_secs(3_600)),
        compacted,
        restricted: false,
        about: "a test's",
    }))
}

/// Waits for what has to come.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(DEADLINE, future).await;
    waited.unwrap_or_else(|_| panic!("{what}: not within {DEADLINE:?}"))
}

/// The next `count` records.
pub async fn take(reader: &Reader, count: usize) -> Vec<Delivery> {
    let mut records = Vec::new();
    while records.len() < count {
        let what = format!("record {} of {count}", records.len() + 1);
        match within(&what, reader.next()).await.unwrap().unwrap() {
            Event::Record(record) => records.push(record),
            other => panic!("{other:?} while waiting for {what}"),
        }
    }
    records
}

/// Asserts that nothing more comes for a moment. What should not come cannot be waited for, so
/// callers first wait for a record that was written later where there can be one.
pub async fn assert_silent(reader: &Reader) {
    if let Ok(event) = tokio::time::timeout(Duration::from_millis(300), reader.next()).await {
        panic!("unexpected {event:?}");
    }
}

/// The number that [`Subject::write`] wrote.
#[must_use]
pub fn number(record: &Delivery) -> u32 {
    let payload = record.payload.as_ref().unwrap();
    std::str::from_utf8(payload).unwrap().parse().unwrap()
}

/// Numbers by key, in the order they were read in.
#[must_use]
pub fn numbers(records: &[Delivery]) -> BTreeMap<String, Vec<u32>> {
    let mut by_key = BTreeMap::<String, Vec<u32>>::new();
    for record in records {
        let key = String::from_utf8(record.key.as_ref().unwrap().to_vec()).unwrap();
        by_key.entry(key).or_default().push(number(record));
    }
    by_key
}

/// Makes a test of every row; the argument is an expression that, awaited, gives a [`Subject`]
/// and whatever has to live as long.
#[macro_export]
macro_rules! conformance_rows {
    ($subject:expr) => {
        $crate::conformance_rows! { @ $subject;
            producing: order_is_kept_and_a_key_has_one_partition
                headers_and_bodies_come_back_as_they_were
                a_large_record_passes_and_a_larger_one_is_refused
                every_accepted_offer_is_reported_once_and_in_order
                a_full_queue_refuses_and_gives_the_message_back
                purge_gives_back_what_waits
                a_dropped_producer_gives_back_what_waits
                a_callback_that_panics_costs_one_report;
            lane: many_wait_for_their_own_record
                a_hand_over_is_taken_or_comes_back;
            reading: reading_begins_at_the_offset_that_was_given
                a_tail_sees_what_comes_after_it
                ends_move_with_what_is_written
                a_compacted_topic_tells_the_last_of_each_key;
            groups: a_group_goes_on_where_it_committed_with_its_metadata
                two_members_share_and_nothing_is_lost_or_done_twice
                a_revocation_waits_for_the_last_commit
                a_revocation_held_too_long_is_taken_away
                a_paused_partition_rests_while_others_go_on
                a_slow_member_gets_everything
                a_second_member_of_a_name_fences_the_first;
            together: partitions_of_one_number_have_one_owner;
            transactions: records_and_offsets_are_committed_together
                an_aborted_or_forgotten_transaction_is_never_seen
                an_older_transactor_is_fenced
                offsets_of_a_lost_partition_abort_the_transaction;
        }
    };
    (@ $subject:expr; $($part:ident: $($row:ident)+;)+) => {
        $(mod $part {
            #[allow(unused_imports)]
            use super::*;
            $(
                #[test]
                fn $row() {
                    let runtime = ::tokio::runtime::Builder::new_current_thread().enable_all().build();
                    runtime.expect("a runtime").block_on(async {
                        let (subject, _kept) = $subject.await;
                        $crate::conformance::$part::$row(&subject).await;
                    });
                }
            )+
        })+
    };
}
