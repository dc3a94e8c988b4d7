//! One call on one connection, both ways at once.
//!
//! In: a `Connection` from the pool, the `Outbox` of the request. Out: the answer's head and
//! data as they come; a connection that can serve again goes back to the pool.
//! It is driven by who waits for it, there is no task behind it: dropping it closes the
//! connection at once, and a caller that does not poll holds the upstream back.
//! Invariant: the connection is given back only if the request was sent whole, the answer was
//! read whole, and nothing lies behind it.

use std::{
    io,
    task::{Context, Poll, ready},
};

use tokio::time::Instant;

use crate::{
    config::Limits,
    connection::Connection,
    decoder::{AnswerDecoder, Fed},
    fault::{Cause, Fault, Phase},
    outbox::{Outbox, Stand},
    patience::Patience,
    pool::Pool,
    upstream::Upstream,
};

/// A call before it has a connection.
pub(crate) struct Call {
    pub(crate) pool: Pool,
    pub(crate) upstream: Upstream,
    pub(crate) outbox: Outbox,
    pub(crate) to_head: bool,
    pub(crate) limits: Limits,
    pub(crate) started: Instant,
}

/// A call that has one.
pub(crate) struct Exchange {
    call: Call,
    connection: Connection,
    /// What the wire had taken before this call.
    mark: u64,
    decoder: AnswerDecoder,
    /// Whether the head was read, and the upstream keeps the connection.
    head: Option<bool>,
    /// Writing has failed; the answer may say why.
    broken: Option<io::Error>,
    patience: Patience,
    first_sent: Option<Instant>,
}

impl Exchange {
    pub(crate) fn new(call: Call, mut connection: Connection) -> Self {
        Self {
            mark: connection.wire.accepted(),
            decoder: AnswerDecoder::new(call.to_head),
            head: None,
            broken: None,
            patience: Patience::new(call.limits.idle, connection.timer.take()),
            first_sent: None,
            connection,
            call,
        }
    }

