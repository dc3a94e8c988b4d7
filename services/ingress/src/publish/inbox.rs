//! The inbox's door: an update into `inbox.v1`, acknowledged, before Telegram is answered 200.
//!
//! In: an update that `accept/webhook.rs` let through, of a bot in inbox mode. Out: a sealed record through a durable lane of its own; what became of it,
//! [`Taken`]. `circuit.rs` chooses before anything is handed over; from then on only the bus's word counts, for [`PATIENCE`]. Invariant: [`Taken::Stored`]
//! means that the bus has it; [`Taken::Not`] that the bus has not and never will; an update that might overtake one of its queue is held back rather than
//! relayed. Nobody waits for room: what waits for its acknowledgement is bounded in bytes (`ingress.inbox_limit`). If the bus dies, the circuit opens; a worker
//! that dies leaves its records on their way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use gramtap_bus::message::LARGEST;
use gramtap_bus::{Bus, DurableLane, Message, ProduceError, ProducerOptions, Refusal};
use gramtap_endpoint::{Header, kept};
use gramtap_events::inbox::{Inbox as Record, ROOM};
use gramtap_events::{Mint, Moment, Record as _, TenantId};
use gramtap_telegram::queue::Head;
use gramtap_telegram::{Queue, UpdateKind};
use gramtap_telemetry::Gauge;
use gramtap_tenants::{Keys, KeysError, Part, Place};
use tokio::time::timeout;

use super::circuit::{Circuit, Ending, Pass};
use super::recent::Recent;

/// How long an acknowledgement is waited for. As long, the bus tries to write it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// How long the bus is asked at the start whether it is there.
const GREETING: Duration = Duration::from_secs(10);

/// An update to be taken in.
#[derive(Debug)]
pub(crate) struct Push {
    pub(crate) tenant: TenantId,
    /// When it was received.
    pub(crate) at: Moment,
    pub(crate) head: Head,
    /// Those that pass.
    pub(crate) headers: Vec<Header>,
    pub(crate) body: Bytes,
}

/// What became of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// The bus has it.
    Stored,
    /// The bus has not; it may be relayed. Why, as a fixed word.
    Not(&'static str),
    /// The bus has not, but it has one before it in its queue, which may not be delivered yet.
    Held,
    /// Nobody knows.
    Unconfirmed,
}

/// How much the bus is trusted with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// That wait for their acknowledgement at most: `ingress.inbox_limit`.
    pub(crate) bytes: usize,
    /// An acknowledgement that takes longer says that the bus is ill: `ingress.inbox_patience`.
    pub(crate) slow: Duration,
}

/// See the file's header.
#[derive(Clone)]
pub(crate) struct Inbox(Arc<Inner>);

struct Inner {
    lane: DurableLane,
    keys: Keys,
    mint: Arc<Mint>,
    circuit: Mutex<Circuit>,
    recent: Mutex<Recent>,
}

