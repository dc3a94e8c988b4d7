//! The body of an answer: where its bytes begin and end.
//!
//! In: bytes after the head, from `decoder`, split anyhow. Out: which of them are data, and
//! whether the end was seen; chunked framing itself is in `body/chunked.rs`.
//! Invariant: a body that is cut short is never taken for a whole one: only the framing's own
//! end, or a clean close where there is no framing, is an end. Holds no data.

mod chunked;

use std::ops::Range;

use crate::head::{Framing, Malformed};
use chunked::Chunked;

/// Where the reading of a body stands.
#[derive(Debug)]
pub(crate) enum Body {
    /// So many bytes are owed; never zero.
    Length(u64),
    /// Boxed: most answers have a length.
    Chunked(Box<Chunked>),
    UntilClose,
    Done,
}

/// What a look at some bytes has given.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Bytes used up, data and framing.
    pub(crate) used: usize,
    /// Which of them are data.
    pub(crate) data: Range<usize>,
}

impl Body {
    pub(crate) fn new(framing: Framing) -> Self {
        match framing {
            Framing::None | Framing::Length(0) => Self::Done,
            Framing::Length(length) => Self::Length(length),
            Framing::Chunked => Self::Chunked(Box::default()),
            Framing::UntilClose => Self::UntilClose,
        }
    }

    /// Uses up bytes until the next run of data is found or there are none left. Of input
    /// that is not empty something is used, unless the body is done.
    pub(crate) fn step(&mut self, input: &[u8]) -> Result<Step, Malformed> {
        let step = match self {
            Self::Length(owed) => {
                let take = input
                    .len()
                    .min(usize::try_from(*owed).unwrap_or(usize::MAX));
                *owed -= take as u64;
                Step {
                    used: take,
                    data: 0..take,
                }
            }
            Self::Chunked(chunked) => chunked.step(input)?,
            Self::UntilClose => Step {
                used: input.len(),
                data: 0..input.len(),
            },
            Self::Done => Step {
                used: 0,
                data: 0..0,
            },
        };
        let ended = match self {
            Self::Length(owed) => *owed == 0,
            Self::Chunked(chunked) => chunked.is_done(),
            Self::UntilClose | Self::Done => false,
        };
        if ended {
            *self = Self::Done;
        }
        Ok(step)
    }

    pub(crate) fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }

    /// The upstream has closed in order: whether that is the end.
    pub(crate) fn close(&mut self) -> bool {
        if matches!(self, Self::UntilClose) {
            *self = Self::Done;
        }
        self.is_done()
    }
}
