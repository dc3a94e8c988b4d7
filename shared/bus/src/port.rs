//! The port: what every service sees of the bus, whichever engine is behind it.
//!
//! In: the settings, at start. Out: producers, consumers, readers and transactors of one engine.
//! Invariant: nothing here waits for a broker but what says so, and opening never needs one: a
//! service starts while Kafka is away.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gramtap_events::{Topic, topics::ALL};

use crate::config::{BusConfig, Kind};
use crate::consume::{Consumer, ConsumerOptions, Ends, Isolation, Offset, Reader, TopicPartition};
use crate::error::{BusError, ConsumeError, ProduceError, TransactionError};
use crate::message::{Message, Position, Ticket};
use crate::produce::durable::DurableLane;
use crate::produce::{Outcome, Producer, ProducerOptions};
use crate::transact::Transactor;
use crate::{embedded, kafka, thread, topics};

/// How long the brokers are asked about the topics at start, before going on without an answer.
const START: Duration = Duration::from_secs(5);

/// The bus. Cheap to clone; the engine ends with the last clone and the last of what it made.
#[derive(Clone)]
pub struct Bus {
    pub(crate) engine: Engine,
    durable: DurableLane,
}

/// Either engine.
#[derive(Clone)]
pub(crate) enum Engine {
    Kafka(Arc<kafka::Kafka>),
    Embedded(Arc<embedded::Log>),
}

impl Engine {
    pub(crate) fn producer(
        &self,
        options: ProducerOptions,
        on_report: Box<dyn Fn(Ticket, Outcome) + Send + Sync>,
    ) -> Result<Producer, BusError> {
        use crate::produce::Engine as Made;
        let engine = match self {
            Self::Kafka(kafka) => {
                Made::Kafka(kafka::producer::Producer::new(kafka, options, on_report)?)
            }
            Self::Embedded(log) => {
                Made::Embedded(embedded::producer::Producer::new(log, options, on_report)?)
            }
        };
        Ok(Producer { engine })
    }
}

impl Bus {
    /// Opens the bus and checks the topics of the table. Kafka not answering is no error (it is
    /// logged; ask [`topics::check`] later); topics that are missing or differ are.
    pub async fn connect(config: &BusConfig) -> Result<Self, BusError> {
        let own = config.clone();
        let bus = thread::ask("bus-open", move || Self::open(&own)).await??;
        match topics::check(&bus, &ALL, START).await {
            Err(error @ BusError::Unreachable(_)) => {
                tracing::warn!(%error, "kafka does not answer, topics are not checked");
                Ok(bus)
            }
            checked => checked.map(|()| bus),
        }
    }

    /// Opens the bus. Asks no broker. The embedded log is locked against other processes; one
    /// that is just ending is waited for, which blocks for 3 s at most.
    pub fn open(config: &BusConfig) -> Result<Self, BusError> {
        let engine = match config.bus.kind {
            Kind::Kafka => Engine::Kafka(Arc::new(kafka::Kafka::new(config)?)),
            Kind::Embedded => {
                let log = embedded::Log::open(&config.data_dir, &config.bus.embedded)?;
                Engine::Embedded(Arc::new(log))
            }
        };
        Ok(Self::over(engine))
    }

    /// Opens the bus to look on, beside the process that has the embedded log: `assign`, `tail`,
    /// `ends` work, all else is refused as read-only. With Kafka the same as [`Bus::open`].
    pub fn observe(config: &BusConfig) -> Result<Self, BusError> {
        match config.bus.kind {
            Kind::Kafka => Self::open(config),
            Kind::Embedded => {
                let log = embedded::Log::observe(&config.data_dir)?;
                Ok(Self::over(Engine::Embedded(Arc::new(log))))
            }
        }
    }

    pub(crate) fn over(engine: Engine) -> Self {
        let durable = ProducerOptions::durable("durable");
        Self {
            durable: DurableLane::new(engine.clone(), durable),
            engine,
        }
    }

