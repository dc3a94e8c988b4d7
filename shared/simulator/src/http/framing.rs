//! Takes a body out of its framing, as it arrives.
//!
//! In: raw bytes (`connection/read.rs`). Out: content bytes, and how many raw bytes they took, so
//! that what follows on the connection is left alone. Invariant: never consumes a byte past the
//! body's end. Chunk extensions and trailers are read and dropped; lines of either are bounded.

use bytes::{Bytes, BytesMut};

use super::Refusal;
use super::head::Framing;

/// The longest line of chunk size or trailer.
const LONGEST_LINE: usize = 8 << 10;

/// A body being read.
#[derive(Debug)]
pub(crate) struct Body {
    state: State,
    /// Everything consumed since it was last asked for, framing and all; nobody wants it if `None`.
    wire: Option<Vec<Bytes>>,
}

#[derive(Debug)]
enum State {
    /// Bytes left, all content.
    Plain(u64),
    ChunkSize,
    /// Bytes left of this chunk.
    Chunk(u64),
    ChunkEnd,
    Trailer {
        read: usize,
    },
    Done,
}

/// What a step gave.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Content(Bytes),
    /// More bytes are needed.
    Hungry,
    Done,
}

impl Body {
    /// `recorded`: what is consumed is kept for [`Body::wire`].
    pub(crate) fn new(framing: Framing, recorded: bool) -> Self {
        let state = match framing {
            Framing::None => State::Done,
            Framing::Length(length) => State::Plain(length),
            Framing::Chunked => State::ChunkSize,
        };
        Self {
            state,
            wire: recorded.then(Vec::new),
        }
    }

    /// What was consumed since the last call, as it was on the wire.
    pub(crate) fn wire(&mut self) -> Vec<Bytes> {
        self.wire.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Takes the next piece of content off the front of `arrived`.
    pub(crate) fn step(&mut self, arrived: &mut BytesMut) -> Result<Step, Refusal> {
        loop {
            match &mut self.state {
                State::Done => return Ok(Step::Done),
                State::Plain(0) => self.state = State::Done,
                State::Chunk(0) => self.state = State::ChunkEnd,
                State::Plain(left) | State::Chunk(left) => {
                    if arrived.is_empty() {
                        return Ok(Step::Hungry);
                    }
                    let take = usize::try_from(*left)
                        .unwrap_or(usize::MAX)
                        .min(arrived.len());
                    *left -= take as u64;
                    return Ok(Step::Content(consume(&mut self.wire, arrived, take)));
                }
                State::ChunkSize => match line(&mut self.wire, arrived)? {
                    None => return Ok(Step::Hungry),
                    Some(line) => {
                        self.state = match chunk_size(&line)? {
                            0 => State::Trailer { read: 0 },
                            size => State::Chunk(size),
                        }
                    }
                },
                State::ChunkEnd => {
                    if arrived.len() < 2 {
                        return Ok(Step::Hungry);
                    }
                    if !arrived.starts_with(b"\r\n") {
                        return Err(Refusal::new(400, "no line end after a chunk"));
                    }
                    consume(&mut self.wire, arrived, 2);
                    self.state = State::ChunkSize;
                }
                State::Trailer { read } => match line(&mut self.wire, arrived)? {
                    None => return Ok(Step::Hungry),
                    Some(line) if line.is_empty() => self.state = State::Done,
                    Some(line) => {
                        *read += line.len();
                        if *read > LONGEST_LINE {
                            return Err(Refusal::new(431, "trailers too large"));
                        }
                    }
                },
            }
        }
    }
}

fn consume(wire: &mut Option<Vec<Bytes>>, arrived: &mut BytesMut, count: usize) -> Bytes {
    let bytes = arrived.split_to(count).freeze();
    if let Some(wire) = wire {
        wire.push(bytes.clone());
    }
    bytes
}

/// Takes a line that ends with CRLF; `None` if it has not ended yet.
fn line(wire: &mut Option<Vec<Bytes>>, arrived: &mut BytesMut) -> Result<Option<Bytes>, Refusal> {
    match memchr::memchr(b'\n', arrived) {
        Some(at) if at > LONGEST_LINE => Err(Refusal::new(400, "chunk line too long")),
        Some(at) if at == 0 || arrived[at - 1] != b'\r' => {
            Err(Refusal::new(400, "bare LF in chunked body"))
        }
        Some(at) => {
            let line = consume(wire, arrived, at + 1);
            Ok(Some(line.slice(..at - 1)))
        }
        None if arrived.len() > LONGEST_LINE => Err(Refusal::new(400, "chunk line too long")),
        None => Ok(None),
    }
}

/// Hexadecimal digits, then perhaps an extension after `;`.
fn chunk_size(line: &[u8]) -> Result<u64, Refusal> {
    let wrong = Refusal::new(400, "wrong chunk size");
    let digits = &line[..memchr::memchr(b';', line).unwrap_or(line.len())];
    let text = std::str::from_utf8(digits)
        .map_err(|_| wrong)?
        .trim_end_matches([' ', '\t']);
    if text.is_empty() || text.len() > 15 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(wrong);
    }
    u64::from_str_radix(text, 16).map_err(|_| wrong)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    /// Feeds `text` in pieces of `piece` bytes; gives the content and what is left over.
    fn feed(
        framing: Framing,
        text: &[u8],
        piece: usize,
    ) -> Result<(Vec<u8>, Vec<u8>, bool), Refusal> {
        let mut body = Body::new(framing, true);
        let mut wire = Vec::new();
        let mut arrived = BytesMut::new();
        let mut content = Vec::new();
        let mut pieces = text.chunks(piece.max(1));
        loop {
            let step = body.step(&mut arrived)?;
            wire.extend(body.wire());
            match step {
                Step::Content(bytes) => content.extend_from_slice(&bytes),
                Step::Hungry => match pieces.next() {
                    Some(piece) => arrived.extend_from_slice(piece),
                    None => return Ok((content, arrived.to_vec(), false)),
                },
                Step::Done => {
                    let mut left = arrived.to_vec();
                    pieces.for_each(|piece| left.extend_from_slice(piece));
                    assert_eq!(
                        [&wire.concat()[..], &left].concat(),
                        text,
                        "consumed and left make the whole"
                    );
                    return Ok((content, left, true));
                }
            }
        }
    }

