//! Which records of one partition are done, and what is committed of that.
//!
//! In: offsets as they are read ([`Ledger::begin`]) and as they are done, in any order ([`Ledger::finish`]); at an assignment, the last
//! commit. Out: the offset and the metadata to commit, whether a record that is read is done already, whether to read on.
//!
//! What is committed is the frontier, below which everything is done, and as metadata the ranges above it that are done,
//! so that a restart repeats none of them. Invariant: an offset counts as done only if it was finished, or never existed (offsets grow, but
//! not always by one). Metadata is bounded by what Kafka takes: what does not fit is left out from above and counted in [`Commit::left_out`];
//! the partition is paused long before ([`Ledger::is_wide`]). Metadata that is damaged, or of another offset, is none.

use data_encoding::BASE64URL_NOPAD as BASE64;

use super::ranges::Ranges;

/// The longest metadata, in bytes: Kafka's default (`offset.metadata.max.bytes`), as `gramtap_bus` has it.
pub const METADATA: usize = 4096;

/// Ranges above the frontier from which on a partition is not read further; it is read again from half of that.
const RANGES: usize = 400;

/// The widest span that may be set: metadata of [`RANGES`] ranges of it surely fits, at three bytes a number.
const WIDEST: i64 = 1 << 21;

/// A mark that is so far behind is committed anew though nothing else changed: so much is read at a start.
const MARKS: i64 = 10_000;

/// How the metadata begins; another way of writing it will begin otherwise.
const VERSION: u8 = b'1';

/// The state of one partition.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// Everything below is done. None until the first record is read.
    frontier: Option<i64>,
    /// The next offset to be read.
    position: i64,
    /// Done, above the frontier.
    done: Ranges,
    /// Where the ranges of the last commit end. Up to there, what is read was read before.
    known_to: i64,
    /// The widest distance from frontier to position before the partition is paused.
    span: i64,
    /// Something was done since the last commit.
    changed: bool,
    /// The mark of the last commit.
    mark: Option<i64>,
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
    /// What to keep with it; at most [`METADATA`] bytes.
    pub metadata: String,
    /// Ranges that did not fit: their records would be read as new after a restart.
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
    /// A partition that was just assigned, with the group's last commit: offset and metadata. `span`: how far reading may be ahead of
    /// the frontier; at most 2²¹.
    #[must_use]
    pub fn new(committed: Option<(i64, &str)>, span: i64) -> (Self, Restored) {
        let mut ledger = Self {
            frontier: committed.map(|(offset, _)| offset),
            position: committed.map_or(0, |(offset, _)| offset),
            done: Ranges::default(),
            known_to: 0,
            span: span.clamp(1, WIDEST),
            changed: false,
            mark: None,
            paused: false,
        };
        let mut restored = Restored::default();
        if let Some((offset, metadata)) = committed
            && !metadata.is_empty()
        {
            match read(offset, metadata) {
                Some((mark, done)) => {
                    restored.mark = mark;
                    ledger.mark = mark;
                    ledger.known_to = done.end().unwrap_or_default();
                    ledger.done = done;
                }
                None => restored.garbled = true,
            }
        }
        (ledger, restored)
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
            true => (self.span / 2, RANGES / 2),
            false => (self.span, RANGES),
        };
        let wide = width >= span || self.done.len() >= ranges;
        self.paused = wide && !self.is_behind();
        self.paused
    }

    /// What to commit, if anything was done since, or the mark is far behind. `mark`: where in deliveries.v1 to begin reading after a
    /// restart; the offset below which every success is finished here. After a commit that failed: [`Ledger::uncommitted`].
    pub fn commit(&mut self, mark: Option<i64>) -> Option<Commit> {
        let old = mark.is_some_and(|mark| self.mark.is_none_or(|it| mark - it >= MARKS));
        let offset = self.frontier.filter(|_| self.changed || old)?;
        self.changed = false;
        self.mark = mark;
        let (metadata, left_out) = write(offset, mark, &self.done);
        Some(Commit {
            offset,
            metadata,
            left_out,
        })
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

/// Version, checksum, then base64 of numbers in LEB128: the mark plus one (0: none), and of each range the distance from
/// the end of the one before and its length.
fn write(offset: i64, mark: Option<i64>, done: &Ranges) -> (String, usize) {
    // What base64 makes of it, the version and the checksum's 8 digits must fit.
    const ROOM: usize = (METADATA - 9) / 4 * 3;
    let mut bytes = Vec::with_capacity(64);
    number(&mut bytes, mark.map_or(0, |mark| mark.saturating_add(1)));
    let (mut end, mut left_out) = (offset, done.len());
    for (from, to) in done.iter() {
        let before = bytes.len();
        number(&mut bytes, from - end);
        number(&mut bytes, to - from);
        if bytes.len() > ROOM {
            bytes.truncate(before);
            break;
        }
        end = to;
        left_out -= 1;
    }
    let mut text = String::with_capacity(METADATA.min(9 + bytes.len() * 4 / 3 + 4));
    text.push(char::from(VERSION));
    text.push_str(&format!("{:08x}", checksum(offset, &bytes)));
    BASE64.encode_append(&bytes, &mut text);
    (text, left_out)
}

fn read(offset: i64, text: &str) -> Option<(Option<i64>, Ranges)> {
    let (head, rest) = text.as_bytes().split_at_checked(9)?;
    let bytes = BASE64.decode(rest).ok()?;
    let sum = std::str::from_utf8(&head[1..]).ok()?;
    let sum = u32::from_str_radix(sum, 16).ok()?;
    if head[0] != VERSION || text.len() > METADATA || sum != checksum(offset, &bytes) {
        return None;
    }
    let mut bytes = bytes.as_slice();
    let mark = take(&mut bytes)?.checked_sub(1).filter(|mark| *mark >= 0);
    let (mut done, mut end) = (Ranges::default(), offset);
    while !bytes.is_empty() {
        let from = end.checked_add(take(&mut bytes)?)?;
        let to = from.checked_add(take(&mut bytes)?)?;
        // Ranges touch neither the frontier nor each other.
        if from <= end || to <= from {
            return None;
        }
        done.insert(from, to);
        end = to;
    }
    Some((mark, done))
}

/// FNV-1a over offset and bytes, so that metadata belongs to its offset.
fn checksum(offset: i64, bytes: &[u8]) -> u32 {
    let offset = offset.to_be_bytes();
    let bytes = offset.iter().chain(bytes);
    bytes.fold(0x811c_9dc5, |sum: u32, byte| {
        (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

fn number(to: &mut Vec<u8>, value: i64) {
    let mut rest = value.max(0).cast_unsigned();
    while rest >= 0x80 {
        to.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    to.push((rest & 0x7f) as u8);
}

fn take(from: &mut &[u8]) -> Option<i64> {
    let mut value = 0_u64;
    for shift in (0..63).step_by(7) {
        let (byte, rest) = from.split_first()?;
        *from = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return i64::try_from(value).ok();
        }
    }
    None
}

#[cfg(test)]
mod tests;
