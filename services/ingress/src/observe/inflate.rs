//! Decodes gzip and deflate bodies in the copy, bounded.
//!
//! In: compressed bytes in any pieces. Out: decoded bytes in pieces of at most 8 KiB, to a sink that
//! says when it has enough. Like Telegram's reader it looks at the bytes, not at which of the two
//! words the header has. Invariant: works for at most `most` decoded bytes, so a bomb costs no more
//! than a body of that size; holds 64 KiB while it decodes, claimed from the budget.

use flate2::{Decompress, FlushDecompress, Status};

use super::budget::Claim;
use super::limits::Cut;

/// What a body with this `Content-Encoding` is decoded with: nothing when it is plain. The decoder
/// stops behind `most` decoded bytes and is held by `claim`.
pub(super) fn decoder(
    encoding: Option<&[u8]>,
    most: usize,
    claim: &mut Claim,
) -> Result<Option<Inflate>, Cut> {
    let word = encoding.unwrap_or_default().trim_ascii();
    if word.is_empty() || word.eq_ignore_ascii_case(b"identity") {
        return Ok(None);
    }
    let known = [&b"gzip"[..], b"deflate", b"x-gzip"];
    if !known.iter().any(|known| word.eq_ignore_ascii_case(known)) {
        return Err(Cut::Unreadable);
    }
    match claim.grow(Inflate::HELD) {
        true => Ok(Some(Inflate::new(most))),
        false => Err(Cut::Budget),
    }
}

/// Decodes one body.
#[derive(Debug)]
pub(super) struct Inflate {
    state: State,
    most: usize,
    out: Box<[u8]>,
}

#[derive(Debug)]
enum State {
    /// The format is not known yet, or gzip's header is not whole.
    Head(Vec<u8>),
    Body(Box<Decompress>),
    /// Everything was decoded, or the sink has enough.
    Done,
    Failed(Cut),
}

/// A gzip header with a longer name or comment is refused.
const LONGEST_HEAD: usize = 4096;
const PIECE: usize = 8 << 10;

impl Inflate {
    /// What a decoder holds, in bytes: its window and its output.
    pub(super) const HELD: usize = 64 << 10;

    /// A decoder that stops behind `most` decoded bytes.
    pub(super) fn new(most: usize) -> Self {
        Self {
            state: State::Head(Vec::new()),
            most,
            out: vec![0; PIECE].into_boxed_slice(),
        }
    }

    /// Decodes `bytes` into `sink`, which answers whether it wants more.
    pub(super) fn push(&mut self, bytes: &[u8], sink: &mut dyn FnMut(&[u8]) -> bool) {
        match &mut self.state {
            State::Head(head) => {
                head.extend_from_slice(bytes);
                let head = std::mem::take(head);
                match format(&head) {
                    Some((zlib, start)) => {
                        self.state = State::Body(Box::new(Decompress::new(zlib)));
                        self.decode(&head[start..], sink);
                    }
                    None if head.len() > LONGEST_HEAD => {
                        self.state = State::Failed(Cut::Unreadable)
                    }
                    None => self.state = State::Head(head),
                }
            }
            State::Body(_) => self.decode(bytes, sink),
            State::Done | State::Failed(_) => {}
        }
    }

    /// Why not everything was decoded, if so. `ended`: no more bytes will come.
    pub(super) fn cut(&self, ended: bool) -> Option<Cut> {
        match &self.state {
            State::Head(head) if head.is_empty() => None,
            State::Head(_) | State::Body(_) => ended.then_some(Cut::Unfinished),
            State::Done => None,
            State::Failed(cut) => Some(*cut),
        }
    }

    fn decode(&mut self, mut bytes: &[u8], sink: &mut dyn FnMut(&[u8]) -> bool) {
        loop {
            let State::Body(decoder) = &mut self.state else {
                return;
            };
            let (read, made) = (decoder.total_in(), decoder.total_out());
            let status = decoder.decompress(bytes, &mut self.out, FlushDecompress::None);
            let read = usize::try_from(decoder.total_in() - read).unwrap_or(usize::MAX);
            let made = usize::try_from(decoder.total_out() - made).unwrap_or(usize::MAX);
            bytes = bytes.get(read..).unwrap_or_default();
            let wanted = made.min(self.most);
            self.most -= wanted;
            let more = wanted == 0 || sink(&self.out[..wanted]);
            self.state = match status {
                Err(_) => State::Failed(Cut::Unreadable),
                _ if wanted < made => State::Failed(Cut::TooLarge),
                _ if !more => State::Done,
                Ok(Status::StreamEnd) => State::Done,
                Ok(_) if made < PIECE && bytes.is_empty() => return,
                Ok(_) if read == 0 && made == 0 => State::Failed(Cut::Unreadable),
                Ok(_) => continue,
            };
        }
    }
}

