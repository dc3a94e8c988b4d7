//! How much may wait in the batcher's mailbox, in bytes.
//!
//! In: sizes of lots, from `publisher.rs`. Out: a [`Place`] that goes with each lot until
//! `batcher.rs` has taken it. Invariant: what is taken is given back once; one room serves all workers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that wait for the batcher at most, of all workers.
const BYTES: usize = 64 * 1024 * 1024;

/// Bytes on their way to the batcher.
#[derive(Clone, Debug, Default)]
pub(crate) struct Room(Arc<AtomicUsize>);

/// A lot's part of the room, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    room: Room,
    bytes: usize,
}

impl Room {
    /// None: there is no room.
    pub(super) fn take(&self, bytes: usize) -> Option<Place> {
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
