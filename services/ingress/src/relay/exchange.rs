//! The exchange: the bot's request to Telegram, Telegram's answer to the bot.
//!
//! In: an arrival that `identify/` let through, its payload, its account. Out: the response.
//! A small body is there already and travels with the head in one write; a larger one streams
//! while the answer is awaited. A bot that leaves: its poll is cancelled upstream at once; a
//! send that Telegram may have got already is finished, and its late answer recorded.
//! Invariant: nothing is sent twice; while the answer is awaited, nothing of the request is held
//! but what is still to be sent. Our own failures are answered in the Bot API's shape.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Instant;

use actix_web::HttpResponse;
use actix_web::dev::Payload;
use actix_web::http::Method;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, future};
use gramtap_outbound::{Answer, Fault, Outgoing, RequestHead, Sending, Side};

use super::account::{Account, SharedTap};
use super::refusal::Refusal;
use super::{headers, respond};
use crate::accept::arrival::Arrival;
use crate::accept::body::Body;
use crate::accept::gather::{Asked, within};
use crate::observe::Ending;

/// Relays one call, with what of its body is there already.
pub(crate) async fn relay(
    arrival: Arrival,
    body: Asked,
    mut account: Box<Account>,
) -> HttpResponse<Body> {
    let body = match body {
        Asked::Nothing => Outgoing::None,
        Asked::Whole(body) => Outgoing::Whole(body),
        Asked::Streams(payload, length) => upload(payload, length, &mut account),
    };
    let flight = Flight {
        sending: Some(start(&arrival, body, &account)),
        account: Some(account),
    };
    let to_head = arrival.method == Method::HEAD;
    drop(arrival);
    flight.land(to_head).await
}

/// Hands the request to the pool.
fn start(arrival: &Arrival, body: Outgoing, account: &Account) -> Sending {
    let worker = account.worker();
    let passing = headers::upstream(&arrival.headers);
    let head = RequestHead {
        method: arrival.method.as_str().as_bytes(),
        target: arrival.relayed_target().as_bytes(),
        headers: passing
            .iter()
            .map(|(name, value)| (name.as_slice(), *value)),
    };
    worker
        .pool
        .send(&worker.upstream, head, body, worker.pool.limits())
}

/// The bot's connection ended inside its body.
#[derive(Debug, thiserror::Error)]
#[error("the bot's body was cut short")]
struct CutUpload;

/// A body that streams, copied to the account's tap as it passes.
fn upload(payload: Payload, length: Option<u64>, account: &mut Account) -> Outgoing {
    let passing = Upload {
        payload,
        left: length,
        tap: account.share_tap(),
    };
    Outgoing::stream(length, passing)
}

struct Upload {
    payload: Payload,
    left: Option<u64>,
    tap: SharedTap,
}

impl Stream for Upload {
    type Item = Result<Bytes, CutUpload>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.left == Some(0) {
            return Poll::Ready(None);
        }
        this.payload.poll_next_unpin(cx).map(|part| {
            part.map(|chunk| {
                let mut chunk = chunk.map_err(|_| CutUpload)?;
                if let Some(left) = &mut this.left {
                    chunk = within(chunk, left);
                }
                if let Some(tap) = this.tap.borrow_mut().as_mut() {
                    tap.push(&chunk);
                }
                Ok(chunk)
            })
        })
    }
}

/// A call that waits for its answer. Small: it may be parked in thousands.
struct Flight {
    sending: Option<Sending>,
    account: Option<Box<Account>>,
}

impl Flight {
    async fn land(mut self, to_head: bool) -> HttpResponse<Body> {
        let poll = self.account.as_ref().filter(|account| account.is_poll());
        let landed = match poll.map(|account| Rc::clone(account.worker())) {
            Some(worker) => match future::select(self.answer(), pin!(worker.ending())).await {
                future::Either::Left((landed, _)) => Some(landed),
                future::Either::Right(_) => None,
            },
            None => Some(self.answer().await),
        };
        // The connection of a poll that is still parked closes here.
        let sent = self.sending.take().and_then(|sending| sending.sent_at());
        let Some(mut account) = self.account.take() else {
            return respond::refuse(&Refusal::internal(), true);
        };
        if let Some(sent) = sent {
            account.watch().sent(sent);
        }
        match landed {
            Some(Ok(answer)) => respond::pass_on(answer, to_head, account),
            Some(Err(fault)) => failed(&fault, account).await,
            None => respond::empty_poll(account),
        }
    }

    fn answer(&mut self) -> impl Future<Output = Result<Answer, Fault>> + Unpin + use<'_> {
        let sending = &mut self.sending;
        poll_fn(move |cx| match sending {
            Some(waiting) => Pin::new(waiting).poll(cx),
            None => Poll::Pending,
        })
    }
}

impl Drop for Flight {
    /// The bot has left.
    fn drop(&mut self) {
        let (Some(sending), Some(mut account)) = (self.sending.take(), self.account.take()) else {
            return;
        };
        if let Some(sent) = sending.sent_at() {
            account.watch().sent(sent);
        }
        if account.has_effect() && sending.is_sent() {
            drop(gramtap_actors::spawn_local(
                "late_answer",
                finish(sending, account),
            ));
        }
    }
}

/// Awaits the answer that nobody waits for any more, for the record.
async fn finish(sending: Sending, mut account: Box<Account>) {
    account.left();
    let ending = match sending.await {
        Ok(mut answer) => {
            account.answered(answer.head.status(), answer.head.header("content-encoding"));
            let mut label = "client_left";
            while let Some(part) = answer.body.next().await {
                match part {
                    Ok(chunk) => account.answer(&chunk),
                    Err(_) => label = "client_left_and_cut",
                }
            }
            Ending::Left { label }
        }
        Err(_) => Ending::Left {
            label: "client_left_and_failed",
        },
    };
    account.close(ending);
}

/// Answers a call that got no answer.
pub(super) async fn failed(fault: &Fault, mut account: Box<Account>) -> HttpResponse<Body> {
    tracing::debug!(
        label = fault.label(),
        phase = fault.phase().label(),
        sent = fault.sent(),
        "a call failed"
    );
    let refusal = Refusal::fault(fault);
    // What follows is not Telegram's time any more.
    account.watch().received(Instant::now());
    if account.is_poll() {
        account.worker().hold(account.poller()).await;
    }
    let closes = account.worker().is_ending();
    account.refused(refusal.status, refusal.body().len());
    account.close(match fault.side() {
        Side::Downstream => Ending::Left {
            label: fault.label(),
        },
        Side::Internal => Ending::Own {
            label: fault.label(),
        },
        Side::Upstream => Ending::NoAnswer {
            label: fault.label(),
        },
    });
    respond::refuse(&refusal, closes)
}
