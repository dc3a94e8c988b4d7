//! What is asked besides: Telegram, with a call of our own or a changed one, and DNS.
//!
//! In: heads, bodies, names. Out: whole answers, addresses. Invariant: a call is made once; what DNS does not say in [`LOOK_UP`] is not known.

use std::net::IpAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use gramtap_outbound::{AnswerHead, Fault, Outgoing, RequestHead};
use gramtap_telegram::Answer;
use gramtap_tenants::Webhook;
use tokio::net::lookup_host;
use tokio::time::timeout;

use super::Case;
use crate::accept::arrival::Arrival;
use crate::worker::Worker;

/// How long a name is looked up.
const LOOK_UP: Duration = Duration::from_secs(2);

/// Whether Telegram accepts the token. It is asked, if it has not said so yet: bot ids are public, and nobody else is to move a bot's updates.
pub(super) async fn is_verified(worker: &Worker, case: &Case, arrival: &Arrival) -> bool {
    if worker.turns.is_verified(case.token) {
        return true;
    }
    let path = arrival.relayed_target().split('?').next();
    let Some((before, _)) = path.and_then(|path| path.rsplit_once('/')) else {
        return false;
    };
    let told = ask(
        worker,
        b"POST",
        &format!("{before}/getMe"),
        &[],
        Bytes::new(),
    )
    .await;
    let accepted = told.is_ok_and(|(_, body)| is_ok(&body) == Some(true));
    if accepted {
        worker.turns.judge(case.token, Some(true));
    }
    accepted
}

/// Asks Telegram; gives the whole answer.
pub(super) async fn ask(
    worker: &Worker,
    verb: &[u8],
    target: &str,
    lines: &[(Vec<u8>, &[u8])],
    body: Bytes,
) -> Result<(AnswerHead, Bytes), Fault> {
    let head = RequestHead {
        method: verb,
        target: target.as_bytes(),
        headers: lines.iter().map(|(name, value)| (name.as_slice(), *value)),
    };
    let body = match body.is_empty() {
        true => Outgoing::None,
        false => Outgoing::Whole(body),
    };
    let limits = worker.pool.limits();
    let answer = worker
        .pool
        .send(&worker.upstream, head, body, limits)
        .await?;
    let mut stream = match answer.body.into_whole() {
        Ok(body) => return Ok((answer.head, body)),
        Err(stream) => stream,
    };
    let mut whole = BytesMut::new();
    while let Some(part) = stream.next().await {
        whole.extend_from_slice(&part?);
    }
    Ok((answer.head, whole.freeze()))
}

pub(super) fn is_ok(body: &[u8]) -> Option<bool> {
    Answer::parse(body).map(|answer| answer.ok)
}

pub(super) async fn look_up(name: &str, port: u16) -> Vec<IpAddr> {
    match timeout(LOOK_UP, lookup_host((name, port))).await {
        Ok(Ok(found)) => found.map(|address| address.ip()).collect(),
        _ => Vec::new(),
    }
}

/// Where the bot's host is, as Telegram would say: what the bot has fixed, or else what DNS says.
pub(super) async fn shown_address(webhook: &Webhook) -> Option<IpAddr> {
    let url = webhook.url();
    match (webhook.ip_address, url.host()?) {
        (Some(address), _) => Some(address),
        (None, url::Host::Ipv4(address)) => Some(address.into()),
        (None, url::Host::Ipv6(address)) => Some(address.into()),
        (None, url::Host::Domain(name)) => {
            let found = look_up(name, url.port_or_known_default()?).await;
            found.into_iter().find(IpAddr::is_ipv4)
        }
    }
}
