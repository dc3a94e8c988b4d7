//! Which records of one partition are done, and what is committed of that.
//!
//! In: offsets as they are read ([`Ledger::begin`]) and as they are done, in any order ([`Ledger::finish`]); at an assignment, the last
//! commit. Out: the offset and the metadata to commit, whether a record that is read is done already, whether to read on.
//!
//! What is committed is the frontier, below which everything is done, and as metadata the ranges above it that are done, so that a restart
//! repeats none of them, and a mark: where in deliveries.v1 to read what was delivered since. Metadata is bounded: what does not fit is left
//! out from above, and the mark is then an older one, from before anything that is left out was read, so that deliveries.v1 tells of
//! it. Invariant: an offset counts as done only if it was finished, or never existed (offsets grow, but not always by one).
//! Metadata that is damaged, or of another offset, is none.

mod metadata;

use std::collections::VecDeque;

use super::ranges::Ranges;

/// Kafka's default bound on metadata (`offset.metadata.max.bytes`), in bytes, as `gramtap_bus` has it.
pub const METADATA: usize = 4096;

/// Ranges above the frontier from which on a partition is not read further, for memory's sake; it is read again from half of that.
const RANGES: usize = 100_000;

/// A mark that is so far behind is committed anew though nothing else changed: so much is read at a start.
const MARKS: i64 = 10_000;

/// Marks that are remembered, the newer ones closer to each other.
const REMEMBERED: usize = 64;

/// Bounds of a ledger.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How far reading may be ahead of the frontier.
    pub span: i64,
    /// Bytes of metadata at most; not above [`METADATA`].
    pub metadata: usize,
}

/// The state of one partition.
#[derive(Clone, Debug)]
pub struct Ledger {
    bounds: Bounds,
    /// Everything below is done. None until the first record is read.
    frontier: Option<i64>,
    /// The next offset to be read.
    position: i64,
    /// Done, above the frontier.
    done: Ranges,
    /// Where the ranges of the last commit end. Up to there, what is read was read before.
    known_to: i64,
    /// Something was done since the last commit.
    changed: bool,
    /// The mark of the last commit.
    mark: Option<i64>,
    /// Where reading was when which mark was the newest, oldest first.
    marks: VecDeque<(i64, Option<i64>)>,
    paused: bool,
}

/// What a record that is read is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// New: finish it.
    Fresh,
    /// Done before: leave it.
    Done,
    /// Read before in this assignment and not done yet: leave it.
    Again,
}

/// What to commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The offset to go on from.
    pub offset: i64,
    /// What to keep with it; at most [`Bounds::metadata`] bytes.
    pub metadata: String,
    /// Ranges that did not fit. After a restart their records are read as new; of those that were delivered, deliveries.v1 tells.
    pub left_out: usize,
}

/// What a commit told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Where in deliveries.v1 to begin reading: what was delivered later may not be in the ledger.
    pub mark: Option<i64>,
    /// The metadata was not understood. Count it: records are repeated.
    pub garbled: bool,
}

impl Ledger {
    /// A partition that was just assigned, with the group's last commit: offset and metadata.
    #[must_use]
    pub fn new(committed: Option<(i64, &str)>, bounds: Bounds) -> (Self, Restored) {
        let offset = committed.map(|(offset, _)| offset);
        let kept = committed.filter(|(_, text)| !text.is_empty());
        let read = kept.map(|(offset, text)| metadata::read(offset, text));
        let garbled = matches!(read, Some(None));
        let (mark, done) = read.flatten().unwrap_or_default();
        let ledger = Self {
            bounds,
            frontier: offset,
            position: offset.unwrap_or_default(),
            known_to: done.end().unwrap_or_default(),
            done,
            changed: false,
            mark,
            marks: VecDeque::from([(offset.unwrap_or_default(), mark)]),
            paused: false,
        };
        (ledger, Restored { mark, garbled })
    }

