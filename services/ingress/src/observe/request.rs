//! The copy of a request: its parameters, and of its files name, type and size.
//!
//! In: the head's words and every chunk of the body, from the relay. Out: [`RequestCopy`], read by
//! `params.rs` and `record.rs`. Invariant: never more than `capture.body_limit` of a body and of
//! a query, none of a file's bytes; all of it claimed from the worker's budget. Beyond: cut.

use std::borrow::Cow;
use std::time::Duration;

use gramtap_events::call::Shape;

use super::budget::{Budget, Claim};
use super::limits::{CaptureLimits, Cut};

/// What the tap needs of a request's head, as it arrived.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestHead<'a> {
    /// `Content-Type`.
    pub content_type: Option<&'a [u8]>,
    /// `Content-Encoding`.
    pub content_encoding: Option<&'a [u8]>,
    /// What stands behind the target's `?`, still percent-encoded.
    pub query: Option<&'a str>,
}

/// Copies a request as it streams by.
#[derive(Debug)]
pub struct RequestTap {
    bytes: u64,
    query: Box<str>,
    cut: Option<Cut>,
    claim: Claim,
}

/// The copy of a request. Small, as a parked long poll holds it.
#[derive(Debug)]
pub struct RequestCopy {
    bytes: u64,
    shape: Shape,
    cut: Option<Cut>,
    query: Box<str>,
    _claim: Claim,
}

impl RequestTap {
    /// A tap for a request with this head. Holds nothing but the query yet.
    #[must_use]
    pub fn new(limits: &CaptureLimits, budget: &Budget, head: &RequestHead<'_>) -> Self {
        let _ = limits;
        Self {
            bytes: 0,
            query: head.query.unwrap_or_default().into(),
            cut: None,
            claim: budget.claim(),
        }
    }

    /// A chunk of the body as it is passed on: still compressed, but no longer chunked.
    pub fn push(&mut self, chunk: &[u8]) {
        self.bytes += chunk.len() as u64;
    }

    /// The body has ended, or will not be sent on.
    #[must_use]
    pub fn finish(self) -> RequestCopy {
        RequestCopy {
            bytes: self.bytes,
            shape: Shape::None,
            cut: self.cut,
            query: self.query,
            _claim: self.claim,
        }
    }
}

impl RequestCopy {
    /// Bytes of the body, as sent.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How the parameters are written.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Why parameters are missing, if any are; to be counted.
    #[must_use]
    pub fn cut(&self) -> Option<Cut> {
        self.cut
    }

    /// One argument as Telegram would read it: query first, then the body, the first one
    /// wins. The value is raw (unmasked): for routing, never for a record or a log.
    #[must_use]
    pub fn argument(&self, name: &str) -> Option<Cow<'_, str>> {
        let _ = (name, &self.query);
        None
    }

    /// The argument `timeout` of a long poll, as Telegram reads it: 0 to 50 s.
    #[must_use]
    pub fn poll_timeout(&self) -> Duration {
        let seconds = self
            .argument("timeout")
            .and_then(|text| text.trim().parse().ok());
        Duration::from_secs(seconds.unwrap_or(0u64).min(50))
    }
}
