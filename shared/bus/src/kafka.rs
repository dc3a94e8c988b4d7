//! Kafka, through librdkafka.
//!
//! In: the port's calls. Out: one librdkafka client for each producer, consumer, reader and
//! transactor, set up here from the `[kafka]` section; `context.rs` turns their logs and
//! statistics into ours, `fetch.rs` their records, `admin.rs` makes and checks topics.
//! Invariant: every librdkafka call that may block runs on a thread of the bus, and a setting's
//! value is in no error. Kafka away: clients connect again by themselves, at most 2 s apart.

mod admin;
pub(crate) mod consumer;
mod context;
mod fault;
mod fetch;
pub(crate) mod producer;
pub(crate) mod reader;
pub(crate) mod transactor;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use gramtap_events::Topic;
use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer};

use crate::config::{BusConfig, KafkaSection};
use crate::consume::Ends;
use crate::error::{BusError, ConsumeError};
use crate::message::LARGEST;
use crate::thread;
use context::Context;

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
    /// Numbers of partitions: they do not change while a process runs (that needs a drain).
    sizes: Mutex<HashMap<&'static str, i32>>,
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
            sizes: Mutex::default(),
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

    /// How many partitions a topic has.
    pub(crate) async fn partitions(&self, topic: &'static Topic) -> Result<i32, ConsumeError> {
        let known = self
            .sizes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(topic.name)
            .copied();
        if let Some(count) = known {
            return Ok(count);
        }
        let config = self.client();
        let ask = thread::ask("bus-question", move || {
            count(&Question::new(&config)?, topic)
        });
        let count = ask
            .await
            .map_err(|error| ConsumeError::Failed(error.to_string()))??;
        self.sizes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(topic.name, count);
        Ok(count)
    }

    /// The ends of a topic's partitions.
    pub(crate) async fn ends(&self, topic: &'static Topic) -> Result<Vec<Ends>, ConsumeError> {
        let config = self.client();
        let ask = thread::ask("bus-question", move || {
            let question = Question::new(&config)?;
            let count = count(&question, topic)?;
            let ends = (0..count).map(|partition| {
                let ends = question
                    .client
                    .fetch_watermarks(topic.name, partition, question.left());
                let (low, high) = ends.map_err(|error| fault::read(&error))?;
                Ok(Ends {
                    partition,
                    low,
                    high,
                })
            });
            ends.collect()
        });
        ask.await
            .map_err(|error| ConsumeError::Failed(error.to_string()))?
    }
}

/// A client made for a question, on a thread of its own.
struct Question {
    client: BaseConsumer<Context>,
    until: Instant,
}

impl Question {
    fn new(config: &ClientConfig) -> Result<Self, ConsumeError> {
        let client = config.create_with_context(Context::new("question"));
        Ok(Self {
            client: client.map_err(|error| fault::read(&error))?,
            until: Instant::now() + QUESTION,
        })
    }

    fn left(&self) -> Duration {
        self.until
            .saturating_duration_since(Instant::now())
            .max(Duration::from_millis(1))
    }
}

fn count(question: &Question, topic: &'static Topic) -> Result<i32, ConsumeError> {
    let metadata = question
        .client
        .fetch_metadata(Some(topic.name), question.left());
    let metadata = metadata.map_err(|error| fault::read(&error))?;
    let found = metadata
        .topics()
        .iter()
        .find(|it| it.name() == topic.name && it.error().is_none());
    match found.map(|it| it.partitions().len()) {
        None | Some(0) => Err(ConsumeError::Unknown(topic.name.to_owned())),
        Some(count) => Ok(i32::try_from(count).unwrap_or(i32::MAX)),
    }
}
