//! How ranges and a mark are written into the metadata of a commit.
//!
//! In: the frontier, ranges above it, a mark. Out: text, and back. A version, a checksum over frontier and numbers in 8 hexadecimal digits,
//! then base64 of numbers in LEB128: the mark plus one (0: none), and of each range the distance from the end of the one before and
//! its length. Invariant: whatever is read back is what was written for this very frontier; any other text is none.

use data_encoding::BASE64URL_NOPAD as BASE64;

use super::METADATA;
use crate::consume::ranges::Ranges;

/// How the text begins; another way of writing will begin otherwise.
const VERSION: u8 = b'1';

/// Version and checksum.
const HEAD: usize = 9;

/// The longest number, in bytes.
const LONGEST: usize = 9;

/// How many of the lowest ranges fit beside a mark, and where the last of these ends.
pub(super) fn fit(frontier: i64, done: &Ranges, bound: usize) -> (usize, i64) {
    let room = bound.min(METADATA).saturating_sub(HEAD) / 4 * 3;
    let (mut used, mut fits, mut end) = (LONGEST, 0, frontier);
    for (from, to) in done.iter() {
        used += length(from - end) + length(to - from);
        if used > room {
            break;
        }
        fits += 1;
        end = to;
    }
    (fits, end)
}

/// The text.
pub(super) fn write(
    frontier: i64,
    mark: Option<i64>,
    ranges: impl Iterator<Item = (i64, i64)>,
) -> String {
    let mut bytes = Vec::with_capacity(64);
    number(&mut bytes, mark.map_or(0, |mark| mark.saturating_add(1)));
    let mut end = frontier;
    for (from, to) in ranges {
        number(&mut bytes, from - end);
        number(&mut bytes, to - from);
        end = to;
    }
    let sum = checksum(frontier, &bytes);
    let mut text = format!("{}{sum:08x}", char::from(VERSION));
    BASE64.encode_append(&bytes, &mut text);
    text
}

/// What was written.
pub(super) fn read(frontier: i64, text: &str) -> Option<(Option<i64>, Ranges)> {
    let (head, rest) = text.as_bytes().split_at_checked(HEAD)?;
    let bytes = BASE64.decode(rest).ok()?;
    let sum = std::str::from_utf8(&head[1..]).ok()?;
    let sum = u32::from_str_radix(sum, 16).ok()?;
    if head[0] != VERSION || text.len() > METADATA || sum != checksum(frontier, &bytes) {
        return None;
    }
    let mut bytes = bytes.as_slice();
    let mark = take(&mut bytes)?.checked_sub(1).filter(|mark| *mark >= 0);
    let (mut done, mut end) = (Ranges::default(), frontier);
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

/// FNV-1a over frontier and bytes.
pub(super) fn checksum(frontier: i64, bytes: &[u8]) -> u32 {
    let frontier = frontier.to_be_bytes();
    let bytes = frontier.iter().chain(bytes);
    bytes.fold(0x811c_9dc5, |sum: u32, byte| {
        (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

fn length(value: i64) -> usize {
    let bits = 64 - value.max(1).leading_zeros();
    usize::try_from(bits.div_ceil(7)).unwrap_or(LONGEST)
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
