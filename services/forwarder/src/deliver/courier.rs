//! One attempt to hand an update to a bot's webhook.
//!
//! In: an update whose turn it is (`arrange`). Out: an [`Attempt`]: what came of it, for `verdict.rs` and the records of `report`. Invariant: one
//! request at most, at an address that the guard admits; it is over within the deadline, whatever the endpoint does; headers and body are
//! opened here and nowhere else, and are in no error. Dies: the connection is closed, and the update is tried again.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::StreamExt as _;
use gramtap_endpoint::{Endpoint, EndpointError, Header, SECRET, arrange, kept};
use gramtap_events::Moment;
use gramtap_events::inbox::{Inbox, Sealed};
use gramtap_outbound::guard::Refusal;
use gramtap_outbound::{
    Answer, AnswerBody, AnswerHead, Fault, Framing, Outgoing, RequestHead, Side,
};
use gramtap_telegram::BotId;
use gramtap_telemetry::Counter;
use gramtap_tenants::{Key, KeysError, Lookup, Part, Place, Tenant, Webhook};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::message;
use super::schedule::retry_after;
use super::verdict::{Case, DROPPED, Judgement, Outcome, judge};
use crate::answer::reply::Reply;
use crate::worker::Worker;

/// An answer that takes nobody's room.
const SMALL: usize = 64 * 1024;

/// What an update says that was perhaps under way when a forwarder was killed.
const DOUBTFUL: [&[u8]; 2] = [b"Gramtap-Redelivered", b"maybe"];

/// An attempt, over.
#[derive(Debug)]
pub(crate) struct Attempt {
    /// When it began.
    pub(crate) at: Moment,
    /// How long it took, in microseconds.
    pub(crate) took_us: u64,
    /// What came of it.
    pub(crate) outcome: Outcome,
    /// What Telegram would tell of it, if it failed by the endpoint.
    pub(crate) message: Option<String>,
    /// Telegram's id of the bot, where it is known.
    pub(crate) bot: Option<BotId>,
    /// Scheme and host of where it went.
    pub(crate) endpoint: Option<String>,
    /// What the bot's answer asks for, and whose bot it is.
    pub(crate) reply: Reply,
    pub(crate) reply_method: Option<String>,
    pub(crate) tenant: Option<Arc<Tenant>>,
}

/// An attempt that failed, or was not made.
struct Failed {
    outcome: Outcome,
    message: Option<String>,
}

/// Where it goes.
struct Target {
    tenant: Arc<Tenant>,
    endpoint: Rc<Endpoint>,
    /// It is the bot's webhook, or as good as that: what proves Telegram may be sent there.
    own: bool,
}

/// Makes an attempt, unless it is later than `until` when all that is needed for it is there. `doubtful`: the bot may have the update already, and
/// is told so.
pub(crate) async fn attempt(
    worker: &Worker,
    inbox: &Inbox,
    until: Moment,
    doubtful: bool,
) -> Attempt {
    let (mut attempt, began) = (broken(), Instant::now());
    let deadline = worker.shared.deadline;
    let asked = match find(worker, inbox).await {
        Ok(_) if Moment::now() > until => Err(Outcome::Late.into()),
        Ok(target) => {
            attempt.bot = target.tenant.bot;
            attempt.endpoint = Some(target.endpoint.shown.clone());
            match timeout(deadline, ask(worker, inbox, &target, doubtful)).await {
                Ok(Ok((outcome, reply))) => {
                    attempt.reply_method = reply.method();
                    if target.own {
                        attempt.reply = reply;
                        attempt.tenant = Some(target.tenant);
                    } else if !reply.is_nothing() {
                        // Whoever a replay is shown to does not speak for the bot.
                        let result = "reply_elsewhere";
                        Counter::Replies { result }.inc();
                    }
                    Ok(outcome)
                }
                Ok(Err(failed)) => Err(failed),
                Err(_) => Err(Failed {
                    outcome: Outcome::Failed {
                        label: "idle",
                        side: Side::Upstream,
                    },
                    message: Some(message::TIMEOUT.to_owned()),
                }),
            }
        }
        Err(outcome) => Err(outcome.into()),
    };
    attempt.outcome = match asked {
        Ok(outcome) => outcome,
        Err(failed) => {
            attempt.message = failed.message;
            failed.outcome
        }
    };
    attempt.took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    attempt
}

