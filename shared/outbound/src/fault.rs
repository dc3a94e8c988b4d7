//! What can go wrong between a request and its answer, and what may be done about it.
//!
//! In: the causes that `dial`, `outbox`, `exchange` and `decoder` meet. Out: [`Fault`], the
//! only error of a call: whose it is (`side`), whether it may be repeated (`retry`), a fixed
//! word for metrics (`label`), how far the call had come (`phase`, `sent`).
//! Invariant: `sent` is false only if the kernel has accepted no byte of the request; nothing
//! of the request (its target holds a token) is part of a fault or of its text.

use std::io;

use crate::guard::Refusal;
use crate::head::Malformed;

/// A call that got no answer, or no whole one.
#[derive(Debug, thiserror::Error)]
#[error("{cause}, {phase}, {}", if *sent { "maybe sent" } else { "not sent" })]
pub struct Fault {
    #[source]
    cause: Cause,
    phase: Phase,
    sent: bool,
    reused: bool,
}

/// What happened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// The bound on connections is reached and none of them is idle.
    #[error("every connection is in use")]
    PoolFull,
    /// The request cannot be written as HTTP/1.1.
    #[error("the request cannot be sent")]
    Request(#[from] Unsendable),
    /// The upstream is not to be called; nothing was sent.
    #[error(transparent)]
    Blocked(#[from] Refusal),
    /// The upstream's name was not resolved.
    #[error("the upstream's name was not resolved")]
    Resolve(#[source] io::Error),
    /// No connection was made to any of the upstream's addresses.
    #[error("no connection to the upstream")]
    Connect(#[source] io::Error),
    /// The connection, TLS included, was not there in time.
    #[error("the connection was not made in time")]
    ConnectTimeout,
    /// The TLS handshake failed.
    #[error("the tls handshake failed")]
    Tls(#[source] io::Error),
    /// Writing the request failed, and no answer explains why.
    #[error("the request was not taken")]
    Send(#[source] io::Error),
    /// Reading the answer failed.
    #[error("the answer was not read")]
    Receive(#[source] io::Error),
    /// The upstream closed before it had sent a whole head.
    #[error("the upstream closed without an answer")]
    Closed,
    /// The upstream closed in the middle of the body.
    #[error("the answer's body was cut short")]
    Cut(#[source] Option<io::Error>),
    /// The upstream owed something and was silent for too long.
    #[error("the upstream was silent for too long")]
    Idle,
    /// The answer is not valid HTTP/1.1, or beyond a bound.
    #[error("the answer is not valid http")]
    Malformed(#[from] Malformed),
    /// The caller's body failed.
    #[error("the request's body failed")]
    Upload(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The caller's body was longer or shorter than it was said to be.
    #[error("the request's body is not as long as announced")]
    UploadLength,
    /// The caller's body brought nothing for too long.
    #[error("the request's body stalled")]
    UploadIdle,
}

/// Why a request cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unsendable {
    /// The method is no token, or is CONNECT, which makes a tunnel of the connection.
    #[error("the method is not sendable")]
    Method,
    /// The target does not begin with a slash, or holds a space or a control character.
    #[error("the target is not sendable")]
    Target,
    /// A header's name is no token.
    #[error("a header's name is not sendable")]
    HeaderName,
    /// A header's value holds a control character.
    #[error("a header's value is not sendable")]
    HeaderValue,
}

/// How far the call had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Looking for a connection, resolving, connecting.
    Dial,
    /// The TLS handshake.
    Tls,
    /// Writing the head of the request.
    SendHead,
    /// Writing the body of the request.
    SendBody,
    /// The request is written whole; waiting for the head of the answer.
    AwaitHead,
    /// Reading the body of the answer.
    Body,
}

/// Whose fault it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The server that is called, or the way to it.
    Upstream,
    /// Who asked for the call: its request's body failed.
    Downstream,
    /// This process or its machine.
    Internal,
}

/// Whether the same request may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Retry {
    /// The upstream may have acted on it, or it would fail again.
    Never,
    /// No byte of it reached the upstream.
    Safe,
}

impl Fault {
    pub(crate) fn new(cause: impl Into<Cause>, phase: Phase) -> Self {
        Self {
            cause: cause.into(),
            phase,
            sent: false,
            reused: false,
        }
    }

    /// Says what is known of the connection.
    pub(crate) fn on(mut self, reused: bool, sent: bool) -> Self {
        self.reused = reused;
        self.sent = sent;
        self
    }

    /// What happened.
    #[must_use]
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// How far the call had come.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Whether any byte of the request may have reached the upstream. False is certain.
    #[must_use]
    pub fn sent(&self) -> bool {
        self.sent
    }

    /// Whether the connection had served an earlier call.
    #[must_use]
    pub fn reused(&self) -> bool {
        self.reused
    }

    /// Whose fault it is.
    #[must_use]
    pub fn side(&self) -> Side {
        match &self.cause {
            Cause::PoolFull | Cause::Request(_) => Side::Internal,
            Cause::Upload(_) | Cause::UploadLength | Cause::UploadIdle => Side::Downstream,
            Cause::Connect(error) if is_exhaustion(error) => Side::Internal,
            _ => Side::Upstream,
        }
    }

    /// Whether the same request may be sent again.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match &self.cause {
            Cause::Blocked(_)
            | Cause::Request(_)
            | Cause::Upload(_)
            | Cause::UploadLength
            | Cause::UploadIdle => Retry::Never,
            _ if self.sent => Retry::Never,
            _ => Retry::Safe,
        }
    }

    /// A fixed word for metrics and for the caller's own error answers.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match &self.cause {
            Cause::PoolFull => "pool_full",
            Cause::Request(_) => "request",
            Cause::Blocked(refusal) => refusal.label(),
            Cause::Resolve(_) => "resolve",
            Cause::Connect(_) => "connect",
            Cause::ConnectTimeout => "connect_timeout",
            Cause::Tls(_) => "tls",
            Cause::Send(_) => "send",
            Cause::Receive(_) => "receive",
            Cause::Closed => "closed",
            Cause::Cut(_) => "cut",
            Cause::Idle => "idle",
            Cause::Malformed(_) => "malformed",
            Cause::Upload(_) => "upload",
            Cause::UploadLength => "upload_length",
            Cause::UploadIdle => "upload_idle",
        }
    }
}

impl Phase {
    /// A fixed word for metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Dial => "dial",
            Self::Tls => "tls",
            Self::SendHead => "send_head",
            Self::SendBody => "send_body",
            Self::AwaitHead => "await_head",
            Self::Body => "body",
        }
    }
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.label())
    }
}

