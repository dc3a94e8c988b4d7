//! The bus against real Kafka.
//!
//! In: Kafka at `GRAMTAP_TEST_KAFKA` (host:port; `deploy/dev/services`). Out: one test for each row
//! of the conformance suite, and those of `bus/`: `topics.rs` (check and apply), `start.rs` (what
//! is said when Kafka is away or misconfigured), `outage.rs` (a broker that dies, one that
//! freezes), `membership.rs` (a restart under a stable name), `retention.rs` (records gone before
//! they were read), `death.rs` (kill -9 of a process that writes). Each test has topics and groups
//! of its own; those that end the broker are alone with it (`tests/src/broker.rs`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod death;
mod membership;
mod outage;
mod retention;
mod start;
mod topics;

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gramtap_bus::config::Compression;
use gramtap_bus::conformance::Subject;
use gramtap_bus::{Bus, BusConfig, BusSection, EmbeddedSection, KafkaSection, Kind};
use gramtap_tests::broker;

/// A bus on the tests' Kafka, with few partitions.
pub(crate) fn config() -> BusConfig {
    BusConfig {
        bus: BusSection {
            kind: Kind::Kafka,
            embedded: EmbeddedSection {
                retention: Duration::ZERO,
                max_bytes: Default::default(),
            },
        },
        kafka: KafkaSection {
            brokers: broker::address(),
            properties: Vec::new(),
            partitions: 4,
            replication: 1,
            compression: Compression::Lz4,
        },
        data_dir: Path::new("/nonexistent").to_owned(),
        client: "gramtap-test".to_owned(),
    }
}

/// What the rows of the suite are given, with the broker's use.
async fn subject() -> (Subject, broker::Shared) {
    let shared = broker::shared().await;
    let bus = Bus::open(&config()).unwrap();
    (Subject { bus, tag: tag() }, shared)
}

/// Different in every process and run, because Kafka keeps what earlier runs wrote.
fn tag() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    format!("{}-{}", now.as_millis(), std::process::id())
}

gramtap_bus::conformance_rows!(subject());