/// An attempt that came to no end of its own: its task panicked.
pub(crate) fn broken() -> Attempt {
    Attempt {
        at: Moment::now(),
        took_us: 0,
        outcome: Outcome::Failed {
            label: "panic",
            side: Side::Internal,
        },
        message: None,
        bot: None,
        endpoint: None,
        reply: Reply::Nothing,
        reply_method: None,
        tenant: None,
    }
}

/// What is told of an attempt whose partition has gone meanwhile: nothing but a success.
pub(crate) fn orphaned(outcome: &Outcome) -> Option<Judgement> {
    let now = Moment::now();
    let case = Case {
        now,
        failed: 0,
        expires_at: now,
        random: 0,
    };
    Some(judge(outcome, &case)).filter(Judgement::is_success)
}

async fn find(worker: &Worker, inbox: &Inbox) -> Result<Target, Outcome> {
    let key = Key::Tenant(inbox.tenant);
    let tenant = match worker.shared.directory.find(key).await {
        Lookup::Found(tenant) => tenant,
        Lookup::Absent => return Err(Outcome::Impossible("endpoint_missing")),
        Lookup::Unreachable => {
            return Err(Outcome::Failed {
                label: "registry",
                side: Side::Internal,
            });
        }
    };
    // Known here as soon as anywhere: waiting updates are ended when that is noticed.
    if inbox.replay.is_none() && tenant.has_dropped(inbox.at) {
        return Err(Outcome::Impossible(DROPPED));
    }
    let to = inbox.replay.as_ref().and_then(|replay| replay.to.as_ref());
    let (endpoint, own) = match to {
        Some(to) => elsewhere(worker, inbox, &tenant, to)?,
        None => (worker.endpoint(&tenant)?, true),
    };
    Ok(Target {
        tenant,
        endpoint,
        own,
    })
}

/// Where a replay goes instead of the bot's webhook. What belongs to the webhook, its secret and the authority it trusts, goes along only where
/// scheme, host and port are the webhook's own.
fn elsewhere(
    worker: &Worker,
    inbox: &Inbox,
    tenant: &Tenant,
    to: &Sealed,
) -> Result<(Rc<Endpoint>, bool), Outcome> {
    let keys = &worker.shared.keys;
    let address = keys.open_update(Place::from(inbox), Part::Address, to)?;
    let address = str::from_utf8(&address).ok();
    let to = address.and_then(|address| Webhook::new(address).ok());
    let mut to = to.ok_or(Outcome::Refused(Refusal::Malformed))?;
    let mut own = false;
    if let Some(sealed) = &tenant.webhook {
        let webhook = keys.open_webhook(tenant.id, sealed)?;
        own = webhook.endpoint() == to.endpoint();
        to.ca = webhook.ca.filter(|_| own);
    }
    let endpoint = Endpoint::new(to, &worker.shared.policy)?;
    Ok((Rc::new(endpoint), own))
}

/// What is no success, or cannot be sent, has failed.
async fn ask(
    worker: &Worker,
    inbox: &Inbox,
    target: &Target,
    doubtful: bool,
) -> Result<(Outcome, Reply), Failed> {
    let mut passing = headers(worker, inbox)?;
    let endpoint = &target.endpoint;
    if !target.own {
        passing.retain(|(name, _)| !name.eq_ignore_ascii_case(SECRET.as_bytes()));
    }
    if doubtful {
        passing.push(DOUBTFUL.map(<[u8]>::to_vec).into());
    }
    let lines = arrange(passing, endpoint);
    let body = open(worker, inbox, Part::Body).map_err(Outcome::from)?;
    let head = RequestHead {
        method: b"POST",
        target: endpoint.target.as_bytes(),
        headers: lines
            .iter()
            .map(|(name, value)| (name.as_slice(), value.as_slice())),
    };
    let (limits, body) = (worker.pool.limits(), Outgoing::Whole(body.into()));
    let sending = worker.pool.send(&endpoint.upstream, head, body, limits);
    let Answer { head, body, .. } = sending.await?;
    let outcome = Outcome::Answered {
        status: head.status(),
        retry_after: head
            .header("retry-after")
            .and_then(|value| retry_after(value, Moment::now())),
    };
    if (200..300).contains(&head.status()) {
        // An answer that breaks off was none.
        return Ok((outcome, reply(worker, &head, body).await?));
    }
    whole(body, None).await.ok();
    Err(Failed {
        outcome,
        message: Some(message::answered(head.status(), head.reason())),
    })
}

