//! The bus: one port over Kafka and over the embedded durable log.
//!
//! The way of a record: a service makes a [`message`] and hands it to [`produce`] (lossy: offered,
//! reported later; durable: awaited) or to [`transact`] (with offsets, all or nothing); [`port`]
//! leads it to the engine, `kafka` or `embedded`; the record comes out of [`consume`] (a group, or
//! given offsets, or the end of one partition). [`partition`] says where a key lives on both
//! engines, [`topics`] makes and checks what the table in `shared/events` asks for, [`config`]
//! holds the settings, [`error`] what may go wrong.
//! Invariant: both engines pass the suite in `conformance`. A full queue refuses, nothing is
//! dropped unreported, and nothing here blocks the thread of a runtime.

pub mod config;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod consume;
mod embedded;
pub mod error;
mod kafka;
pub mod message;
pub mod partition;
pub mod port;
pub mod produce;
mod thread;
pub mod topics;
pub mod transact;

pub use config::{BusConfig, BusSection, EmbeddedSection, KafkaSection, Kind};
pub use consume::{
    Assigned, Committed, Consumer, ConsumerOptions, Ends, Event, Isolation, Membership, Offset,
    Reader, Revoked, Skipped, TopicPartition,
};
pub use error::{BusError, CommitError, ConsumeError, ProduceError, TransactionError};
pub use message::{Delivery, Header, Message, Position, Ticket};
pub use partition::partition_of;
pub use port::Bus;
pub use produce::durable::{DurableLane, Reported};
pub use produce::{Health, Producer, ProducerOptions, Refusal, Refused};
pub use transact::{Transaction, Transactor};
