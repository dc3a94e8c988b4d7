//! The durable lane: one record, awaited.
//!
//! In: `Bus::produce`. Out: a producer of its own, made at the first use; its reports wake the
//! callers. Invariant: a caller is told exactly what its record's report said; one that stops
//! waiting leaves the record in flight. Overloaded: callers wait for room, none is refused.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::{Outcome, Producer, ProducerOptions, Refusal};
use crate::error::{BusError, ProduceError};
use crate::message::{LARGEST, Message, Ticket};

/// What room is counted in: every record takes one, and one more for each of these bytes.
const UNIT: usize = 1024;

/// A producer whose reports wake callers.
pub(crate) struct Durable {
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

    fn wake(&self, ticket: Ticket, outcome: Outcome) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let caller = waiting.by_ticket.remove(&ticket.0);
        drop(waiting);
        if let Some((caller, _permit)) = caller {
            // A caller that has gone need not know.
            drop(caller.send(outcome));
        }
    }
}

impl Durable {
    /// `make` makes the producer, given the callback.
    pub(crate) fn new<M>(make: M) -> Result<Self, BusError>
    where
        M: FnOnce(
            ProducerOptions,
            Box<dyn Fn(Ticket, Outcome) + Send + Sync>,
        ) -> Result<Producer, BusError>,
    {
        let mut options = ProducerOptions::durable("durable");
        let room = Arc::new(Semaphore::new(options.max_bytes / UNIT));
        // The semaphore is the bound; the ledger, which a record leaves a moment later, must not
        // refuse before it.
        options.max_records = 2 * options.max_bytes / UNIT;
        options.max_bytes *= 2;
        let callers = Arc::new(Callers::default());
        let wake = Arc::clone(&callers);
        let producer = make(
            options,
            Box::new(move |ticket, outcome| wake.wake(ticket, outcome)),
        )?;
        Ok(Self {
            producer,
            callers,
            room,
        })
    }

    pub(crate) fn producer(&self) -> &Producer {
        &self.producer
    }

    pub(crate) async fn produce(&self, message: Message) -> Outcome {
        let closed = || ProduceError::Closed("shut down".to_owned());
        // What is too large is refused below; here it must not wait for room that never is.
        let units = 1 + message.size().min(LARGEST) / UNIT;
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.room).acquire_many_owned(units).await;
        let permit = permit.map_err(|_| closed())?;
        let (caller, outcome) = oneshot::channel();
        let ticket = self.callers.enter(caller, permit);
        if let Err(refused) = self.producer.offer(message, ticket) {
            let error = match refused.reason {
                Refusal::TooLarge => ProduceError::TooLarge,
                Refusal::Closed => closed(),
                Refusal::Full => ProduceError::Refused("the queue is full".to_owned()),
            };
            self.callers.wake(ticket, Err(error));
        }
        outcome.await.unwrap_or_else(|_| Err(closed()))
    }
}
