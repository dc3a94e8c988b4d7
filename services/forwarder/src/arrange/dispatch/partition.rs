//! The two partitions of one number: what waits first, and what waits again.
//!
//! In: commits and ends at the assignment; offsets read and done. Out: ledgers, and how far reading has come. Invariant: nothing of a
//! number is started before its retry partition was read to where it ended at the assignment; until then records of the inbox wait in
//! `early`, and the inbox is paused.

use std::collections::BTreeSet;

use gramtap_events::TenantId;
use gramtap_telegram::Queue;

use super::super::{Item, Source};
use crate::consume::ledger::{self, Ledger};

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
    /// Where in deliveries.v1 to begin reading. None: at its oldest record.
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
    /// The highest origin of the records that were in the retry partition then.
    origin: i64,
    /// What came early was taken in, and everything may start.
    pub(super) started: bool,
    /// Records of the inbox that came before the retry partition was read.
    pub(super) early: Vec<Item<P>>,
    /// Lanes that wait until the inbox is read beyond an offset.
    pub(super) behind: BTreeSet<(i64, TenantId, Queue)>,
    /// Whether reading is paused: of the inbox, of the retry partition.
    pub(super) paused: [bool; 2],
}

impl<P> Partition<P> {
    pub(super) fn new(assigned: &Assigned<'_>, span: i64) -> (Self, Restored) {
        let (inbox, first) = ledger(&assigned.inbox, span);
        let (retry, second) = ledger(&assigned.retry, span);
        // Of a partition that holds nothing, nothing was delivered.
        let parts = [(assigned.inbox, first), (assigned.retry, second)];
        let marks = parts
            .iter()
            .filter(|(ends, told)| ends.low < ends.high || told.mark.is_some())
            .map(|(_, told)| told.mark);
        let restored = Restored {
            mark: marks.min().flatten(),
            garbled: usize::from(first.garbled) + usize::from(second.garbled),
        };
        let partition = Self {
            inbox,
            retry,
            inbox_end: assigned.inbox.high,
            retry_end: assigned.retry.high,
            origin: -1,
            started: false,
            early: Vec::new(),
            behind: BTreeSet::new(),
            paused: [false; 2],
        };
        (partition, restored)
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

    /// Whether a record of the retry partition was written by this process since the assignment. Else it is news: which lanes
    /// are parked is found out from it.
    pub(super) fn parked_here(&mut self, item: &Item<P>) -> bool {
        let here = item.place.offset >= self.retry_end;
        if !here {
            self.origin = self.origin.max(item.origin);
        }
        here
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
fn ledger(ends: &Ends<'_>, span: i64) -> (Ledger, ledger::Restored) {
    let (mut ledger, restored) = Ledger::new(ends.committed, span);
    ledger.skip(ends.low);
    (ledger, restored)
}
