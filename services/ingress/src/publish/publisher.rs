//! The workers' way to the batcher.
//!
//! In: records of calls, in the order in which these are over. Out: lots of parcels in the batcher's mailbox, one lossy lane. A lot goes when it is full, or soon after its
//! first parcel ([`Publisher::run`]): waking the batcher for each record costs more than the record. Invariant: never waits for longer than another worker
//! takes to put a record down, never fails a call, and keeps the order, which is that of all workers together; what waits in the mailbox is bounded by number and
//! by bytes, and records beyond that are lost and counted with their bot. When a worker dies, what it put down goes with the others'.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gramtap_actors::Lossy;
use gramtap_bus::Message;
use gramtap_events::call::{CallRecord, Polls};
use gramtap_events::delivery::Delivery;
use gramtap_events::{Moment, Record};
use gramtap_telemetry::Counter;
use tokio::sync::Notify;
use tokio::time::sleep;

use super::batcher::Enqueue;
use super::gaps::{Gaps, Parcel};
use super::room::Room;
use crate::observe::Observed;

/// Parcels of a lot, and their bytes.
const PARCELS: usize = 256;
const BYTES: usize = 256 * 1024;
/// How long a lot's first parcel waits for company.
const COMPANY: Duration = Duration::from_millis(5);

/// Hands records over. Clones share one lot.
#[derive(Clone)]
pub(crate) struct Publisher(Arc<Inner>);

struct Inner {
    lane: Lossy<Enqueue>,
    gaps: Arc<Gaps>,
    room: Room,
    lot: Mutex<Lot>,
    /// A lot was begun.
    begun: Notify,
}

#[derive(Default)]
struct Lot {
    parcels: Vec<Parcel>,
    bytes: usize,
}

impl Publisher {
    pub(crate) fn new(lane: Lossy<Enqueue>, gaps: Arc<Gaps>) -> Self {
        Self(Arc::new(Inner {
            lane,
            gaps,
            room: Room::default(),
            lot: Mutex::default(),
            begun: Notify::new(),
        }))
    }

    /// Hands over each lot soon after it was begun, for as long as it is polled.
    pub(crate) async fn run(self) -> Infallible {
        loop {
            self.0.begun.notified().await;
            sleep(COMPANY).await;
            self.flush();
        }
    }

    /// Hands over what waits here.
    pub(crate) fn flush(&self) {
        self.0.hand_over(&mut self.0.lot());
    }

    /// Hands over what a call gave, in its order.
    pub(crate) fn publish(&self, observed: Observed) {
        for record in &observed.updates {
            self.hand_over(record, record.at);
        }
        for record in &observed.calls {
            let at = match record {
                CallRecord::Call(call) => call.at,
                CallRecord::Polls(polls) => polls.from,
                CallRecord::Gap(gap) => gap.from,
            };
            self.hand_over(record, at);
        }
    }

    /// Hands over an attempt to pass an update on.
    pub(crate) fn publish_attempt(&self, delivery: &Delivery) {
        self.hand_over(delivery, delivery.at);
    }

    /// Hands over a fold of empty polls.
    pub(crate) fn publish_polls(&self, polls: Polls) {
        let at = polls.from;
        self.hand_over(&CallRecord::Polls(polls), at);
    }

    fn hand_over<R: Record>(&self, record: &R, at: Moment) {
        let message = match Message::of(record) {
            Ok(message) => message,
            Err(error) => {
                // Cannot happen with our own types; if it does, it shows.
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a record was not written as json"
                );
                Counter::RecordsDropped { reason: "not_json" }.inc();
                return;
            }
        };
        let parcel = Parcel::new(message, record.tenant(), at, &self.0.gaps);
        self.0.collect(parcel);
    }
}

impl Inner {
    fn lot(&self) -> MutexGuard<'_, Lot> {
        self.lot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn collect(&self, parcel: Parcel) {
        let mut lot = self.lot();
        let begins = lot.parcels.is_empty();
        lot.bytes += parcel.size();
        lot.parcels.push(parcel);
        if lot.parcels.len() >= PARCELS || lot.bytes >= BYTES {
            self.hand_over(&mut lot);
        } else if begins {
            drop(lot);
            self.begun.notify_one();
        }
    }

    /// While nobody puts anything down, so that lots keep their order.
    fn hand_over(&self, lot: &mut Lot) {
        let Lot { parcels, bytes } = std::mem::take(lot);
        if parcels.is_empty() {
            return;
        }
        // Parcels that are not taken count themselves as lost.
        if let Some(place) = self.room.take(bytes) {
            self.lane.offer(Enqueue(parcels, place)).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use actix::{Actor, Context, Handler};
    use gramtap_actors::{Kept, Policy, Queued, keep, spawn_local};
    use gramtap_events::{TenantId, topics};
    use tokio::sync::mpsc;

    use super::*;

    /// Tells how many parcels each lot has, and settles them.
    struct Counts(mpsc::UnboundedSender<usize>);

    impl Actor for Counts {
        type Context = Context<Self>;
    }

    impl Handler<Queued<Enqueue>> for Counts {
        type Result = ();

        fn handle(&mut self, queued: Queued<Enqueue>, _: &mut Self::Context) {
            let Enqueue(lot, _place) = queued.take();
            self.0.send(lot.len()).unwrap();
            lot.into_iter().for_each(Parcel::settle);
        }
    }

    fn start() -> (Publisher, mpsc::UnboundedReceiver<usize>, Kept<Counts>) {
        let (tell, told) = mpsc::unbounded_channel();
        let kept = keep("counts", Policy::default(), move || Counts(tell.clone()));
        (Publisher::new(kept.lossy(16), Arc::default()), told, kept)
    }

    fn collect(publisher: &Publisher, count: usize) {
        for _ in 0..count {
            let message = Message::new(&topics::CALLS, "k", "v");
            let (tenant, gaps) = (TenantId::UNATTRIBUTED, &publisher.0.gaps);
            let parcel = Parcel::new(message, tenant, Moment::now(), gaps);
            publisher.0.collect(parcel);
        }
    }

    #[actix_rt::test]
    async fn a_lot_goes_when_it_is_full_and_soon_anyway() {
        let (publisher, mut told, _kept) = start();
        let _runs = spawn_local("hand_over", publisher.clone().run());
        collect(&publisher, PARCELS + 3);
        assert_eq!(told.recv().await, Some(PARCELS));
        assert_eq!(told.recv().await, Some(3));
        collect(&publisher, 1);
        assert_eq!(told.recv().await, Some(1));
    }

    #[actix_rt::test]
    async fn what_waits_goes_at_the_end() {
        let (publisher, mut told, _kept) = start();
        collect(&publisher, 2);
        publisher.flush();
        assert_eq!(told.recv().await, Some(2));
    }

    #[actix_rt::test]
    async fn what_nobody_takes_is_counted() {
        let (publisher, _told, kept) = start();
        kept.stop().await;
        let gaps = Arc::clone(&publisher.0.gaps);
        collect(&publisher, 4);
        publisher.flush();
        let CallRecord::Gap(gap) = gaps.take(&gramtap_events::Mint::new("test", 1)).remove(0)
        else {
            unreachable!("a gap");
        };
        assert_eq!(gap.count, 4);
    }
}
