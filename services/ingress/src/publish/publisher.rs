//! A worker's way to the batcher.
//!
//! In: records of the worker's calls. Out: parcels in the batcher's mailbox, one lossy lane.
//! Invariant: never waits and never fails a call; what waits there is bounded by number and by
//! bytes, and a record beyond that is lost and counted with its bot.

use std::sync::Arc;

use gramtap_actors::Lossy;
use gramtap_bus::Message;
use gramtap_events::call::{CallRecord, Polls};
use gramtap_events::{Moment, Record};
use gramtap_telemetry::Counter;

use super::batcher::Enqueue;
use super::gaps::{Gaps, Parcel};
use super::room::Room;
use crate::observe::Observed;

/// Hands records over.
#[derive(Clone)]
pub(crate) struct Publisher {
    lane: Lossy<Enqueue>,
    gaps: Arc<Gaps>,
    room: Room,
}

impl Publisher {
    pub(crate) fn new(lane: Lossy<Enqueue>, gaps: Arc<Gaps>) -> Self {
        let room = Room::default();
        Self { lane, gaps, room }
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
        let parcel = Parcel::new(message, record.tenant(), at, &self.gaps);
        // A parcel that is not taken counts itself as lost.
        if let Some(place) = self.room.take(parcel.size()) {
            self.lane.offer(Enqueue(parcel, place)).ok();
        }
    }
}
