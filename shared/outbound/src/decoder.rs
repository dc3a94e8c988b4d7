//! An answer, decoded from its bytes alone: head, then body.
//!
//! In: what `exchange` reads from the connection (or a test, or the fuzzer, from a file),
//! split anyhow. Out: the head once it is whole, the data of the body, and the end.
//! Invariant: how the bytes are split changes nothing but how the data is split; nothing is
//! held but the part of a head, or of trailers, that has come.

use bytes::Bytes;

use crate::{
    body::Body,
    head::{AnswerHead, LineScan, MAX_HEAD, Malformed, may_be_status_line},
};

/// Interim answers (1xx) that are skipped before a final one.
pub const MAX_INTERIM: u8 = 16;

/// The state of one answer's decoding.
pub struct AnswerDecoder {
    stage: Stage,
    /// Whether the request was HEAD: then no body follows, whatever the head says.
    to_head: bool,
    interim: u8,
    /// Bytes have come after the end.
    surplus: bool,
}

enum Stage {
    Head { part: Vec<u8>, scan: LineScan },
    Body(Body),
    Failed(Malformed),
}

impl Stage {
    const HEAD: Self = Self::Head {
        part: Vec::new(),
        scan: LineScan::START,
    };
}

/// What some bytes have given.
#[derive(Debug, Default)]
pub struct Fed {
    /// The head, once.
    pub head: Option<AnswerHead>,
    /// Data of the body.
    pub data: Bytes,
}

impl AnswerDecoder {
    /// Ready for the answer to a request; `to_head`: its method was HEAD.
    #[must_use]
    pub fn new(to_head: bool) -> Self {
        Self {
            stage: Stage::HEAD,
            to_head,
            interim: 0,
            surplus: false,
        }
    }

    /// Takes the next bytes. What was valid before a flaw is still handed out; the flaw itself
    /// is told by [`failure`](Self::failure).
    pub fn feed(&mut self, input: &[u8]) -> Fed {
        let mut fed = Fed::default();
        if let Err(flaw) = self.take(input, &mut fed) {
            self.stage = Stage::Failed(flaw);
        }
        fed
    }

    /// The upstream has closed in order: whether the answer is whole.
    pub fn close(&mut self) -> bool {
        match &mut self.stage {
            Stage::Body(body) => body.close(),
            Stage::Head { .. } | Stage::Failed(_) => false,
        }
    }

    /// Whether the answer is whole.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(&self.stage, Stage::Body(body) if body.is_done())
    }

    /// What was wrong, if the decoding has come to a stop.
    #[must_use]
    pub fn failure(&self) -> Option<Malformed> {
        match self.stage {
            Stage::Failed(flaw) => Some(flaw),
            _ => None,
        }
    }

    /// Whether bytes have come after the end: such a connection is not used again.
    #[must_use]
    pub fn has_surplus(&self) -> bool {
        self.surplus
    }

    fn take(&mut self, mut input: &[u8], fed: &mut Fed) -> Result<(), Malformed> {
        while let Stage::Head { part, scan } = &mut self.stage {
            if input.is_empty() {
                return Ok(());
            }
            // As a rule the head comes whole, and is read where it lies.
            let kept = part.len();
            if kept > 0 {
                part.extend_from_slice(&input[..input.len().min(MAX_HEAD - kept)]);
            }
            let block = if kept > 0 {
                &part[..]
            } else {
                &input[..input.len().min(MAX_HEAD)]
            };
            if !may_be_status_line(block) {
                return Err(Malformed::StatusLine);
            }
            let Some(end) = scan.advance(block)? else {
                if block.len() == MAX_HEAD {
                    return Err(Malformed::HeadTooLarge);
                }
                if kept == 0 {
                    *part = input.to_vec();
                }
                return Ok(());
            };
            let head = AnswerHead::parse(&block[..end], self.to_head)?;
            input = &input[end - kept..];
            match head {
                Some(head) => {
                    self.stage = Stage::Body(Body::new(head.framing()));
                    fed.head = Some(head);
                }
                None if self.interim == MAX_INTERIM => return Err(Malformed::Interim),
                None => {
                    self.interim += 1;
                    self.stage = Stage::HEAD;
                }
            }
        }
        let Stage::Body(body) = &mut self.stage else {
            return Ok(());
        };
        let mut data = Vec::new();
        let mut flaw = Ok(());
        while !input.is_empty() && !body.is_done() {
            match body.step(input) {
                Ok(step) => {
                    if data.is_empty() {
                        data.reserve_exact(step.data.len());
                    }
                    data.extend_from_slice(&input[step.data]);
                    input = &input[step.used..];
                }
                Err(error) => {
                    flaw = Err(error);
                    break;
                }
            }
        }
        fed.data = Bytes::from(data);
        self.surplus |= !input.is_empty();
        flaw
    }
}

#[cfg(test)]
mod tests;
