//! Reports: where every accepted offer ends, for both engines.
//!
//! In: the engine's thread. Out: the owner's callback, the ledger, the metrics. Invariant: an
//! envelope is reported or retracted, once. A callback that panics loses its own report and not
//! the producer.

use std::time::Instant;

use gramtap_events::{Topic, topics};
use gramtap_telemetry::{Counter, CounterHandle, Gauge, GaugeHandle, Histogram, HistogramHandle};

use super::ledger::{Ledger, Slot};
use super::{Health, Outcome, ProducerOptions, Refusal};
use crate::message::{LARGEST, Message, Ticket};

/// The callback and the ledger of one producer: where every accepted offer ends.
pub(crate) struct Reports {
    ledger: Ledger,
    callback: Box<dyn Fn(Ticket, Outcome) + Send + Sync>,
    meters: Meters,
}

/// What an accepted record is known by until it is reported.
#[derive(Debug)]
pub(crate) struct Envelope {
    ticket: Ticket,
    topic: &'static Topic,
    slot: Slot,
    bytes: usize,
    accepted: Instant,
}

impl Reports {
    pub(crate) fn new<F>(options: &ProducerOptions, callback: F) -> Self
    where
        F: Fn(Ticket, Outcome) + Send + Sync + 'static,
    {
        Self {
            ledger: Ledger::new(options.max_records, options.max_bytes),
            callback: Box::new(callback),
            meters: Meters::new(),
        }
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub(crate) fn health(&self, reachable: bool, broken: Option<String>) -> Health {
        let sums = self.ledger.sums();
        Health {
            accepted: sums.accepted,
            delivered: sums.delivered,
            failed: sums.failed,
            waiting: sums.waiting,
            waiting_bytes: sums.waiting_bytes,
            last_ack: sums.last_ack,
            oldest_waiting: sums.oldest_waiting,
            reachable,
            broken,
        }
    }

    /// Books an offer; the envelope must come back through `report` or `retract`.
    pub(crate) fn accept(&self, message: &Message, ticket: Ticket) -> Result<Envelope, Refusal> {
        let bytes = message.size();
        if bytes > LARGEST {
            return Err(Refusal::TooLarge);
        }
        let accepted = Instant::now();
        let slot = self.ledger.accept(bytes, accepted).ok_or(Refusal::Full)?;
        self.meters.open(1, bytes);
        Ok(Envelope {
            ticket,
            topic: message.topic,
            slot,
            bytes,
            accepted,
        })
    }

    /// The engine did not take it after all.
    pub(crate) fn retract(&self, envelope: &Envelope) {
        self.meters.open(-1, envelope.bytes);
        self.ledger.retract(envelope.slot, envelope.bytes);
    }

    /// Tells the owner, then counts: when nothing waits any more, all has been told.
    pub(crate) fn report(&self, envelope: &Envelope, outcome: Outcome) {
        let delivered = outcome.is_ok();
        match &outcome {
            Ok(_) => self.meters.produced(envelope),
            Err(error) => Counter::BusFailed {
                reason: error.label(),
            }
            .inc(),
        }
        let told = std::panic::AssertUnwindSafe(|| (self.callback)(envelope.ticket, outcome));
        if std::panic::catch_unwind(told).is_err() {
            tracing::error!(ticket = envelope.ticket.0, "a producer's callback panicked");
        }
        self.meters.open(-1, envelope.bytes);
        self.ledger.report(envelope.slot, envelope.bytes, delivered);
    }
}

/// The series that every record moves, looked up once.
struct Meters {
    produced: Vec<(&'static Topic, CounterHandle)>,
    seconds: HistogramHandle,
    records: GaugeHandle,
    bytes: GaugeHandle,
}

impl Meters {
    fn new() -> Self {
        let produced = topics::ALL
            .into_iter()
            .map(|topic| (topic, produced(topic).handle()));
        Self {
            produced: produced.collect(),
            seconds: Histogram::BusSeconds.handle(),
            records: Gauge::BusQueueRecords.handle(),
            bytes: Gauge::BusQueueBytes.handle(),
        }
    }

    /// Open records that come (1) or go (-1).
    fn open(&self, records: i64, bytes: usize) {
        self.records.add(records);
        self.bytes
            .add(records * i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    fn produced(&self, envelope: &Envelope) {
        let known = self
            .produced
            .iter()
            .find(|(topic, _)| std::ptr::eq(*topic, envelope.topic));
        match known {
            Some((_, counter)) => counter.inc(),
            None => produced(envelope.topic).inc(),
        }
        self.seconds.record(envelope.accepted.elapsed());
    }
}

fn produced(topic: &'static Topic) -> Counter {
    Counter::BusProduced { topic: topic.name }
}
