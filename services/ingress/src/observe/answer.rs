//! The copy of an answer: the envelope of a call, or the updates of a poll one by one.
//!
//! In: the head's words and every chunk of the body, from the relay. Out: [`AnswerCopy`], read by
//! `record.rs`. Invariant: at most `capture.body_limit` of a call's answer; of a poll's the updates
//! that `updates.rs` lets through. Beyond a limit or the budget: cut, never a wait.

#[cfg(test)]
mod tests;

use std::fmt;

use gramtap_privacy::Mask;
use gramtap_privacy::tree::{Head, Node};

use super::budget::{Budget, Claim};
use super::envelope::Envelope;
use super::inflate::{self, Inflate};
use super::limits::{CaptureLimits, Cut};
use super::updates::{Seen, Updates};

/// What kind of answer is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// Of getUpdates: split into updates.
    Poll,
    /// Of any other method.
    Call,
    /// Of a download: nothing is kept but an error's envelope.
    File,
}

/// What the tap needs of an answer's head.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AnswerHead<'a> {
    /// The status.
    pub(crate) status: u16,
    /// `Content-Encoding`.
    pub(crate) content_encoding: Option<&'a [u8]>,
}

/// Copies an answer as it streams by. Its `Debug` shows sizes only.
pub(crate) struct AnswerTap {
    status: u16,
    bytes: u64,
    decoder: Option<Box<Inflate>>,
    copying: Copying,
    cut: Option<Cut>,
}

enum Copying {
    Nothing,
    Body(Body),
    Updates(Box<Updates>),
}

/// A call's answer in the making.
struct Body {
    held: Vec<u8>,
    most: usize,
    cut: Option<Cut>,
    claim: Claim,
}

/// The copy of an answer. Its `Debug` shows sizes only.
pub(crate) struct AnswerCopy {
    /// The answer's status.
    pub(crate) status: u16,
    /// Bytes of the body, as received.
    pub(crate) bytes: u64,
    /// What the answer says.
    pub(crate) envelope: Envelope,
    /// Why the result, or some of the updates, are not here.
    pub(crate) cut: Option<Cut>,
    /// The updates of a poll, in order.
    pub(crate) updates: Vec<Seen>,
    /// Updates beyond the most that are told one by one.
    pub(crate) beyond: u64,
    body: Vec<u8>,
    _claim: Option<Claim>,
}

/// What is kept of a body when the budget is spent: enough for `ok` and an error.
const BEGINNING: usize = 1024;

impl AnswerTap {
    /// A tap for an answer with this head. Holds nothing yet.
    #[must_use]
    pub(crate) fn new(
        expect: Expect,
        limits: &CaptureLimits,
        budget: &Budget,
        mask: &Mask,
        head: &AnswerHead<'_>,
    ) -> Self {
        let mut copying = match expect {
            Expect::File if head.status < 400 => Copying::Nothing,
            Expect::File | Expect::Call => Copying::Body(Body {
                held: Vec::new(),
                most: limits.body,
                cut: None,
                claim: budget.claim(),
            }),
            Expect::Poll => Copying::Updates(Box::new(Updates::new(limits, budget, mask))),
        };
        let mut cut = None;
        let mut decoder = None;
        let (claim, most) = match &mut copying {
            Copying::Nothing => (None, 0),
            Copying::Body(body) => (Some(&mut body.claim), limits.body.saturating_add(1)),
            Copying::Updates(updates) => (
                Some(updates.claim()),
                limits.answer.saturating_add(limits.body),
            ),
        };
        if let Some(claim) = claim {
            match inflate::decoder(head.content_encoding, most, claim) {
                Ok(made) => decoder = made.map(Box::new),
                Err(why) => cut = Some(why),
            }
        }
        if cut.is_some() {
            copying = Copying::Nothing;
        }
        Self {
            status: head.status,
            bytes: 0,
            decoder,
            copying,
            cut,
        }
    }

    /// A chunk of the body as it is passed on: still compressed, but no longer chunked.
    pub(crate) fn push(&mut self, chunk: &[u8]) {
        self.bytes += chunk.len() as u64;
        let copying = &mut self.copying;
        match &mut self.decoder {
            None => {
                copying.take(chunk);
            }
            Some(decoder) => decoder.push(chunk, &mut |decoded| copying.take(decoded)),
        }
    }

