//! A call from its start to the head of its answer.
//!
//! In: a `Call` from `pool`. Out: an `Answer`, or a `Fault`. Takes an idle connection at once,
//! or dials in a future of its own, which is freed before the wait.
//! Invariant: a second connection is dialled only if the first was a reused one and the
//! kernel had taken nothing of the request; that happens once.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

use futures_util::future::LocalBoxFuture;
use gramtap_telemetry::Counter;

use crate::{
    answer::Answer,
    connection::{Connection, Permit},
    dial::dial,
    exchange::{Call, Exchange},
    fault::{Fault, Retry},
    wire::Wire,
};

/// A call under way; a future of its answer. Small: it may be parked in thousands.
#[must_use = "a call is made only while it is awaited"]
pub struct Sending(Stage);

enum Stage {
    Refused(Fault),
    Dialing(Box<Dialing>),
    Exchanging(Box<Exchange>),
    /// With when the first byte was sent, if any was.
    Over(Option<Instant>),
}

struct Dialing {
    call: Call,
    permit: Permit,
    wire: LocalBoxFuture<'static, Result<Wire, Fault>>,
}

impl Sending {
    pub(crate) fn refused(fault: Fault) -> Self {
        Self(Stage::Refused(fault))
    }

    pub(crate) fn start(call: Call) -> Self {
        match call.pool.check_out(&call.upstream, call.started) {
            Some(connection) => Self(Stage::Exchanging(Box::new(Exchange::new(call, connection)))),
            None => Self(Stage::dial(call)),
        }
    }

    /// Whether the kernel has all of the request: the upstream may act on it, whoever waits.
    #[must_use]
    pub fn is_sent(&self) -> bool {
        matches!(&self.0, Stage::Exchanging(exchange) if exchange.is_sent())
    }

    /// When the kernel took the first byte of the request; also known after a failure.
    #[must_use]
    pub fn sent_at(&self) -> Option<Instant> {
        match &self.0 {
            Stage::Exchanging(exchange) => exchange.sent_at(),
            Stage::Over(sent) => *sent,
            Stage::Refused(_) | Stage::Dialing(_) => None,
        }
    }
}

impl Stage {
    fn dial(call: Call) -> Self {
        let permit = match call.pool.admit() {
            Ok(permit) => permit,
            Err(fault) => return Self::Refused(fault),
        };
        let (upstream, within) = (call.upstream.clone(), call.limits.connect);
        let wire = Box::pin(async move {
            let outcome = dial(&upstream, within).await;
            let result = outcome.as_ref().map_or_else(Fault::label, |_| "ok");
            Counter::UpstreamDials { result }.inc();
            outcome
        });
        Self::Dialing(Box::new(Dialing { call, permit, wire }))
    }
}

impl Future for Sending {
    type Output = Result<Answer, Fault>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let stage = &mut self.get_mut().0;
        loop {
            match std::mem::replace(stage, Stage::Over(None)) {
                Stage::Dialing(mut dialing) => match dialing.wire.as_mut().poll(cx) {
                    Poll::Ready(Ok(wire)) => {
                        let Dialing { call, permit, .. } = *dialing;
                        let connection = Connection::new(wire, call.upstream.id(), permit);
                        *stage = Stage::Exchanging(Box::new(Exchange::new(call, connection)));
                    }
                    Poll::Ready(Err(fault)) => return Poll::Ready(Err(fault)),
                    Poll::Pending => {
                        *stage = Stage::Dialing(dialing);
                        return Poll::Pending;
                    }
                },
                Stage::Exchanging(mut exchange) => match exchange.poll(cx) {
                    Poll::Ready(Ok(mut fed)) => match fed.head.take() {
                        Some(head) => {
                            *stage = Stage::Over(exchange.sent_at());
                            return Poll::Ready(Ok(Answer::new(head, fed.data, exchange)));
                        }
                        None => *stage = Stage::Exchanging(exchange),
                    },
                    Poll::Ready(Err(fault)) if fault.reused() && fault.retry() == Retry::Safe => {
                        *stage = Stage::dial(exchange.into_call());
                    }
                    Poll::Ready(Err(fault)) => {
                        *stage = Stage::Over(exchange.sent_at());
                        return Poll::Ready(Err(fault));
                    }
                    Poll::Pending => {
                        *stage = Stage::Exchanging(exchange);
                        return Poll::Pending;
                    }
                },
                Stage::Refused(fault) => return Poll::Ready(Err(fault)),
                Stage::Over(sent) => {
                    *stage = Stage::Over(sent);
                    return Poll::Pending;
                }
            }
        }
    }
}
