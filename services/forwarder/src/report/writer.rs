//! The one way from decisions to the bus.
//!
//! In: messages with what is done once they are acknowledged. Out: the bus, by one producer that keeps their order; acknowledgements, to
//! `consume/poller.rs`. Invariant: nothing expires and nothing is written twice by this process: while the bus is away, what was offered waits. A message
//! that is reported as failed ends the life of the forwarder, because what follows it may not overtake it. Overloaded:
//! [`Writer::has_room`] is false, and nothing more is decided until it is true.

use std::collections::HashMap;
use std::time::Duration;

use gramtap_bus::{
    Bus, BusError, Message, Position, ProduceError, Producer, ProducerOptions, Refusal, Ticket,
};
use gramtap_events::{Topic, topics};
use gramtap_telemetry::Counter;
use tokio::sync::{mpsc, oneshot};

use crate::arrange::Place;
use crate::consume::ForwardError;

/// Messages that may be unacknowledged before nothing more is decided, and their bytes. Deliveries that are under way then still have room.
const RECORDS: usize = 10_000;
const BYTES: usize = 32 * 1024 * 1024;

/// What is done once a message is acknowledged.
#[derive(Debug)]
pub(crate) enum Then {
    /// Nothing.
    Nothing,
    /// A record of the inbox, or of the retry topic, is done.
    Done(Place),
    /// The same, and somebody waits for it.
    DoneAndTold(Place, oneshot::Sender<()>),
}

/// An acknowledgement.
#[derive(Debug)]
pub(crate) struct Told {
    /// What is done now.
    pub(crate) then: Then,
    /// In deliveries.v1: where it was written.
    pub(crate) mark: Option<(i32, i64)>,
}

type Report = (Ticket, Result<Position, ProduceError>);

/// Writes.
pub(crate) struct Writer {
    producer: Producer,
    reports: mpsc::UnboundedReceiver<Report>,
    waiting: HashMap<u64, Waiting>,
    bytes: usize,
    ticket: u64,
}

struct Waiting {
    then: Then,
    topic: &'static Topic,
    bytes: usize,
}

impl Then {
    fn place(&self) -> Option<Place> {
        match self {
            Self::Nothing => None,
            Self::Done(place) | Self::DoneAndTold(place, _) => Some(*place),
        }
    }
}

impl Writer {
    /// Makes the producer.
    pub(crate) fn new(bus: &Bus) -> Result<Self, BusError> {
        let options = ProducerOptions {
            linger: Duration::from_millis(1),
            max_records: 4 * RECORDS,
            max_bytes: 8 * BYTES,
            ..ProducerOptions::lossy("forwarder")
        };
        // Bounded by what was offered.
        let (tell, reports) = mpsc::unbounded_channel();
        let report = move |ticket, outcome| {
            // With nobody left to hear, the life is over.
            tell.send((ticket, outcome)).ok();
        };
        Ok(Self {
            producer: bus.producer(options, report)?,
            reports,
            waiting: HashMap::new(),
            bytes: 0,
            ticket: 0,
        })
    }

    /// The first message will go out without delay.
    pub(crate) async fn warm(&self, within: Duration) {
        if let Err(error) = self.producer.warm(within).await {
            tracing::warn!(%error, "the bus is away, what is delivered is told later");
        }
    }

    /// Whether more may be decided.
    pub(crate) fn has_room(&self) -> bool {
        self.waiting.len() < RECORDS && self.bytes < BYTES
    }

    /// Messages about a partition that are not acknowledged; or about any.
    pub(crate) fn unacknowledged(&self, partition: Option<i32>) -> usize {
        let Some(partition) = partition else {
            return self.waiting.len();
        };
        let places = self.waiting.values().filter_map(|it| it.then.place());
        places.filter(|place| place.partition == partition).count()
    }

    /// Writes a message. `then`: what follows from its acknowledgement.
    pub(crate) fn write(&mut self, message: Message, then: Then) -> Result<(), ForwardError> {
        let (topic, bytes) = (message.topic, message.size());
        self.ticket += 1;
        let ticket = self.ticket;
        match self.producer.offer(message, Ticket(ticket)) {
            Ok(()) => {
                self.bytes += bytes;
                self.waiting.insert(ticket, Waiting { then, topic, bytes });
                Ok(())
            }
            Err(refused) => match refused.reason {
                Refusal::TooLarge => {
                    lost(topic, &then);
                    Ok(())
                }
                reason => Err(ForwardError::Refused(reason.label())),
            },
        }
    }

    /// The next acknowledgement. May be dropped at any time.
    pub(crate) async fn told(&mut self) -> Result<Told, ForwardError> {
        loop {
            let Some((ticket, outcome)) = self.reports.recv().await else {
                return Err(ForwardError::Refused("closed"));
            };
            let Some(waiting) = self.waiting.remove(&ticket.0) else {
                continue;
            };
            self.bytes -= waiting.bytes;
            let position = match outcome {
                Ok(position) => position,
                Err(ProduceError::TooLarge) => {
                    lost(waiting.topic, &waiting.then);
                    continue;
                }
                Err(error) => return Err(ForwardError::Produce(error)),
            };
            let mark = position
                .offset
                .filter(|_| waiting.topic == &topics::DELIVERIES);
            return Ok(Told {
                then: waiting.then,
                mark: mark.map(|offset| (position.partition, offset + 1)),
            });
        }
    }
}

/// A record that no broker takes: an update in the inbox leaves room for what is added to it here, so this is a fault of ours. The update
/// stays where it is, and is read again by the next owner of the partition.
fn lost(topic: &'static Topic, then: &Then) {
    Counter::Records {
        topic: topic.name,
        result: "too_large",
    }
    .inc();
    tracing::error!(topic = topic.name, place = ?then.place(), "a record is too large for the bus");
}