    /// The body has ended; `whole` unless it was cut short.
    #[must_use]
    pub(crate) fn finish(self, whole: bool) -> AnswerCopy {
        let encoded = self.decoder.and_then(|decoder| decoder.cut(true));
        let mut copy = AnswerCopy {
            status: self.status,
            bytes: self.bytes,
            envelope: Envelope::Unread,
            cut: self.cut,
            updates: Vec::new(),
            beyond: 0,
            body: Vec::new(),
            _claim: None,
        };
        let cut = match self.copying {
            Copying::Nothing => {
                // Nothing is copied of a file, nor of what cannot be read.
                if self.cut.is_none() {
                    copy.envelope = Envelope::File;
                }
                None
            }
            Copying::Body(body) => {
                copy.envelope = Envelope::read(&body.held);
                copy.body = body.held;
                copy._claim = Some(body.claim);
                body.cut
            }
            Copying::Updates(updates) => {
                let cut = updates.cut();
                copy.envelope = Envelope::read(updates.envelope());
                (copy.updates, copy.beyond, copy._claim) = updates.finish();
                cut
            }
        };
        let unfinished =
            (!whole && !matches!(copy.envelope, Envelope::File)).then_some(Cut::Unfinished);
        // That it ended early says less than why what there was of it is not here.
        let reasons = [copy.cut, cut, encoded, unfinished].into_iter().flatten();
        copy.cut = reasons.min_by_key(|cut| *cut == Cut::Unfinished);
        copy
    }
}

impl Copying {
    /// Takes decoded bytes; whether more are wanted.
    fn take(&mut self, bytes: &[u8]) -> bool {
        match self {
            Self::Nothing => false,
            Self::Body(body) => body.take(bytes),
            Self::Updates(updates) => {
                updates.take(bytes);
                true
            }
        }
    }
}

impl Body {
    fn take(&mut self, bytes: &[u8]) -> bool {
        if self.cut.is_some() {
            return false;
        }
        let room = self.most - self.held.len();
        if bytes.len() > room {
            self.cut = Some(Cut::TooLarge);
        }
        let mut fits = &bytes[..bytes.len().min(room)];
        if !self.claim.grow(fits.len()) {
            self.cut = Some(Cut::Budget);
            self.held.truncate(BEGINNING);
            self.claim.shrink_to(self.held.len());
            fits = &fits[..fits.len().min(BEGINNING - self.held.len())];
        }
        self.held.extend_from_slice(fits);
        self.cut.is_none()
    }
}

impl AnswerCopy {
    /// Telegram's `ok`, where it was seen.
    #[must_use]
    pub(crate) fn ok(&self) -> Option<bool> {
        match self.envelope {
            Envelope::Ok => Some(true),
            Envelope::Failed(_) => Some(false),
            _ => None,
        }
    }

    /// How many updates the answer held.
    #[must_use]
    pub(crate) fn update_count(&self) -> u64 {
        self.updates.len() as u64 + self.beyond
    }

    /// The answer to a poll that was not known to be one, as its path named no method: its result
    /// is taken for the updates that it holds.
    pub(super) fn split(&mut self, mask: &Mask) {
        if let Some(Node::List(items)) = self.result() {
            let seen = items.into_iter().filter_map(|item| Seen::whole(item, mask));
            self.updates = seen.collect();
            self.body = Vec::new();
        }
    }

    /// The result of a call, unmasked.
    pub(super) fn result(&self) -> Option<Node<'_>> {
        let head = Head::parse(&self.body);
        let found = head.members.into_iter().find(|(name, _)| name == "result");
        found.and_then(|(_, value)| value)
    }
}

impl fmt::Debug for AnswerTap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnswerTap({}, {} bytes)", self.status, self.bytes)
    }
}

impl fmt::Debug for AnswerCopy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, bytes, .. } = self;
        write!(
            f,
            "AnswerCopy({status}, {bytes} bytes, {} updates)",
            self.update_count()
        )
    }
}
