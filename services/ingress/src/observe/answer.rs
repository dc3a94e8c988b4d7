//! The copy of an answer: the envelope of a call, or the updates of a poll one by one.
//!
//! In: the head's words and every chunk of the body, from the relay. Out: [`AnswerCopy`], read by
//! `record.rs`. Invariant: at most `capture.body_limit` of a call's answer; of a poll's one update
//! at a time (`split.rs`), filtered by `mask.rs` as soon as it is whole, so that no update is
//! held unfiltered for longer than it streams by. Beyond a limit or the budget: cut, never a wait.

use std::borrow::Cow;

use gramtap_events::call::Error;
use serde_json::value::RawValue;

use super::budget::{Budget, Claim};
use super::limits::{CaptureLimits, Cut};
use super::mask::Mask;

/// What kind of answer is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Of getUpdates: split into updates.
    Poll,
    /// Of any other method.
    Call,
    /// Of a download: nothing is kept but an error's envelope.
    File,
}

/// What the tap needs of an answer's head.
#[derive(Clone, Copy, Debug)]
pub struct AnswerHead<'a> {
    /// The status.
    pub status: u16,
    /// `Content-Encoding`.
    pub content_encoding: Option<&'a [u8]>,
}

/// Copies an answer as it streams by.
#[derive(Debug)]
pub struct AnswerTap {
    bytes: u64,
    status: u16,
    claim: Claim,
}

/// The copy of an answer.
#[derive(Debug)]
pub struct AnswerCopy {
    /// The answer's status.
    pub status: u16,
    /// Bytes of the body, as received.
    pub bytes: u64,
    /// Whether the body came to its end.
    pub whole: bool,
    /// What the answer says.
    pub envelope: Envelope,
    /// Why the result, or some of the updates, are not here; to be counted.
    pub cut: Option<Cut>,
    /// The updates of a poll, in order.
    pub updates: Vec<Seen>,
    /// Elements of `result` beyond the most that are told one by one (1,000); to be counted.
    pub beyond: u64,
    _claim: Claim,
}

/// What an answer says.
#[derive(Debug)]
pub enum Envelope {
    /// `{"ok":true,…}`, the result raw and unmasked; `None` when it was cut or split into updates.
    Ok(Option<Box<RawValue>>),
    /// `{"ok":false,…}`, the description unmasked.
    Failed(Error),
    /// A file, as asked for.
    File,
    /// An empty body.
    Empty,
    /// Something else: a front server's page.
    NotJson,
    /// It looks like an envelope, but what it says was not seen (cut, or an unknown encoding).
    Unread,
}

/// An update that passed by, already filtered.
#[derive(Debug)]
pub struct Seen {
    /// Telegram's number, where it was seen.
    pub update_id: Option<i64>,
    /// The name of the field beside it, or `other:<name>`, where it was seen.
    pub kind: Option<Cow<'static, str>>,
    /// What the privacy mode lets through.
    pub update: Option<Box<RawValue>>,
    /// Why it is not here; to be counted.
    pub cut: Option<Cut>,
}

impl AnswerTap {
    /// A tap for an answer with this head. Holds nothing yet.
    #[must_use]
    pub fn new(
        expect: Expect,
        limits: &CaptureLimits,
        budget: &Budget,
        mask: &Mask,
        head: &AnswerHead<'_>,
    ) -> Self {
        let _ = (expect, limits, mask);
        Self {
            bytes: 0,
            status: head.status,
            claim: budget.claim(),
        }
    }

    /// A chunk of the body as it is passed on: still compressed, but no longer chunked.
    pub fn push(&mut self, chunk: &[u8]) {
        self.bytes += chunk.len() as u64;
    }

    /// The body has ended; `whole` unless it was cut short.
    #[must_use]
    pub fn finish(self, whole: bool) -> AnswerCopy {
        AnswerCopy {
            status: self.status,
            bytes: self.bytes,
            whole,
            envelope: Envelope::Unread,
            cut: None,
            updates: Vec::new(),
            beyond: 0,
            _claim: self.claim,
        }
    }
}

impl AnswerCopy {
    /// Telegram's `ok`, where it was seen.
    #[must_use]
    pub fn ok(&self) -> Option<bool> {
        match self.envelope {
            Envelope::Ok(_) => Some(true),
            Envelope::Failed(_) => Some(false),
            _ => None,
        }
    }
}