impl Side {
    /// A fixed word for metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Upstream => "upstream",
            Self::Downstream => "downstream",
            Self::Internal => "internal",
        }
    }
}

/// Whether this machine ran out of something that a connection needs: descriptors (process,
/// system), local ports, buffers, memory. The upstream has no part in that.
fn is_exhaustion(error: &io::Error) -> bool {
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    const ENOBUFS: i32 = 105;
    matches!(
        error.kind(),
        io::ErrorKind::AddrNotAvailable | io::ErrorKind::OutOfMemory
    ) || matches!(error.raw_os_error(), Some(ENFILE | EMFILE | ENOBUFS))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn refused() -> io::Error {
        io::ErrorKind::ConnectionRefused.into()
    }

    #[test]
    fn a_fault_knows_its_side_and_whether_it_may_be_repeated() {
        use {Retry::*, Side::*};
        let table = [
            (Cause::PoolFull, false, Internal, Safe, "pool_full"),
            (
                Cause::Request(Unsendable::Target),
                false,
                Internal,
                Never,
                "request",
            ),
            (
                Cause::Blocked(Refusal::HostDot),
                false,
                Upstream,
                Never,
                "host_dot",
            ),
            (Cause::Resolve(refused()), false, Upstream, Safe, "resolve"),
            (Cause::Connect(refused()), false, Upstream, Safe, "connect"),
            (
                Cause::Connect(io::Error::from_raw_os_error(24)),
                false,
                Internal,
                Safe,
                "connect",
            ),
            (Cause::Send(refused()), false, Upstream, Safe, "send"),
            (Cause::Send(refused()), true, Upstream, Never, "send"),
            (Cause::Closed, true, Upstream, Never, "closed"),
            (Cause::Idle, true, Upstream, Never, "idle"),
            (
                Cause::Upload("gone".into()),
                false,
                Downstream,
                Never,
                "upload",
            ),
            (
                Cause::UploadLength,
                true,
                Downstream,
                Never,
                "upload_length",
            ),
        ];
        for (cause, sent, side, retry, label) in table {
            let fault = Fault::new(cause, Phase::SendHead).on(true, sent);
            assert_eq!(
                (fault.side(), fault.retry(), fault.label()),
                (side, retry, label),
                "{fault}"
            );
        }
    }
}
