//! Kafka, through librdkafka.
//!
//! In: the port's calls. Out: one librdkafka client for each producer, consumer, reader and
//! transactor, set up here from the `[kafka]` section; `context.rs` turns their logs and
//! statistics into ours, `fetch.rs` their records, `rebalance.rs` their groups, `fault.rs` their
//! errors; `question.rs` asks where partitions end; `admin.rs` makes and checks topics as
//! `wanted.rs` says.
//! Invariant: every librdkafka call that may block runs on a thread of the bus, and a setting's
//! value is in no error. Kafka away: clients connect again by themselves, at most 2 s apart.

mod admin;
pub(crate) mod consumer;
mod context;
mod fault;
mod fetch;
mod offsets;
pub(crate) mod producer;
mod question;
pub(crate) mod reader;
mod rebalance;
pub(crate) mod transactor;
mod wanted;

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;

use crate::config::{BusConfig, KafkaSection};
use crate::error::BusError;
use crate::message::LARGEST;

/// What a question to the brokers may take.
const QUESTION: Duration = Duration::from_secs(10);

/// What a record may be on the wire: its framing comes on top.
pub(crate) const LARGEST_ON_WIRE: usize = LARGEST + 64 * 1024;

/// Settings that the bus's promises rest on.
const RESERVED: [&str; 16] = [
    "bootstrap.servers",
    "metadata.broker.list",
    "client.id",
    "group.id",
    "group.instance.id",
    "group.protocol",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "auto.offset.reset",
    "isolation.level",
    "enable.idempotence",
    "acks",
    "partitioner",
    "transactional.id",
    "message.timeout.ms",
    "allow.auto.create.topics",
];

/// How to reach the brokers.
pub(crate) struct Kafka {
    base: ClientConfig,
    section: KafkaSection,
    sizes: question::Sizes,
}

impl Kafka {
    pub(crate) fn new(config: &BusConfig) -> Result<Self, BusError> {
        let section = config.kafka.clone();
        let mut base = ClientConfig::new();
        base.set("bootstrap.servers", &section.brokers)
            .set("client.id", &config.client)
            .set("allow.auto.create.topics", "false")
            .set("socket.keepalive.enable", "true")
            .set("socket.connection.setup.timeout.ms", "10000")
            .set("reconnect.backoff.ms", "100")
            .set("reconnect.backoff.max.ms", "2000")
            .set("log.connection.close", "false");
        base.set_log_level(RDKafkaLogLevel::Info);
        for property in &section.properties {
            if RESERVED.contains(&property.key.as_str()) {
                return Err(BusError::Setting {
                    key: property.key.clone(),
                    reason: "Gramtap sets it itself".to_owned(),
                });
            }
            base.set(&property.key, &property.value);
        }
        // Tells of unknown settings and impossible values now, and not at the first use.
        base.create_native_config()
            .map_err(|error| fault::setting(&error))?;
        Ok(Self {
            base,
            section,
            sizes: question::Sizes::default(),
        })
    }

    /// The settings that all clients share.
    fn client(&self) -> ClientConfig {
        self.base.clone()
    }

    /// The settings that all clients which read share.
    fn reading(&self) -> ClientConfig {
        let mut config = self.client();
        config
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            // Whatever is skipped is told: see fetch.rs.
            .set("auto.offset.reset", "error")
            .set("queued.min.messages", "10000")
            .set("queued.max.messages.kbytes", "16384")
            .set("fetch.queue.backoff.ms", "50");
        config
    }

    /// The settings that all clients which write share.
    fn writing(&self) -> ClientConfig {
        let mut config = self.client();
        config
            .set("enable.idempotence", "true")
            .set("partitioner", "murmur2_random")
            .set("compression.type", self.section.compression.as_str())
            .set("message.max.bytes", LARGEST_ON_WIRE.to_string());
        config
    }
}
