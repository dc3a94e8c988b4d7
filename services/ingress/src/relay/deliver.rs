//! Asks a bot's endpoint with an update, in Telegram's place.
//!
//! In: an update that `accept/webhook.rs` let through, the bot's endpoint. Out: the bot's answer. Invariant: the request is Telegram's own, byte for byte, but for
//! the host, the connection, and who asks (X-Forwarded-For, which some libraries compare with Telegram's networks); it is made once, as Telegram
//! repeats what failed; Telegram leaving ends it, as dropping the future closes its connection. After [`PATIENCE`] it is given up, so that Telegram hears of
//! it before its own 60 s are over.

use std::time::Duration;

use actix_web::http::header::{self, HeaderName};
use bytes::Bytes;
use gramtap_outbound::{Answer, Outgoing, RequestHead};
use tokio::time::timeout;

use super::endpoint::Endpoint;
use super::headers;
use super::refusal::Refusal;
use crate::accept::arrival::Arrival;
use crate::accept::webhook::SECRET;
use crate::worker::Worker;

/// How long a bot may take until its answer begins.
const PATIENCE: Duration = Duration::from_secs(55);

/// The order in which Telegram writes its headers, with ours in their places. `Host` goes first by itself.
const ORDER: [(&str, &str); 7] = [
    ("authorization", "Authorization"),
    (SECRET, "X-Telegram-Bot-Api-Secret-Token"),
    ("content-type", "Content-Type"),
    ("content-length", "Content-Length"),
    ("connection", "Connection"),
    ("accept-encoding", "Accept-Encoding"),
    ("x-forwarded-for", "X-Forwarded-For"),
];

/// Asks.
pub(crate) async fn ask(
    worker: &Worker,
    arrival: &Arrival,
    endpoint: &Endpoint,
    body: Bytes,
) -> Result<Answer, Refusal> {
    let lines = lines(arrival, endpoint);
    let head = RequestHead {
        method: b"POST",
        target: endpoint.target.as_bytes(),
        headers: lines
            .iter()
            .map(|(name, value)| (name.as_slice(), value.as_slice())),
    };
    let limits = worker.pool.limits();
    let sending = worker
        .pool
        .send(&endpoint.upstream, head, Outgoing::Whole(body), limits);
    match timeout(PATIENCE, sending).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(fault)) => {
            tracing::debug!(
                label = fault.label(),
                phase = fault.phase().label(),
                "a bot was not reached"
            );
            Err(Refusal::endpoint(&fault))
        }
        Err(_) => Err(Refusal::endpoint_slow()),
    }
}

/// The headers of the request. What is not known here passes behind the others.
fn lines(arrival: &Arrival, endpoint: &Endpoint) -> Vec<(Vec<u8>, Vec<u8>)> {
    let sent = &arrival.headers;
    let mut lines = Vec::with_capacity(ORDER.len());
    for (name, written) in ORDER {
        let value = match name {
            "authorization" => endpoint
                .authorization
                .as_ref()
                .map(|it| it.as_bytes().to_vec()),
            "content-length" => Some(Vec::new()),
            "connection" => Some(b"keep-alive".to_vec()),
            "x-forwarded-for" => arrival.from.map(|from| from.to_string().into_bytes()),
            _ => sent.get(name).map(|value| value.as_bytes().to_vec()),
        };
        lines.extend(value.map(|value| (written.as_bytes().to_vec(), value)));
    }
    let known = |name: &HeaderName| {
        ORDER.iter().any(|(it, _)| *it == name.as_str()) || *name == header::AUTHORIZATION
    };
    let others = headers::upstream(sent);
    lines.extend(others.into_iter().filter_map(|(name, value)| {
        let parsed = HeaderName::from_bytes(&name).ok()?;
        (!known(&parsed)).then(|| (name, value.to_vec()))
    }));
    lines
}