/// Whether a zlib header is to be read, and where the compressed bytes begin; `None`: not enough seen.
fn format(head: &[u8]) -> Option<(bool, usize)> {
    let (&first, &second) = (head.first()?, head.get(1)?);
    if (first, second) == (0x1f, 0x8b) {
        return gzip_header(head).map(|end| (false, end));
    }
    let zlib = first & 0x0f == 8 && (u16::from(first) << 8 | u16::from(second)).is_multiple_of(31);
    Some((zlib, 0))
}

/// The length of a gzip header (RFC 1952): ten bytes, then what its flags announce.
fn gzip_header(head: &[u8]) -> Option<usize> {
    const HEADER_CRC: u8 = 2;
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    let flags = *head.get(3)?;
    let mut at = 10;
    if flags & EXTRA != 0 {
        let length = [*head.get(at)?, *head.get(at + 1)?];
        at += 2 + usize::from(u16::from_le_bytes(length));
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            at += memchr::memchr(0, head.get(at..)?)? + 1;
        }
    }
    if flags & HEADER_CRC != 0 {
        at += 2;
    }
    (head.len() >= at).then_some(at)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    fn decoded(bytes: &[u8], piece: usize, most: usize) -> (Vec<u8>, Option<Cut>) {
        let mut inflate = Inflate::new(most);
        let mut out = Vec::new();
        for piece in bytes.chunks(piece) {
            inflate.push(piece, &mut |decoded| {
                out.extend_from_slice(decoded);
                true
            });
        }
        (out, inflate.cut(true))
    }

    fn encoded(text: &[u8]) -> [Vec<u8>; 4] {
        let level = Compression::default();
        let mut gzip = GzEncoder::new(Vec::new(), level);
        gzip.write_all(text).unwrap();
        let named = flate2::GzBuilder::new()
            .filename("a")
            .comment("b")
            .extra("cd");
        let mut named = named.write(Vec::new(), level);
        named.write_all(text).unwrap();
        let mut zlib = ZlibEncoder::new(Vec::new(), level);
        zlib.write_all(text).unwrap();
        let mut raw = DeflateEncoder::new(Vec::new(), level);
        raw.write_all(text).unwrap();
        [
            gzip.finish().unwrap(),
            named.finish().unwrap(),
            zlib.finish().unwrap(),
            raw.finish().unwrap(),
        ]
    }

    #[test]
    fn all_three_formats_in_any_pieces() {
        let text: Vec<u8> = (0u32..9_000)
            .flat_map(|at| (at * at).to_le_bytes())
            .collect();
        for bytes in encoded(&text) {
            for piece in [1, 3, 1000, usize::MAX] {
                assert!(decoded(&bytes, piece, 1 << 20) == (text.clone(), None));
            }
            // A cut body gives what came before the cut.
            let (out, cut) = decoded(&bytes[..bytes.len() / 2], 100, 1 << 20);
            assert!(text.starts_with(&out) && !out.is_empty());
            assert_eq!(cut, Some(Cut::Unfinished));
        }
    }

    #[test]
    fn a_bomb_costs_no_more_than_its_bound() {
        let bomb = encoded(&vec![0; 6 << 20]);
        for bytes in bomb {
            let (out, cut) = decoded(&bytes, 1000, 64 << 10);
            assert_eq!((out.len(), cut), (64 << 10, Some(Cut::TooLarge)));
        }
    }

    #[test]
    fn what_is_not_compressed_is_unreadable() {
        assert_eq!(
            decoded(b"\xff\xff\xff\xff\xff", 1, 100),
            (vec![], Some(Cut::Unreadable))
        );
        let endless_name = [&b"\x1f\x8b\x08\x08\0\0\0\0\0\0"[..], &[b'a'; 5000]].concat();
        assert_eq!(decoded(&endless_name, 64, 100).1, Some(Cut::Unreadable));
        assert_eq!(decoded(b"", 1, 100), (vec![], None));
        assert_eq!(decoded(b"\x1f", 1, 100).1, Some(Cut::Unfinished));
    }

    #[test]
    fn a_sink_that_has_enough_ends_the_work() {
        let [gzip, ..] = encoded(&vec![1; 1 << 20]);
        let mut inflate = Inflate::new(usize::MAX);
        let mut calls = 0;
        inflate.push(&gzip, &mut |_| {
            calls += 1;
            false
        });
        inflate.push(&gzip, &mut |_| true);
        assert_eq!((calls, inflate.cut(true)), (1, None));
    }
}
