//! The way of one update that Telegram pushes: whose it is, and what the bot answers.
//!
//! In: requests to `/webhook/{hook}` on the shared host, from `call.rs`. Out: 200 for an update that is in the inbox; else the bot's answer, and a record of
//! the update. The steps, in order: the hook finds the bot, the secret is compared, the body is read; in inbox mode `publish/inbox.rs` takes it in; in
//! relay mode, or where the inbox does not take it, `observe/` tells of the update and `relay/deliver.rs` asks the bot. Invariant: an update is answered 2xx
//! only if the bus has it or the bot has answered so: whatever goes wrong here, Telegram is told to send it again. What does not know the hook, or not
//! the secret, changes nothing and learns nothing. Bounded: a body by [`LARGEST`], the wait for the bot by less than Telegram's 60 s.

use std::rc::Rc;
use std::time::Instant;

use actix_web::HttpResponse;
use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::http::header::HeaderMap;
use gramtap_endpoint::SECRET;
use gramtap_events::tenant::Mode;
use gramtap_outbound::Answer;
use gramtap_settings::SecretString;
use gramtap_telemetry::{Counter, Histogram};
use gramtap_tenants::{Hook, Key, Lookup, Standing, Tenant};
use subtle::ConstantTimeEq;

use super::arrival::Arrival;
use super::body::Body;
use super::gather;
use crate::identify::host::Face;
use crate::observe::record;
use crate::publish::inbox::{self, Push, Taken};
use crate::relay::attempt::Attempt;
use crate::relay::refusal::Refusal;
use crate::relay::{deliver, respond};
use crate::worker::Worker;

/// Where Telegram is told to push to.
const PATH: &str = "/webhook/";
/// Bytes of an update. Telegram's are far below.
const LARGEST: u64 = 4 * 1024 * 1024;

/// The hook of a request that is a push. What stands in the place of the hook may be anything.
pub(crate) fn hook<'a>(worker: &Worker, arrival: &'a Arrival) -> Option<&'a str> {
    let rest = arrival.target().ok()?.strip_prefix(PATH)?;
    let is_shared = matches!(worker.hosts.face(arrival.host().ok()?), Ok(Face::Shared));
    is_shared.then(|| rest.split('?').next().unwrap_or(rest))
}

/// Serves one push.
pub(crate) async fn serve(
    worker: &Rc<Worker>,
    arrival: Arrival,
    hook: Result<Hook, Refusal>,
    payload: Payload,
) -> HttpResponse<Body> {
    let _counted = worker.enter();
    match pass(worker, &arrival, hook, payload).await {
        Ok(Passed::On(answer)) => {
            Counter::Pushes { result: "answered" }.inc();
            respond::pass_back(*answer, worker.is_ending())
        }
        Ok(Passed::In) => {
            Counter::Pushes { result: "taken_in" }.inc();
            Histogram::InboxSeconds.record(arrival.began.elapsed());
            respond::taken_in(worker.is_ending())
        }
        Err(refusal) => {
            let result = refusal.label;
            Counter::Pushes { result }.inc();
            respond::refuse(&refusal, worker.is_ending())
        }
    }
}

/// Where an update has gone.
enum Passed {
    /// To the bot, which has answered.
    On(Box<Answer>),
    /// Into the inbox.
    In,
}

async fn pass(
    worker: &Rc<Worker>,
    arrival: &Arrival,
    hook: Result<Hook, Refusal>,
    payload: Payload,
) -> Result<Passed, Refusal> {
    if arrival.method != Method::POST {
        return Err(Refusal::path());
    }
    let tenant = find(worker, &hook?).await?;
    let endpoint = worker.endpoint(&tenant).map_err(|error| {
        tracing::warn!(%error, tenant = %tenant.id, "an update cannot be passed on");
        Refusal::endpoint_unknown()
    })?;
    if !proves(&arrival.headers, endpoint.secret.as_ref()) {
        return Err(Refusal::forged());
    }
    let body = gather::whole(payload, arrival.framing(), LARGEST).await?;
    let since = Instant::now();
    let is_connected = tenant.standing_now() == Standing::Connected;
    let head = inbox::head_of(&body);
    if is_connected && tenant.webhook_mode() == Mode::Inbox {
        let push = Push {
            tenant: tenant.id,
            at: arrival.at,
            head: head.clone(),
            headers: deliver::passing(arrival),
            body: body.clone(),
        };
        match worker.inbox.take_in(push).await {
            Taken::Stored => return Ok(Passed::In),
            Taken::Not(reason) => Counter::InboxPassed { reason }.inc(),
            Taken::Held => return Err(Refusal::inbox_held()),
            Taken::Unconfirmed => return Err(Refusal::inbox_unconfirmed()),
        }
    }
    let attempt = (is_connected && worker.copies.enabled).then(|| {
        let observed = record::pushed(&tenant, &body, &worker.mask(&tenant), &worker.mint);
        let told = observed.updates.first().map(|it| it.record.clone());
        worker.publisher.publish(observed);
        told.map(|told| Attempt::begin(worker, &tenant, &endpoint, head, told))
    });
    let answer = deliver::ask(worker, arrival, &endpoint, body, since, attempt.flatten()).await?;
    Ok(Passed::On(Box::new(answer)))
}

async fn find(worker: &Worker, hook: &Hook) -> Result<std::sync::Arc<Tenant>, Refusal> {
    match worker.directory.find(Key::Hook(hook.hash())).await {
        Lookup::Found(tenant) => Ok(tenant),
        Lookup::Absent => Err(Refusal::hook()),
        Lookup::Unreachable => Err(Refusal::registry()),
    }
}

/// Whether the request holds the secret, where there is one to hold.
fn proves(headers: &HeaderMap, secret: Option<&SecretString>) -> bool {
    let Some(secret) = secret else {
        return true;
    };
    let sent = headers
        .get(SECRET)
        .map_or(&b""[..], |value| value.as_bytes());
    sent.ct_eq(secret.expose().as_bytes()).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    #[test]
    fn only_the_secret_proves_telegram() {
        let with = |value: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                let value = HeaderValue::from_str(value).unwrap();
                headers.insert(HeaderName::from_static(SECRET), value);
            }
            headers
        };
        let secret = SecretString::new("AAcanary".to_owned());
        for (sent, proves_it) in [
            (Some("AAcanary"), true),
            (Some("AAcanar"), false),
            (Some("aacanary"), false),
            (Some(""), false),
            (None, false),
        ] {
            assert_eq!(proves(&with(sent), Some(&secret)), proves_it, "{sent:?}");
            assert!(proves(&with(sent), None));
        }
    }
}
