//! Producing: offers that are reported later, and what a producer is asked and told.
//!
//! In: messages from batchers (lossy) and from `durable.rs`. Out: `kafka/producer.rs` or
//! `embedded/producer.rs`; reports come back through the callback. Invariant: an accepted offer is
//! reported exactly once, a refused one never; acknowledgements of a partition come in order, one
//! after another. Overloaded: the offer is refused as full, with the message given back.

pub(crate) mod durable;
pub(crate) mod ledger;
pub(crate) mod reports;

use std::sync::Arc;
use std::time::Duration;

use crate::error::{BusError, ProduceError};
use crate::message::{Message, Position, Ticket};
use crate::{embedded, kafka};
use reports::Reports;

/// How a producer behaves.
#[derive(Clone, Debug)]
pub struct ProducerOptions {
    /// What its thread, its logs and its metrics call it.
    pub name: &'static str,
    /// How long a record may wait for company.
    pub linger: Duration,
    /// After how long an unacknowledged record is given up. None: never while the process lives,
    /// so that an outage does not change the order.
    pub expiry: Option<Duration>,
    /// Unreported records at most.
    pub max_records: usize,
    /// Their bytes at most.
    pub max_bytes: usize,
    /// In the embedded log: synced to disk before it is acknowledged, so that it outlives the
    /// loss of power too, not only of the process. Kafka's promise is its replication.
    pub durable: bool,
}

impl ProducerOptions {
    /// For batches that may wait: never expires, so its order survives an outage.
    #[must_use]
    pub fn lossy(name: &'static str) -> Self {
        Self {
            name,
            linger: Duration::from_millis(20),
            expiry: None,
            max_records: 100_000,
            max_bytes: 32 * 1024 * 1024,
            durable: false,
        }
    }

    /// For records that somebody waits for.
    #[must_use]
    pub fn durable(name: &'static str) -> Self {
        Self {
            name,
            linger: Duration::ZERO,
            expiry: Some(Duration::from_secs(30)),
            max_records: 10_000,
            max_bytes: 64 * 1024 * 1024,
            durable: true,
        }
    }
}

/// A message that was not taken, given back.
#[derive(Debug, thiserror::Error)]
#[error("refused: {}", reason.label())]
pub struct Refused {
    /// As it was offered.
    pub message: Message,
    /// Why.
    pub reason: Refusal,
}

/// Why an offer was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// As many records or bytes wait as may.
    Full,
    /// The producer is closed or broken for good (see [`Health::broken`]): make another one.
    Closed,
    /// Larger than [`crate::message::LARGEST`].
    TooLarge,
}

impl Refusal {
    /// The fixed word for metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Closed => "closed",
            Self::TooLarge => "too_large",
        }
    }
}

/// How a producer does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Offers accepted since it was made. `accepted = delivered + failed + waiting`.
    pub accepted: u64,
    /// Of these, acknowledged.
    pub delivered: u64,
    /// Of these, reported with an error.
    pub failed: u64,
    /// Of these, not reported yet.
    pub waiting: u64,
    /// Bytes of those that wait.
    pub waiting_bytes: u64,
    /// How long ago the last acknowledgement came.
    pub last_ack: Option<Duration>,
    /// How long the oldest unreported record has waited (to 100 ms).
    pub oldest_waiting: Option<Duration>,
    /// Whether the engine believes that it can write: a broker is connected, the last commit to
    /// disk worked.
    pub reachable: bool,
    /// Why nothing will ever be written through this producer again.
    pub broken: Option<String>,
}

/// What the callback of a producer is told.
pub(crate) type Outcome = Result<Position, ProduceError>;

/// Writes records. Clones share one queue; the last one dropped gives back what waits.
#[derive(Clone)]
pub struct Producer {
    pub(crate) engine: Engine,
}

/// The producer of either engine.
#[derive(Clone)]
pub(crate) enum Engine {
    Kafka(Arc<kafka::producer::Producer>),
    Embedded(Arc<embedded::producer::Producer>),
}

impl Producer {
    /// Queues a message. Never blocks; with `Ok` the callback will be called once with the ticket.
    pub fn offer(&self, message: Message, ticket: Ticket) -> Result<(), Refused> {
        match &self.engine {
            Engine::Kafka(producer) => producer.offer(message, ticket),
            Engine::Embedded(producer) => producer.offer(message, ticket),
        }
    }

    /// Gives back every record that is not acknowledged: each is reported as purged, soon, in any
    /// order. Those that were sent already may be stored all the same.
    pub fn purge(&self) {
        match &self.engine {
            Engine::Kafka(producer) => producer.purge(),
            Engine::Embedded(producer) => producer.purge(),
        }
    }

    /// Waits until nothing waits. Returns how many still do after the deadline.
    pub async fn flush(&self, deadline: Duration) -> u64 {
        self.reports().ledger().idle(deadline).await
    }

    /// Waits until the first record would go out without delay: connected, known to the broker,
    /// topics looked up. Writes nothing.
    pub async fn warm(&self, deadline: Duration) -> Result<(), BusError> {
        match &self.engine {
            Engine::Kafka(producer) => producer.warm(deadline).await,
            Engine::Embedded(_) => Ok(()),
        }
    }

    /// How it does now.
    #[must_use]
    pub fn health(&self) -> Health {
        match &self.engine {
            Engine::Kafka(producer) => producer.health(),
            Engine::Embedded(producer) => producer.health(),
        }
    }

    /// Whether nothing will ever be written through it again.
    pub(crate) fn is_broken(&self) -> bool {
        self.health().broken.is_some()
    }

    fn reports(&self) -> &Reports {
        match &self.engine {
            Engine::Kafka(producer) => producer.reports(),
            Engine::Embedded(producer) => producer.reports(),
        }
    }
}
