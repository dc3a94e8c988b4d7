//! The two partitions of one number: what waits first, and what waits again.
//!
//! In: commits and ends at the assignment; offsets read and done. Out: ledgers, and how far reading has come. Invariant: nothing of a
//! number is started before its retry partition was read to where it ended at the assignment; until then records of the inbox wait in
//! `early`, and the inbox is paused.

use std::collections::BTreeSet;

use gramtap_telegram::Queue;

use super::super::{Item, Place, Recipient, Rules, Source};
use crate::consume::ledger::{self, Bounds, Ledger};
use crate::deliver::dedup::Dedup;

/// Two partitions of one number, as they are assigned.
#[derive(Clone, Copy, Debug)]
pub struct Assigned<'a> {
    /// The number.
    pub partition: i32,
    /// `inbox.v1`
    pub inbox: Ends<'a>,
    /// `inbox.retry.v1`
    pub retry: Ends<'a>,
}

/// Where a partition begins and ends, and what was committed.
#[derive(Clone, Copy, Debug)]
pub struct Ends<'a> {
    /// Offset and metadata of the group's last commit.
    pub committed: Option<(i64, &'a str)>,
    /// The offset of the oldest record.
    pub low: i64,
    /// The offset that the next record will get.
    pub high: i64,
}

/// What the commits told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Where in deliveries.v1 to begin reading: [`Rules::lookback`] before the commit's mark. None: at its oldest record.
    pub mark: Option<i64>,
    /// Partitions whose metadata was not understood. Count them: their records above the frontier are delivered again, unless
    /// deliveries.v1 tells better.
    pub garbled: usize,
}

#[derive(Debug)]
pub(super) struct Partition<P> {
    inbox: Ledger,
    retry: Ledger,
    /// Where each ended at the assignment.
    inbox_end: i64,
    retry_end: i64,
    /// The mark of the last commit before the assignment.
    mark: Option<i64>,
    /// The highest origin of the records that were in the retry partition then.
    origin: i64,
    /// Those of these origins that the inbox will be read at again: a copy is written, but that was not committed.
    copied: BTreeSet<i64>,
    /// Records of the retry partition of which it is decided what becomes of them, and that is not acknowledged yet.
    pub(super) decided: BTreeSet<i64>,
    /// What its bots have been given.
    pub(super) dedup: Dedup,
    /// What came early was taken in, and everything may start.
    pub(super) started: bool,
    /// Records of the inbox that came before the retry partition was read.
    pub(super) early: Vec<Item<P>>,
    /// Lanes that wait until the inbox is read beyond an offset.
    pub(super) behind: BTreeSet<(i64, Recipient, Queue)>,
    /// Whether reading is paused: of the inbox, of the retry partition.
    pub(super) paused: [bool; 2],
}

impl<P> Partition<P> {
    pub(super) fn new(assigned: &Assigned<'_>, rules: &Rules) -> (Self, Restored) {
        let (inbox, first) = ledger(&assigned.inbox, rules.ledger);
        let (retry, second) = ledger(&assigned.retry, rules.ledger);
        // Of a partition that holds nothing, nothing was delivered.
        let parts = [(assigned.inbox, first), (assigned.retry, second)];
        let marks = parts
            .iter()
            .filter(|(ends, told)| ends.low < ends.high || told.mark.is_some())
            .map(|(_, told)| told.mark);
        let mark = marks.min().flatten();
        let restored = Restored {
            mark: mark.map(|mark| (mark - rules.lookback).max(0)),
            garbled: usize::from(first.garbled) + usize::from(second.garbled),
        };
        let partition = Self {
            inbox,
            retry,
            inbox_end: assigned.inbox.high,
            retry_end: assigned.retry.high,
            mark,
            origin: -1,
            copied: BTreeSet::new(),
            decided: BTreeSet::new(),
            dedup: Dedup::default(),
            started: false,
            early: Vec::new(),
            behind: BTreeSet::new(),
            paused: [false; 2],
        };
        (partition, restored)
    }

    /// It is decided what becomes of an update.
    pub(super) fn decide(&mut self, place: Place) {
        if place.source == Source::Retry {
            self.decided.insert(place.offset);
        }
    }

    /// What was decided of a record is done.
    pub(super) fn finish(&mut self, place: Place) {
        if place.source == Source::Retry {
            self.decided.remove(&place.offset);
        }
        self.ledger(place.source).finish(place.offset);
    }

    pub(super) fn ledger(&mut self, source: Source) -> &mut Ledger {
        match source {
            Source::Inbox => &mut self.inbox,
            Source::Retry => &mut self.retry,
        }
    }

    /// Whether the retry partition has been read to where it ended.
    pub(super) fn is_scanned(&self) -> bool {
        self.retry.position() >= self.retry_end
    }

    /// Below this offset every update of the inbox is in its lane, or done.
    pub(super) fn inbox_to(&self) -> i64 {
        match self.inbox.position() {
            to if to >= self.inbox_end => i64::MAX,
            to => to,
        }
    }

    /// Whether everything that was there at the assignment has been read.
    pub(super) fn is_caught_up(&self) -> bool {
        self.started && self.inbox_to() == i64::MAX
    }

    /// The mark to commit, if all that is done now would be covered by `mark`. Until everything has been read that was there at the
    /// assignment, what was delivered before may not be finished here.
    pub(super) fn mark(&self, mark: Option<i64>) -> Option<i64> {
        match self.is_caught_up() {
            true => mark,
            false => self.mark,
        }
    }

    /// Whether a record of the retry partition was written by this process since the assignment. Else it is news: which lanes
    /// are parked is found out from it.
    pub(super) fn parked_here(&mut self, item: &Item<P>) -> bool {
        let here = item.place.offset >= self.retry_end;
        if !here {
            self.origin = self.origin.max(item.origin);
            if !self.inbox.is_done(item.origin) {
                self.copied.insert(item.origin);
            }
        }
        here
    }

    /// Whether a record of the inbox stands in the retry partition too: then it is done.
    pub(super) fn is_copied(&mut self, offset: i64) -> bool {
        let copied = self.copied.remove(&offset);
        if copied {
            self.inbox.finish(offset);
        }
        copied
    }

    /// Whether each of the two is to be read no further; `over`: there is no room. What some lane waits for is read in any case.
    pub(super) fn full(&mut self, over: bool) -> [bool; 2] {
        let caught_up = !self.inbox.is_behind() && self.inbox.position() > self.origin;
        let inbox_wide = self.inbox.is_wide();
        let retry_wide = self.retry.is_wide();
        [
            !self.started || caught_up && (over || inbox_wide),
            self.started && retry_wide,
        ]
    }
}

/// A ledger that knows where its partition begins.
fn ledger(ends: &Ends<'_>, bounds: Bounds) -> (Ledger, ledger::Restored) {
    let (mut ledger, restored) = Ledger::new(ends.committed, bounds);
    ledger.skip(ends.low);
    (ledger, restored)
}