    #[test]
    fn reads_and_refuses() {
        let whole = |text: &str| feed(Framing::Chunked, text.as_bytes(), 3);
        assert_eq!(
            whole("3;x=y\r\nabc\r\n0\r\nT: u\r\n\r\nGET").unwrap(),
            (b"abc".to_vec(), b"GET".to_vec(), true)
        );
        assert_eq!(whole("3\r\nab").unwrap(), (b"ab".to_vec(), vec![], false));
        for wrong in [
            "x\r\n",
            "\r\n",
            "3\nabc",
            "3\r\nabcd\r\n",
            "-3\r\n",
            "0x3\r\n",
            "1111111111111111\r\n",
        ] {
            assert!(whole(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(
            feed(Framing::Length(2), b"abc", 9).unwrap(),
            (b"ab".to_vec(), b"c".to_vec(), true)
        );
        assert!(feed(Framing::None, b"abc", 1).unwrap().2);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn any_cut_of_any_chunks_gives_the_same(
            chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..50), 0..8),
            piece in 1_usize..40,
        ) {
            let mut text = Vec::new();
            for chunk in &chunks {
                text.extend_from_slice(format!("{:X}\r\n", chunk.len()).as_bytes());
                text.extend_from_slice(chunk);
                text.extend_from_slice(b"\r\n");
            }
            text.extend_from_slice(b"0\r\n\r\nrest");
            let (content, left, done) = feed(Framing::Chunked, &text, piece).unwrap();
            prop_assert!(done);
            prop_assert_eq!(content, chunks.concat());
            prop_assert_eq!(left, b"rest".to_vec());
        }
    }
}
