//! Updates that the former owner of a partition may have had under way.
//!
//! In: partitions that were not left in order, updates that are started. Out: whether one may be at the bot already; its request says so then. Invariant: of a queue only the first that is started can be
//! meant, and only if it was there at the assignment; nothing else is marked. Pure.

use std::collections::{HashMap, HashSet};

use gramtap_telegram::Queue;

use crate::arrange::{Item, Recipient, Source};

/// What is added to the metadata of a commit while its partition is somebody's; without it, nothing was under way.
pub(super) const OPEN: char = '~';

/// See the file's header.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    /// Where the partitions ended that were not left in order.
    ends: HashMap<(Source, i32), i64>,
    begun: HashSet<(i32, Recipient, Queue)>,
}

impl Doubts {
    /// A partition was not left in order. `end`: the offset that its next record will get.
    pub(super) fn add(&mut self, source: Source, partition: i32, end: i64) {
        self.ends.insert((source, partition), end);
    }

    /// A partition is another one's.
    pub(super) fn forget(&mut self, partition: i32) {
        self.ends.retain(|(_, number), _| *number != partition);
        self.begun.retain(|(number, _, _)| *number != partition);
    }

    /// An update is started. Whether it may have been before.
    pub(super) fn is_doubtful<P>(&mut self, item: &Item<P>) -> bool {
        let (source, partition) = (item.place.source, item.place.partition);
        let was_there = self.ends.get(&(source, partition));
        was_there.is_some_and(|end| item.place.offset < *end)
            && self.begun.insert((partition, item.recipient(), item.queue))
    }
}

/// What the ledger wrote, and whether its partition was left open.
pub(super) fn read(metadata: &str) -> (&str, bool) {
    match metadata.strip_suffix(OPEN) {
        Some(metadata) => (metadata, true),
        None => (metadata, false),
    }
}

#[cfg(test)]
mod tests {
    use gramtap_events::inbox::Tried;

    use super::*;
    use crate::arrange::Place;
    use crate::tests::{at, tenant};

    fn item(source: Source, offset: i64, queue: Queue) -> Item<()> {
        Item {
            place: Place {
                source,
                partition: 0,
                offset,
            },
            origin: offset,
            tenant: tenant(1),
            queue,
            update_id: None,
            at: at(0),
            expires_at: at(1),
            tried: Tried::default(),
            next_at: None,
            replay: None,
            elsewhere: false,
            bytes: 1,
            payload: (),
        }
    }

    #[test]
    fn only_the_first_of_a_queue_that_was_there_is_meant() {
        let queue = |id| Queue { id, ..Queue::OTHER };
        let mut doubts = Doubts::default();
        assert!(!doubts.is_doubtful(&item(Source::Inbox, 3, queue(1))));
        doubts.add(Source::Inbox, 0, 5);
        assert!(doubts.is_doubtful(&item(Source::Inbox, 3, queue(1))));
        assert!(!doubts.is_doubtful(&item(Source::Inbox, 4, queue(1))));
        assert!(doubts.is_doubtful(&item(Source::Inbox, 4, queue(2))));
        assert!(!doubts.is_doubtful(&item(Source::Inbox, 5, queue(3))));
        assert!(!doubts.is_doubtful(&item(Source::Retry, 0, queue(4))));
        doubts.forget(0);
        assert!(!doubts.is_doubtful(&item(Source::Inbox, 3, queue(5))));
    }

    #[test]
    fn what_the_ledger_wrote_is_read_with_and_without_the_sign() {
        assert_eq!(read("1abc~"), ("1abc", true));
        assert_eq!(read("~"), ("", true));
        assert_eq!(read("1abc"), ("1abc", false));
    }
}
