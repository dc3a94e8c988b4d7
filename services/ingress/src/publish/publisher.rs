//! A worker's way to the batcher.
//!
//! In: records of the worker's calls. Out: parcels in the batcher's mailbox, one lossy lane.
//! Invariant: never waits and never fails a call; what waits there is bounded by number and by
//! bytes, and a record beyond that is lost and counted with its bot.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gramtap_actors::Lossy;
use gramtap_bus::Message;
use gramtap_events::call::{CallRecord, Polls};
use gramtap_events::{Moment, Record};
use gramtap_telemetry::Counter;

use super::batcher::Enqueue;
use super::gaps::{Gaps, Parcel};
use crate::observe::Observed;

/// Bytes that wait for the batcher at most, of all workers.
const BYTES: usize = 64 * 1024 * 1024;

/// Hands records over.
#[derive(Clone)]
pub(crate) struct Publisher {
    lane: Lossy<Enqueue>,
    gaps: Arc<Gaps>,
    room: Room,
}

/// Bytes on their way to the batcher.
#[derive(Clone, Debug, Default)]
pub(crate) struct Room(Arc<AtomicUsize>);

/// A record's part of the room, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    room: Room,
    bytes: usize,
}

impl Room {
    /// None: there is no room.
    fn take(&self, bytes: usize) -> Option<Place> {
        let place = Place {
            room: self.clone(),
            bytes,
        };
        let waiting = self.0.fetch_add(bytes, Ordering::Relaxed);
        (waiting.saturating_add(bytes) <= BYTES).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_room_is_bounded_and_given_back() {
        let room = Room::default();
        let most = room.take(BYTES - 1).unwrap();
        assert!(room.take(2).is_none());
        let last = room.take(1).unwrap();
        assert!(room.take(1).is_none());
        drop((most, last));
        assert!(room.take(BYTES).is_some());
        assert_eq!(room.0.load(Ordering::Relaxed), 0);
    }
}