    /// Moves both ways until something of the answer has come.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Fed, Fault>> {
        loop {
            // First, so that a fast upload cannot hide an early answer.
            if let Poll::Ready(outcome) = self.pull(cx) {
                return Poll::Ready(outcome);
            }
            let was_broken = self.broken.is_some();
            let waits_for = match self.push(cx) {
                Ok(stand) => stand,
                Err(cause) => return Poll::Ready(Err(self.fault(cause))),
            };
            if was_broken == self.broken.is_some() {
                return self
                    .patience
                    .poll(cx)
                    .map(|()| Err(self.silence(waits_for)));
            }
        }
    }

    /// Reads until something of the answer has come.
    fn pull(&mut self, cx: &mut Context<'_>) -> Poll<Result<Fed, Fault>> {
        loop {
            if let Some(flaw) = self.decoder.failure() {
                return Poll::Ready(Err(self.fault(flaw)));
            }
            // What a used connection says before it was asked is no answer to this request.
            let unasked = self.connection.reused && !self.is_begun();
            let decoder = &mut self.decoder;
            let read = ready!(self.connection.wire.poll_read(cx, |bytes| {
                (!unasked && !bytes.is_empty()).then(|| decoder.feed(bytes))
            }));
            match read {
                _ if unasked => return Poll::Ready(Err(self.fault(Cause::Closed))),
                Ok(Some(fed)) => {
                    self.patience.renew();
                    if let Some(head) = &fed.head {
                        self.head = Some(head.keep);
                    }
                    if fed.head.is_some() || !fed.data.is_empty() || self.decoder.is_done() {
                        return Poll::Ready(Ok(fed));
                    }
                }
                Ok(None) if self.decoder.close() => {
                    self.head = Some(false);
                    return Poll::Ready(Ok(Fed::default()));
                }
                Ok(None) => return Poll::Ready(Err(self.cut(None))),
                Err(error) => return Poll::Ready(Err(self.cut(Some(error)))),
            }
        }
    }

    /// Goes on sending alone, after the answer has ended.
    pub(crate) fn poll_upload(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        let waits_for = match self.push(cx) {
            Ok(stand) => stand,
            Err(cause) => return Poll::Ready(Err(self.fault(cause))),
        };
        match (waits_for, self.broken.take()) {
            (_, Some(error)) => Poll::Ready(Err(self.fault(Cause::Send(error)))),
            (Stand::Sent, None) => Poll::Ready(Ok(())),
            (waits_for, None) => self
                .patience
                .poll(cx)
                .map(|()| Err(self.silence(waits_for))),
        }
    }

    /// Nothing has moved for too long.
    fn silence(&self, waits_for: Stand) -> Fault {
        self.fault(match waits_for {
            Stand::Caller => Cause::UploadIdle,
            Stand::Upstream | Stand::Sent => Cause::Idle,
        })
    }

    /// Sends what can be sent. An upstream that stops taking the request may have answered
    /// before: then that is what the caller gets.
    fn push(&mut self, cx: &mut Context<'_>) -> Result<Stand, Cause> {
        if self.broken.is_some() || self.call.outbox.is_sent() {
            return Ok(Stand::Sent);
        }
        let before = self.connection.wire.accepted();
        let outcome = self.call.outbox.push(cx, &mut self.connection.wire);
        if self.connection.wire.accepted() > before {
            self.patience.renew();
            self.first_sent.get_or_insert_with(Instant::now);
        }
        match outcome {
            Err(Cause::Send(error)) if self.is_begun() => {
                self.broken = Some(error);
                Ok(Stand::Sent)
            }
            outcome => outcome,
        }
    }

    /// Whether any byte of the request may have reached the upstream.
    fn is_begun(&self) -> bool {
        self.connection.wire.accepted() > self.mark
    }

    /// The upstream has closed before the end.
    fn cut(&mut self, error: Option<io::Error>) -> Fault {
        let cause = match (self.head, self.broken.take(), error) {
            (Some(_), _, error) => Cause::Cut(error),
            (None, Some(error), _) => Cause::Send(error),
            (None, None, Some(error)) if error.kind() != io::ErrorKind::UnexpectedEof => {
                Cause::Receive(error)
            }
            (None, None, _) => Cause::Closed,
        };
        self.fault(cause)
    }

    fn fault(&self, cause: impl Into<Cause>) -> Fault {
        let phase = match (self.head, &self.call.outbox) {
            (Some(_), _) => Phase::Body,
            (None, outbox) if outbox.is_sent() => Phase::AwaitHead,
            (None, outbox) if outbox.is_head_gone() => Phase::SendBody,
            (None, _) => Phase::SendHead,
        };
        Fault::new(cause, phase).on(self.connection.reused, self.is_begun())
    }

    /// Whether the answer is whole.
    pub(crate) fn is_answered(&self) -> bool {
        self.decoder.is_done()
    }

    /// Whether the kernel has all of the request.
    pub(crate) fn is_sent(&self) -> bool {
        self.call.outbox.is_sent()
    }

    /// Whether the request is sent, or can no longer be.
    pub(crate) fn is_upload_over(&self) -> bool {
        self.broken.is_some() || self.call.outbox.is_sent()
    }

    /// Gives the connection back, if it can serve again; else it is closed here.
    pub(crate) fn retire(mut self, now: Instant) {
        let reusable = self.head == Some(true)
            && self.decoder.is_done()
            && !self.decoder.has_surplus()
            && self.broken.is_none()
            && self.call.outbox.is_sent();
        if reusable {
            self.connection.timer = self.patience.into_timer();
            self.call.pool.check_in(self.connection, now);
        }
    }

    /// Takes the call back, to make it on another connection; only if nothing was sent.
    pub(crate) fn into_call(mut self) -> Call {
        self.call.outbox.rewind();
        self.call
    }

    /// When the kernel took the first byte of the request.
    pub(crate) fn sent_at(&self) -> Option<std::time::Instant> {
        self.first_sent.map(Instant::into_std)
    }

    pub(crate) fn timing(&self, head_received: Instant) -> Timing {
        Timing {
            started: self.call.started.into_std(),
            first_sent: self.sent_at(),
            head_received: head_received.into_std(),
            reused: self.connection.reused,
        }
    }
}

/// When the steps of a call happened.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// `Pool::send` was called.
    pub started: std::time::Instant,
    /// The kernel took the first byte of the request.
    pub first_sent: Option<std::time::Instant>,
    /// The head of the answer was read.
    pub head_received: std::time::Instant,
    /// The connection had served an earlier call.
    pub reused: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Thousands of them wait at once, each with a timer beside it.
    #[test]
    fn a_waiting_call_is_small() {
        let (call, timer) = (size_of::<Exchange>(), size_of::<tokio::time::Sleep>());
        assert!(call <= 480 && timer <= 128, "{call} and {timer} bytes");
    }
}
