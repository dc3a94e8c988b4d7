//! The request on its way out: head, then body, with backpressure.
//!
//! In: the serialized head and the caller's body. Out: bytes on the `Wire`.
//! Invariant: the caller's body is polled only when all it gave before is with the kernel, so
//! one part of it is in memory at most; a body that fails, or does not keep to its length,
//! never ends as if it were whole. Until the kernel has taken a first byte, all that was
//! written is kept, and can be written to another connection.

use std::{
    io::{self, IoSlice},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_util::stream::{LocalBoxStream, StreamExt};

use crate::{
    fault::Cause,
    request::{Outgoing, UploadError},
    wire::Wire,
};

/// What is still to be written.
pub(crate) struct Outbox {
    batch: Batch,
    rest: Rest,
    head_gone: bool,
}

/// What is written together: one part of the body with its framing, the first with the head.
#[derive(Default)]
struct Batch {
    head: Vec<u8>,
    size_line: SizeLine,
    data: Bytes,
    tail: &'static [u8],
    /// Bytes of it that the wire has taken.
    taken: usize,
}

/// What comes after the batch.
enum Rest {
    /// The parts of a body; the bytes still owed, if its length is known.
    Stream {
        owed: Option<u64>,
        stream: LocalBoxStream<'static, Result<Bytes, UploadError>>,
    },
    Nothing,
    /// The kernel has all of the request.
    Sent,
}

/// What the sending waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stand {
    /// For nothing: the request is sent.
    Sent,
    /// For the upstream to take more.
    Upstream,
    /// For the caller's body.
    Caller,
}

impl Outbox {
    pub(crate) fn new(head: Vec<u8>, body: Outgoing) -> Self {
        let mut batch = Batch {
            head,
            ..Batch::default()
        };
        let rest = match body {
            Outgoing::None
            | Outgoing::Stream {
                length: Some(0), ..
            } => Rest::Nothing,
            Outgoing::Whole(data) => {
                batch.data = data;
                Rest::Nothing
            }
            Outgoing::Stream { length, stream } => Rest::Stream {
                owed: length,
                stream,
            },
        };
        Self {
            batch,
            rest,
            head_gone: false,
        }
    }

    /// Whether the kernel has all of the request.
    pub(crate) fn is_sent(&self) -> bool {
        matches!(self.rest, Rest::Sent)
    }

    /// Whether the kernel has the head, and what was written with it.
    pub(crate) fn is_head_gone(&self) -> bool {
        self.head_gone
    }

    /// Starts again, for another connection. Only while the kernel has taken nothing.
    pub(crate) fn rewind(&mut self) {
        self.batch.taken = 0;
    }

    /// Writes until the request is sent or something must be waited for.
    pub(crate) fn push(&mut self, cx: &mut Context<'_>, wire: &mut Wire) -> Result<Stand, Cause> {
        loop {
            // Also before the head is written: a part that is there travels with it.
            let starved = self.load(cx)?;
            match self.batch.poll_write(cx, wire) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Err(Cause::Send(error)),
                Poll::Pending => return Ok(Stand::Upstream),
            }
            self.batch = Batch::default();
            self.head_gone = true;
            match self.rest {
                Rest::Stream { .. } if starved => return Ok(Stand::Caller),
                Rest::Stream { .. } => {}
                Rest::Nothing | Rest::Sent => {
                    self.rest = Rest::Sent;
                    return Ok(Stand::Sent);
                }
            }
        }
    }

    /// Puts the next part of the body into the batch, if there is room for it. Whether the
    /// caller has none.
    fn load(&mut self, cx: &mut Context<'_>) -> Result<bool, Cause> {
        while let Rest::Stream { owed, stream } = &mut self.rest
            && self.batch.data.is_empty()
        {
            let part = match stream.poll_next_unpin(cx) {
                Poll::Ready(part) => part.transpose().map_err(Cause::Upload)?,
                Poll::Pending => return Ok(true),
            };
            match (part, owed) {
                (Some(data), Some(owed)) => {
                    *owed = owed
                        .checked_sub(data.len() as u64)
                        .ok_or(Cause::UploadLength)?;
                    let ended = *owed == 0;
                    self.batch.data = data;
                    if ended {
                        self.rest = Rest::Nothing;
                    }
                }
                (Some(data), None) if data.is_empty() => {}
                (Some(data), None) => {
                    self.batch.size_line = SizeLine::of(data.len());
                    self.batch.data = data;
                    self.batch.tail = b"\r\n";
                }
                (None, Some(_)) => return Err(Cause::UploadLength),
                (None, None) => {
                    self.batch.tail = b"0\r\n\r\n";
                    self.rest = Rest::Nothing;
                }
            }
        }
        Ok(false)
    }
}

impl Batch {
    /// Ready once the kernel has all of it.
    fn poll_write(&mut self, cx: &mut Context<'_>, wire: &mut Wire) -> Poll<io::Result<()>> {
        let parts = [
            &self.head[..],
            self.size_line.bytes(),
            &self.data[..],
            self.tail,
        ];
        let length: usize = parts.iter().map(|part| part.len()).sum();
        while self.taken < length {
            let (mut slices, mut filled) = ([IoSlice::new(&[]); 4], 0);
            for part in parts.iter().filter(|part| !part.is_empty()) {
                slices[filled] = IoSlice::new(part);
                filled += 1;
            }
            let mut left = &mut slices[..filled];
            IoSlice::advance_slices(&mut left, self.taken);
            let taken = ready!(wire.poll_write(cx, left))?;
            if taken == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.taken += taken;
        }
        wire.poll_flush(cx)
    }
}

/// The line before a chunk: up to 16 digits, CR LF.
#[derive(Default)]
struct SizeLine {
    bytes: [u8; 18],
    len: u8,
}

impl SizeLine {
    fn of(size: usize) -> Self {
        let digits = size.checked_ilog(16).map_or(1, |log| log as usize + 1);
        let mut bytes = [0; 18];
        for (place, byte) in bytes[..digits].iter_mut().rev().enumerate() {
            *byte = b"0123456789abcdef"[size >> (4 * place) & 15];
        }
        bytes[digits..digits + 2].copy_from_slice(b"\r\n");
        Self {
            bytes,
            len: digits as u8 + 2,
        }
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

#[cfg(test)]
mod tests {
    use super::SizeLine;

    #[test]
    fn a_size_line_is_hexadecimal() {
        for size in [0, 1, 15, 16, 255, 256, 65_535, 65_536, usize::MAX] {
            assert_eq!(
                SizeLine::of(size).bytes(),
                format!("{size:x}\r\n").as_bytes()
            );
        }
    }
}
