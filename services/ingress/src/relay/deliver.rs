//! Asks a bot's endpoint with an update, in Telegram's place.
//!
//! In: an update that `accept/webhook.rs` let through, the bot's endpoint. Out: the bot's answer. Invariant: the request is Telegram's own, byte for byte, but for
//! the host, the connection, and who asks (X-Forwarded-For, which some libraries compare with Telegram's networks); it is made once, as Telegram
//! repeats what failed; Telegram leaving ends it, as dropping the future closes its connection. After [`PATIENCE`] it is given up, so that Telegram hears of
//! it before its own 60 s are over.

use std::time::{Duration, Instant};

use bytes::Bytes;
use gramtap_endpoint::{Endpoint, Header};
use gramtap_outbound::{Answer, Outgoing, RequestHead};
use tokio::time::timeout;

use super::attempt::Attempt;
use super::headers;
use super::refusal::Refusal;
use crate::accept::arrival::Arrival;
use crate::worker::Worker;

/// How long a bot may take until its answer begins, the inbox's time included.
const PATIENCE: Duration = Duration::from_secs(55);

/// Asks. `since`: when the update was there; `attempt`: what is told of it, if anything is.
pub(crate) async fn ask(
    worker: &Worker,
    arrival: &Arrival,
    endpoint: &Endpoint,
    body: Bytes,
    since: Instant,
    attempt: Option<Attempt>,
) -> Result<Answer, Refusal> {
    let lines = gramtap_endpoint::arrange(passing(arrival), endpoint);
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
    match timeout(PATIENCE.saturating_sub(since.elapsed()), sending).await {
        Ok(Ok(answer)) => {
            if let Some(attempt) = attempt {
                attempt.answered(&answer);
            }
            Ok(answer)
        }
        Ok(Err(fault)) => {
            tracing::debug!(
                label = fault.label(),
                phase = fault.phase().label(),
                "a bot was not reached"
            );
            if let Some(attempt) = attempt {
                attempt.failed(&fault);
            }
            Err(Refusal::endpoint(&fault))
        }
        Err(_) => {
            if let Some(attempt) = attempt {
                attempt.timed_out();
            }
            Err(Refusal::endpoint_slow())
        }
    }
}

/// The headers of a push that reach the bot, and whom it came from.
pub(crate) fn passing(arrival: &Arrival) -> Vec<Header> {
    let sent = headers::upstream(&arrival.headers).into_iter();
    let sent = sent.map(|(name, value)| (name, value.to_vec()));
    let from = arrival.from.map(|from| from.to_string().into_bytes());
    let from = from.map(|from| (b"X-Forwarded-For".to_vec(), from));
    sent.chain(from).collect()
}