    /// The path of the embedded log's file under a data directory.
    #[must_use]
    pub fn log_file(data_dir: &Path) -> std::path::PathBuf {
        data_dir.join("log.db")
    }

    /// A producer whose offers are reported through `on_report`, which is called on a thread of
    /// the bus and must not block.
    pub fn producer<F>(&self, options: ProducerOptions, on_report: F) -> Result<Producer, BusError>
    where
        F: Fn(Ticket, Result<Position, ProduceError>) + Send + Sync + 'static,
    {
        self.engine.producer(options, Box::new(on_report))
    }

    /// Writes one record and waits until it is acknowledged. A caller that stops waiting leaves
    /// the record on its way.
    pub async fn produce(&self, message: Message) -> Result<Position, ProduceError> {
        self.durable.produce(message).await
    }

    /// The producer that [`Bus::produce`] writes with, e.g. to warm it or ask for its health.
    pub fn durable_producer(&self) -> Result<Producer, BusError> {
        self.durable.producer()
    }

    /// A lane like that of [`Bus::produce`], with a producer of its own: its `max_bytes` bound what is not reported yet.
    #[must_use]
    pub fn durable_lane(&self, options: ProducerOptions) -> DurableLane {
        DurableLane::new(self.engine.clone(), options)
    }

    /// Joins a group.
    pub async fn consumer(
        &self,
        group: &str,
        topics: &[&'static Topic],
        options: ConsumerOptions,
    ) -> Result<Consumer, ConsumeError> {
        match &self.engine {
            Engine::Kafka(kafka) => kafka::consumer::join(kafka, group, topics, options).await,
            Engine::Embedded(log) => embedded::consumer::join(log, group, topics, options),
        }
    }

    /// Reads partitions from given offsets, without a group.
    pub async fn assign(
        &self,
        from: Vec<(TopicPartition, Offset)>,
        isolation: Isolation,
    ) -> Result<Reader, ConsumeError> {
        match &self.engine {
            Engine::Kafka(kafka) => kafka::reader::read(kafka, from, isolation).await,
            Engine::Embedded(log) => embedded::reader::read(log, from).await,
        }
    }

    /// Reads one partition from its end, without a group: every record written after this
    /// returns.
    pub async fn tail(
        &self,
        topic: &'static Topic,
        partition: i32,
    ) -> Result<Reader, ConsumeError> {
        let partition = TopicPartition { topic, partition };
        self.assign(vec![(partition, Offset::End)], Isolation::Committed)
            .await
    }

    /// A transactor; every older one of the same id is fenced. `id` is the stable name of the
    /// instance.
    pub async fn transactor(&self, id: &str) -> Result<Transactor, TransactionError> {
        use crate::transact::Engine as Made;
        let engine = match &self.engine {
            Engine::Kafka(kafka) => Made::Kafka(kafka::transactor::Handle::new(kafka, id).await?),
            Engine::Embedded(log) => {
                Made::Embedded(embedded::transactor::Handle::new(log, id).await?)
            }
        };
        Ok(Transactor { engine })
    }

    /// The ends of every partition of a topic.
    pub async fn ends(&self, topic: &'static Topic) -> Result<Vec<Ends>, ConsumeError> {
        match &self.engine {
            Engine::Kafka(kafka) => kafka.ends(topic).await,
            Engine::Embedded(log) => log.ends(topic).await,
        }
    }

    /// How many partitions a topic has.
    pub async fn partitions(&self, topic: &'static Topic) -> Result<i32, ConsumeError> {
        match &self.engine {
            Engine::Kafka(kafka) => kafka.partitions(topic).await,
            Engine::Embedded(log) => log.partitions(topic),
        }
    }

    /// The partition that a key's records are in.
    pub async fn partition_for(
        &self,
        topic: &'static Topic,
        key: &[u8],
    ) -> Result<i32, ConsumeError> {
        let count = self.partitions(topic).await?;
        Ok(crate::partition_of(key, count))
    }
}