/// It was not written down.
#[derive(Debug, thiserror::Error)]
enum SealError {
    #[error(transparent)]
    Keys(#[from] KeysError),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

/// What may be known of an update that cannot be read: it waits with all that are unknown.
pub(crate) fn head_of(body: &[u8]) -> Head {
    Head::read(body).unwrap_or_else(|| Head {
        update_id: None,
        kind: UpdateKind::named(""),
        queue: Queue::OTHER,
    })
}

impl Inbox {
    /// Nothing is known of the bus yet.
    pub(crate) fn new(bus: &Bus, keys: Keys, mint: Arc<Mint>, bounds: Bounds) -> Self {
        let lane = bus.durable_lane(ProducerOptions {
            expiry: Some(PATIENCE),
            max_bytes: bounds.bytes,
            ..ProducerOptions::durable("inbox")
        });
        let now = Instant::now();
        Gauge::InboxCircuitOpen.set(1);
        Self(Arc::new(Inner {
            lane,
            keys,
            mint,
            circuit: Mutex::new(Circuit::new(now, bounds.slow)),
            recent: Mutex::new(Recent::new(now)),
        }))
    }

    /// Makes the way to the bus ready before the first update needs it.
    pub(crate) async fn warm(self) {
        let warmed = match self.0.lane.producer() {
            Ok(producer) => producer.warm(GREETING).await,
            Err(error) => Err(error),
        };
        match warmed {
            Ok(()) => self.circuit().close(),
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the bus does not answer yet, updates are relayed meanwhile"
            ),
        }
    }

    /// Takes an update in, or says why not.
    pub(crate) async fn take_in(&self, push: Push) -> Taken {
        let (tenant, queue) = (push.tenant, push.head.queue);
        let not = |reason| match self.recent().contains(Instant::now(), tenant, queue) {
            true => Taken::Held,
            false => Taken::Not(reason),
        };
        let Some(mut flight) = self.fly() else {
            return not("circuit");
        };
        let message = match self.seal(push) {
            Ok(message) => message,
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    %tenant,
                    "an update cannot be sealed"
                );
                return not("unsealed");
            }
        };
        // What is taken in has to fit into the topics that it goes through later, too.
        if message.size() > LARGEST - ROOM {
            return not(Refusal::TooLarge.label());
        }
        let reported = match self.0.lane.hand_over(message) {
            Ok(reported) => reported,
            Err(refused) => {
                // The others say how the bus does.
                if refused.reason == Refusal::Closed {
                    flight.ending = Ending::Failed;
                }
                return not(refused.reason.label());
            }
        };
        self.recent().insert(Instant::now(), tenant, queue);
        match timeout(PATIENCE, reported.outcome()).await {
            Ok(Ok(_)) => {
                flight.ending = Ending::Stored;
                Taken::Stored
            }
            // The broker's own bound is lower: that says nothing of how it does, and will not change.
            Ok(Err(ProduceError::TooLarge)) => Taken::Not(Refusal::TooLarge.label()),
            Ok(Err(error)) => {
                tracing::debug!(%error, %tenant, "an update was not acknowledged");
                flight.ending = Ending::Failed;
                Taken::Unconfirmed
            }
            Err(_) => {
                flight.ending = Ending::Failed;
                Taken::Unconfirmed
            }
        }
    }

    fn seal(&self, push: Push) -> Result<Message, SealError> {
        let record = self.0.mint.mint();
        let Head {
            update_id,
            kind,
            queue,
        } = push.head;
        let place = Place {
            tenant: push.tenant,
            record: &record,
            update_id,
        };
        let headers = kept::write(&push.headers);
        let headers = (self.0.keys).seal_update(place, Part::Headers, &headers)?;
        let body = (self.0.keys).seal_update(place, Part::Body, &push.body)?;
        let record = Record {
            v: Record::VERSION,
            record,
            tenant: push.tenant,
            at: push.at,
            update_id,
            kind: kind.name(),
            queue,
            headers,
            body,
            replay: None,
        };
        Ok(Message::of(&record)?)
    }

    fn fly(&self) -> Option<Flight<'_>> {
        let is_there = || {
            let producer = self.0.lane.producer();
            producer.is_ok_and(|producer| producer.health().reachable)
        };
        let pass = self.circuit().choose(Instant::now(), is_there)?;
        Some(Flight {
            inbox: self,
            pass: Some(pass),
            ending: Ending::Unheard,
        })
    }

    fn circuit(&self) -> Watched<'_> {
        let circuit = self.0.circuit.lock();
        let circuit = circuit.unwrap_or_else(PoisonError::into_inner);
        let was_closed = circuit.is_closed();
        Watched {
            circuit,
            was_closed,
        }
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        let recent = self.0.recent.lock();
        recent.unwrap_or_else(PoisonError::into_inner)
    }
}

/// An update under way. Whatever drops it, the circuit hears of it.
struct Flight<'i> {
    inbox: &'i Inbox,
    pass: Option<Pass>,
    ending: Ending,
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        if let Some(pass) = self.pass.take() {
            let mut circuit = self.inbox.circuit();
            circuit.ended(Instant::now(), pass, self.ending);
        }
    }
}

#[cfg(test)]
mod tests;

/// The circuit, while somebody may change it. What changes is told.
struct Watched<'c> {
    circuit: MutexGuard<'c, Circuit>,
    was_closed: bool,
}

impl std::ops::Deref for Watched<'_> {
    type Target = Circuit;

    fn deref(&self) -> &Circuit {
        &self.circuit
    }
}

impl std::ops::DerefMut for Watched<'_> {
    fn deref_mut(&mut self) -> &mut Circuit {
        &mut self.circuit
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        match (self.was_closed, self.circuit.is_closed()) {
            (true, false) => {
                Gauge::InboxCircuitOpen.set(1);
                let slow_ms = self.circuit.slow.as_millis();
                tracing::warn!(slow_ms, "the bus is slow or fails, updates are relayed");
            }
            (false, true) => {
                Gauge::InboxCircuitOpen.set(0);
                tracing::info!("the bus acknowledges again, updates are taken in");
            }
            _ => {}
        }
    }
}
