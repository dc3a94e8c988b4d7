//! HTTP/1.1 as Telegram's server reads and writes it; no I/O here.
//!
//! The way of a request: [`head`] cuts and reads the head, [`framing`] takes the body out of its
//! framing, [`intake`] decompresses it and feeds [`arguments`] or [`multipart`]; [`answer`] is
//! what goes back. `connection.rs` moves the bytes. Invariant: every part is bounded by the
//! caps of telegram.md §2.1; what is beyond them is refused with an empty body, and the connection closed.

pub(crate) mod answer;
pub(crate) mod arguments;
pub(crate) mod framing;
pub(crate) mod head;
pub(crate) mod intake;
pub(crate) mod multipart;

/// A request that the parser refuses: this status, an empty body, and the connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{status}: {reason}")]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// What was wrong; for the journal, never sent.
    pub(crate) reason: &'static str,
}

impl Refusal {
    pub(crate) const fn new(status: u16, reason: &'static str) -> Self {
        Self { status, reason }
    }
}
