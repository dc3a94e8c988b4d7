//! The embedded log's tests: the conformance suite, a test for each row, and what is its alone:
//! deaths (`tests/death.rs`), retention by the clock and by size (`tests/retention.rs`), other
//! processes, a disk that refuses (`tests/file.rs`).
//!
//! In: `conformance.rs`. Out: pass or fail. Needs nothing but a directory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod death;
mod file;
mod retention;

use std::path::Path;
use std::time::Duration;

use crate::config::Compression;
use crate::conformance::Subject;
use crate::{Bus, BusConfig, BusSection, EmbeddedSection, KafkaSection, Kind};

fn config(data_dir: &Path) -> BusConfig {
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

async fn subject() -> (Subject, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let bus = Bus::connect(&config(directory.path())).await.unwrap();
    let tag = "embedded".to_owned();
    (Subject { bus, tag }, directory)
}

crate::conformance_rows!(subject());
