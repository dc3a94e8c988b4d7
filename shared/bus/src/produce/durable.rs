//! The durable lane: one record, awaited.
//!
//! In: `Bus::produce`, and whoever has a lane of its own ([`crate::Bus::durable_lane`]). Out: a producer of its own, made at the
//! first use and again when it is broken for good; its reports wake the callers. Invariant: a caller is told exactly what
//! its record's report said; one that stops waiting leaves the record in flight. Overloaded: callers wait
//! for room, or are refused at once, as they ask for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::{Outcome, Producer, ProducerOptions, Refusal, Refused};
use crate::error::{BusError, ProduceError};
use crate::message::{LARGEST, Message, Position, Ticket};
use crate::port::Engine;

/// What room is counted in: every record takes one, and one more for each of these bytes.
const UNIT: usize = 1024;

/// A way to the bus for records that somebody waits for, with a producer and a bound of its own.
#[derive(Clone)]
pub struct DurableLane(Arc<Lane>);

struct Lane {
    engine: Engine,
    options: ProducerOptions,
    made: Mutex<Option<Arc<Durable>>>,
}

/// What became of a record that was handed over.
#[must_use = "the record is on its way whether or not anybody waits for its report"]
#[derive(Debug)]
pub struct Reported(oneshot::Receiver<Outcome>);

impl Reported {
    /// Waits for it. Dropped before, the record stays on its way.
    pub async fn outcome(self) -> Result<Position, ProduceError> {
        self.0.await.unwrap_or_else(|_| Err(shut_down()))
    }
}

impl DurableLane {
    /// `options.max_bytes` is the bound on all that is not reported, of which every record takes at least a [`UNIT`].
    pub(crate) fn new(engine: Engine, options: ProducerOptions) -> Self {
        Self(Arc::new(Lane {
            engine,
            options,
            made: Mutex::default(),
        }))
    }

    /// Writes one record and waits until it is acknowledged, first of all for room. A caller that stops waiting leaves
    /// the record on its way.
    pub async fn produce(&self, message: Message) -> Result<Position, ProduceError> {
        let durable = self.durable().map_err(|error| match error {
            BusError::ReadOnly => ProduceError::ReadOnly,
            error => ProduceError::Closed(error.to_string()),
        })?;
        durable.produce(message).await
    }

    /// Hands one record over, now or not at all: whatever is refused was not and will not be written.
    pub fn hand_over(&self, message: Message) -> Result<Reported, Refused> {
        match self.durable() {
            Ok(durable) => durable.hand_over(message),
            Err(_) => Err(Refused {
                message,
                reason: Refusal::Closed,
            }),
        }
    }

    /// The producer that it writes with, e.g. to warm it or ask for its health.
    pub fn producer(&self) -> Result<Producer, BusError> {
        self.durable().map(|durable| durable.producer.clone())
    }

    fn durable(&self) -> Result<Arc<Durable>, BusError> {
        let mut slot = self.0.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(durable) = slot.as_ref()
            && !durable.producer.is_broken()
        {
            return Ok(Arc::clone(durable));
        }
        let made = Arc::new(Durable::new(&self.0.engine, self.0.options.clone())?);
        *slot = Some(Arc::clone(&made));
        Ok(made)
    }
}

impl std::fmt::Debug for DurableLane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DurableLane({})", self.0.options.name)
    }
}

/// A producer whose reports wake callers.
struct Durable {
    producer: Producer,
    callers: Arc<Callers>,
    room: Arc<Semaphore>,
}

/// Who waits for which ticket.
#[derive(Default)]
struct Callers(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    next: u64,
    by_ticket: HashMap<u64, (oneshot::Sender<Outcome>, OwnedSemaphorePermit)>,
}

impl Callers {
    fn enter(&self, caller: oneshot::Sender<Outcome>, permit: OwnedSemaphorePermit) -> Ticket {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ticket = waiting.next;
        waiting.next += 1;
        waiting.by_ticket.insert(ticket, (caller, permit));
        Ticket(ticket)
    }

    fn leave(&self, ticket: Ticket) -> Option<(oneshot::Sender<Outcome>, OwnedSemaphorePermit)> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.by_ticket.remove(&ticket.0)
    }

    fn wake(&self, ticket: Ticket, outcome: Outcome) {
        if let Some((caller, _permit)) = self.leave(ticket) {
            // A caller that has gone need not know.
            drop(caller.send(outcome));
        }
    }
}

impl Durable {
    fn new(engine: &Engine, mut options: ProducerOptions) -> Result<Self, BusError> {
        let room = Arc::new(Semaphore::new(options.max_bytes / UNIT));
        // The semaphore is the bound; the ledger, which a record leaves a moment later, must not
        // refuse before it.
        options.max_records = 2 * options.max_bytes / UNIT;
        options.max_bytes *= 2;
        let callers = Arc::new(Callers::default());
        let wake = Arc::clone(&callers);
        let on_report = move |ticket, outcome| wake.wake(ticket, outcome);
        let producer = engine.producer(options, Box::new(on_report))?;
        Ok(Self {
            producer,
            callers,
            room,
        })
    }

    async fn produce(&self, message: Message) -> Outcome {
        let permit = Arc::clone(&self.room).acquire_many_owned(units(&message));
        let permit = permit.await.map_err(|_| shut_down())?;
        match self.offer(message, permit) {
            Ok(reported) => reported.outcome().await,
            Err(refused) => Err(match refused.reason {
                Refusal::TooLarge => ProduceError::TooLarge,
                Refusal::Closed => shut_down(),
                Refusal::Full => ProduceError::Refused("the queue is full".to_owned()),
            }),
        }
    }

    fn hand_over(&self, message: Message) -> Result<Reported, Refused> {
        match Arc::clone(&self.room).try_acquire_many_owned(units(&message)) {
            Ok(permit) => self.offer(message, permit),
            Err(_) => Err(Refused {
                message,
                reason: Refusal::Full,
            }),
        }
    }

    fn offer(&self, message: Message, permit: OwnedSemaphorePermit) -> Result<Reported, Refused> {
        let (caller, outcome) = oneshot::channel();
        let ticket = self.callers.enter(caller, permit);
        match self.producer.offer(message, ticket) {
            Ok(()) => Ok(Reported(outcome)),
            Err(refused) => {
                self.callers.leave(ticket);
                Err(refused)
            }
        }
    }
}

/// What a record takes of the room. One that is too large is refused when it is offered; it must not wait for room that never is.
fn units(message: &Message) -> u32 {
    u32::try_from(1 + message.size().min(LARGEST) / UNIT).unwrap_or(u32::MAX)
}

fn shut_down() -> ProduceError {
    ProduceError::Closed("shut down".to_owned())
}