/// What an answer asks for.
async fn reply(worker: &Worker, head: &AnswerHead, body: AnswerBody) -> Result<Reply, Fault> {
    // Telegram takes a body without an announced end for none.
    if head.framing() == Framing::UntilClose {
        return Ok(Reply::Nothing);
    }
    let kind = head.header("content-type").unwrap_or_default();
    Ok(match whole(body, Some(&worker.room)).await? {
        Some((body, room)) => Reply::read(kind, head.header("content-encoding"), body, room),
        None => Reply::Refuse(None, "reply_too_large"),
    })
}

/// The headers that pass, as they were received.
fn headers(worker: &Worker, inbox: &Inbox) -> Result<Vec<Header>, Outcome> {
    let opened = open(worker, inbox, Part::Headers)?;
    kept::read(&opened).ok_or(Outcome::Impossible("damaged"))
}

fn open(worker: &Worker, inbox: &Inbox, part: Part) -> Result<Vec<u8>, KeysError> {
    let sealed = match part {
        Part::Headers => &inbox.headers,
        _ => &inbox.body,
    };
    let keys = &worker.shared.keys;
    keys.open_update(Place::from(inbox), part, sealed)
}

/// The whole body, with its share of the room for large ones. None: it is larger than that; its connection is closed.
async fn whole(
    body: AnswerBody,
    room: Option<&Arc<Semaphore>>,
) -> Result<Option<(Bytes, Option<OwnedSemaphorePermit>)>, Fault> {
    let mut body = match body.into_whole() {
        Ok(whole) => return Ok(Some((whole, None))),
        Err(body) => body,
    };
    let mut read = Vec::new();
    let mut share: Option<OwnedSemaphorePermit> = None;
    while let Some(part) = body.next().await {
        read.extend_from_slice(&part?);
        let held = share.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let wanted = (read.len().saturating_sub(SMALL) / 1024).saturating_sub(held);
        if wanted == 0 {
            continue;
        }
        let wanted = u32::try_from(wanted).unwrap_or(u32::MAX);
        let more = room.and_then(|room| Arc::clone(room).try_acquire_many_owned(wanted).ok());
        match (more, &mut share) {
            (None, _) => return Ok(None),
            (Some(more), Some(share)) => share.merge(more),
            (Some(more), None) => share = Some(more),
        }
    }
    Ok(Some((read.into(), share)))
}

impl From<Outcome> for Failed {
    fn from(outcome: Outcome) -> Self {
        let message = match outcome {
            Outcome::Refused(refusal) => Some(message::refused(refusal)),
            _ => None,
        };
        Self { outcome, message }
    }
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self {
            outcome: Outcome::from(&fault),
            message: message::broken(&fault),
        }
    }
}

impl From<KeysError> for Outcome {
    fn from(error: KeysError) -> Self {
        Self::Impossible(error.label())
    }
}

impl From<EndpointError> for Outcome {
    fn from(error: EndpointError) -> Self {
        match error {
            EndpointError::Refused(refusal) => Self::Refused(refusal),
            // What no request can be made to.
            EndpointError::Upstream(_) => Self::Failed {
                label: "request",
                side: Side::Internal,
            },
            EndpointError::Unknown | EndpointError::Keys(_) => Self::Impossible(error.label()),
        }
    }
}