    /// A record is read.
    pub fn begin(&mut self, offset: i64) -> Begin {
        let again = self.frontier.is_some() && offset < self.position;
        if !again {
            // Offsets that were passed over do not exist, or not any more.
            self.skip(offset);
            self.position = offset.saturating_add(1);
        }
        match (self.is_done(offset), again) {
            (true, _) => Begin::Done,
            (false, true) => Begin::Again,
            (false, false) => Begin::Fresh,
        }
    }

    /// Offsets below this one do not exist any more.
    pub fn skip(&mut self, to: i64) {
        let frontier = *self.frontier.get_or_insert(to);
        if self.done.insert(self.position.max(frontier), to) {
            self.settle();
        }
        self.position = self.position.max(to);
    }

    /// A record is done. False: it was already.
    pub fn finish(&mut self, offset: i64) -> bool {
        if self.frontier.is_none_or(|frontier| offset < frontier) {
            return false;
        }
        let new = self.done.insert(offset, offset + 1);
        if new {
            self.settle();
        }
        new
    }

    /// Whether a record is done.
    #[must_use]
    pub fn is_done(&self, offset: i64) -> bool {
        self.frontier.is_some_and(|frontier| offset < frontier) || self.done.contains(offset)
    }

    /// The next offset to be read.
    #[must_use]
    pub fn position(&self) -> i64 {
        self.position
    }

    /// Below this everything is done. None: nothing was ever read or committed.
    #[must_use]
    pub fn frontier(&self) -> Option<i64> {
        self.frontier
    }

    /// Whether what is read now was read before the last commit. Then the partition is not paused: the records that
    /// the frontier waits for may still lie ahead.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        self.position < self.known_to
    }

    /// Whether the partition is not to be read further: too far, or in too many pieces. Once it is, it stays so until half of that.
    pub fn is_wide(&mut self) -> bool {
        let width = self.frontier.map_or(0, |frontier| self.position - frontier);
        let (span, ranges) = match self.paused {
            true => (self.bounds.span / 2, RANGES / 2),
            false => (self.bounds.span, RANGES),
        };
        let wide = width >= span || self.done.len() >= ranges;
        self.paused = wide && !self.is_behind();
        self.paused
    }

    /// What to commit, if anything was done since, or the mark is far behind. `mark`: the offset in deliveries.v1 below which
    /// every success is finished here. After a commit that failed: [`Ledger::uncommitted`].
    pub fn commit(&mut self, mark: Option<i64>) -> Option<Commit> {
        let old = mark.is_some_and(|mark| self.mark.is_none_or(|it| mark - it >= MARKS));
        let offset = self.frontier.filter(|_| self.changed || old)?;
        let (fits, end) = metadata::fit(offset, &self.done, self.bounds.metadata);
        self.remember(offset, mark);
        // What is left out begins at or behind `end`: it was delivered after reading had come there.
        let before = |(position, mark): &(i64, Option<i64>)| (*position <= end).then_some(*mark);
        let safe = match fits < self.done.len() {
            true => self.marks.iter().rev().find_map(before).flatten(),
            false => mark,
        };
        self.changed = false;
        self.mark = mark;
        Some(Commit {
            offset,
            metadata: metadata::write(offset, safe, self.done.iter().take(fits)),
            left_out: self.done.len() - fits,
        })
    }

    /// Remembers a mark. Those from before the frontier are of no use, but for the last of them.
    fn remember(&mut self, frontier: i64, mark: Option<i64>) {
        while self.marks.get(1).is_some_and(|(to, _)| *to <= frontier) {
            self.marks.pop_front();
        }
        self.marks.push_back((self.position, mark));
        if self.marks.len() > REMEMBERED {
            // Every other one of the older half.
            let mut place = 0;
            self.marks.retain(|_| {
                place += 1;
                place > REMEMBERED / 2 || place % 2 == 1
            });
        }
    }

    /// The last commit did not happen: the next one is due at once.
    pub fn uncommitted(&mut self) {
        self.changed = true;
    }

    /// Moves the frontier over what is done.
    fn settle(&mut self) {
        self.changed = true;
        if let Some((from, to)) = self.done.first()
            && Some(from) == self.frontier
        {
            self.done.pop_first();
            self.frontier = Some(to);
        }
    }
}

#[cfg(test)]
mod tests;
