//! The way of one call: what arrived, whose it is, where it goes.
//!
//! In: actix's requests; pushes go to `webhook.rs`. Out: responses. The steps, in order: `arrival.rs` takes the head,
//! `identify/` finds the bot, `gather.rs` reads a small body, calls whose token Telegram has not
//! accepted yet wait for a place, `relay/account.rs` opens the account, `relay/exchange.rs` does
//! the rest, or `relay/takeover.rs` where a bot sets its webhook. Invariant: no step
//! awaits Kafka, Redis beyond its bound, or SQL beyond its bound; a panic in any of them is
//! this call's 502 and no one else's.

use std::panic::AssertUnwindSafe;
use std::rc::Rc;

use actix_http::{Request, Response};
use actix_web::HttpResponse;
use actix_web::dev::Payload;
use actix_web::http::header;
use futures_util::FutureExt;
use gramtap_events::TenantId;
use gramtap_events::tenant::Privacy;
use gramtap_privacy::Mask;
use gramtap_telegram::Target;
use gramtap_telemetry::Counter;

use super::arrival::Arrival;
use super::body::Body;
use super::gather::Gathered;
use super::webhook;
use crate::identify::address::Address;
use crate::identify::gate::{self, Admission, Door};
use crate::identify::host::{Face, HostError};
use crate::observe::{Ending, RequestHead, TokenHash};
use crate::relay::account::{Account, Capture, Opening};
use crate::relay::refusal::Refusal;
use crate::relay::takeover::{self, Case};
use crate::relay::{exchange, respond};
use crate::worker::Worker;

/// Serves one request of a bot.
pub(crate) async fn serve(worker: Rc<Worker>, mut request: Request) -> Response<Body> {
    let arrival = Arrival::take(request.head_mut(), &worker.proxies);
    let payload = request.take_payload();
    // It goes back to actix, for the next one.
    drop(request);
    let response = AssertUnwindSafe(answer(worker, arrival, payload))
        .catch_unwind()
        .await;
    let response = response.unwrap_or_else(|_| respond::refuse(&Refusal::internal(), true));
    response.into()
}

/// What a request asks for, as far as its head tells.
struct Question {
    door: Door,
    target: Target,
}

async fn answer(worker: Rc<Worker>, mut arrival: Arrival, payload: Payload) -> HttpResponse<Body> {
    if let Some(hook) = webhook::hook(&worker, &arrival) {
        let hook = hook.parse().map_err(|_| Refusal::hook());
        // In a box: polls are parked in what this one is.
        return Box::pin(webhook::serve(&worker, arrival, hook, payload)).await;
    }
    let question = match ask(&worker, &mut arrival) {
        Ok(question) => question,
        Err(refusal) => return refuse(&worker, &arrival, None, &refusal).await,
    };
    let admission = match gate::admit(&worker.directory, &question.door, question.target.bot).await
    {
        Ok(admission) => admission,
        Err(refusal) => return refuse(&worker, &arrival, Some(&question), &refusal).await,
    };
    let token = question
        .target
        .token
        .as_ref()
        .map(|token| worker.token_key.hash(token));
    let gathered = Gathered::of(payload, arrival.framing()).await;
    if let Some(label) = gathered.cut {
        let mut account = open(&worker, &arrival, question.target, admission, token);
        gathered.enter(&mut account);
        account.close(Ending::Left { label });
        return respond::refuse(&Refusal::upload(), worker.is_ending());
    }
    let turn = worker
        .turns
        .take(token, question.target.bot, gathered.streams())
        .await;
    let turn = match turn {
        Ok(turn) => turn,
        Err(refusal) => return refuse(&worker, &arrival, Some(&question), &refusal).await,
    };
    let case = Case::of(
        &worker,
        &arrival.method,
        &question.target,
        &admission,
        token,
    );
    let mut account = open(&worker, &arrival, question.target, admission, token);
    gathered.enter(&mut account);
    if let Some(turn) = turn {
        account.keep(turn);
    }
    if let Some(case) = case {
        // In a box: polls are parked in what this one is.
        return Box::pin(takeover::serve(case, arrival, gathered.body, account)).await;
    }
    exchange::relay(arrival, gathered.body, account).await
}

/// Reads the head.
fn ask(worker: &Worker, arrival: &mut Arrival) -> Result<Question, Refusal> {
    let face = worker
        .hosts
        .face(arrival.host()?)
        .map_err(|error| match error {
            HostError::NotServed => Refusal::host_not_served(),
            HostError::Missing | HostError::Malformed => Refusal::host(),
        })?;
    let whole = arrival.target()?;
    let address = Address::of(whole);
    let strip = whole.len() - address.target.len();
    let door = match (face, address.code) {
        (Face::Shared, Some(code)) => Door::code(code)?,
        (Face::Shared, None) => Door::Shared,
        (Face::Code(label), None) => Door::code(&label)?,
        // A code inside a code's host names nothing.
        (Face::Code(_), Some(_)) => return Err(Refusal::path()),
    };
    let target = Target::parse(address.path).map_err(|_| Refusal::path())?;
    arrival.strip = strip;
    Ok(Question { door, target })
}

fn open(
    worker: &Rc<Worker>,
    arrival: &Arrival,
    target: Target,
    admission: Admission,
    token: Option<TokenHash>,
) -> Box<Account> {
    let capture = match &admission {
        Admission::Known {
            tenant, captured, ..
        } => (*captured && worker.copies.enabled).then(|| Capture {
            tenant: tenant.id,
            client: arrival.client(),
            mask: worker.mask(tenant),
        }),
        // Nobody knows what this bot allows to be kept.
        Admission::Unknown => worker.copies.enabled.then(|| Capture {
            tenant: TenantId::UNATTRIBUTED,
            client: arrival.client(),
            mask: Mask::new(Privacy::Off, [0; 32]),
        }),
    };
    let value = |name| arrival.headers.get(name).map(header::HeaderValue::as_bytes);
    let head = RequestHead {
        content_type: value(header::CONTENT_TYPE),
        content_encoding: value(header::CONTENT_ENCODING),
        query: arrival
            .relayed_target()
            .split_once('?')
            .map(|(_, query)| query),
    };
    let opening = Opening {
        capture,
        bot: target.bot,
        token,
        door: target.door,
        at: arrival.at,
        began: arrival.began,
        verb: arrival.method.clone(),
        from: arrival.from,
        binds: match admission {
            Admission::Known { binds, .. } => binds,
            Admission::Unknown => None,
        },
    };
    Account::open(worker, opening, &head)
}

/// Answers a request that is not relayed.
async fn refuse(
    worker: &Worker,
    arrival: &Arrival,
    question: Option<&Question>,
    refusal: &Refusal,
) -> HttpResponse<Body> {
    Counter::Refused {
        reason: refusal.label,
    }
    .inc();
    let target = question.map(|question| &question.target);
    let code = question.and_then(|question| match question.door {
        Door::Code(code) => Some(code),
        Door::Shared => None,
    });
    worker.tell_refused(arrival, target, code, refusal);
    if let Some(target) = target.filter(|target| target.is_poll()) {
        worker.hold((target.bot, arrival.from)).await;
    }
    respond::refuse(refusal, worker.is_ending())
}
