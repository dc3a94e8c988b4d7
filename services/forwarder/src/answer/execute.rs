//! Calls the method that an answer asked for.
//!
//! In: a method with its parameters, the bot. Out: a record of calls.v1. Invariant: called once, never again; parameters go as they came, byte for byte; the token is in the
//! request's path and nowhere else. The answer of the Bot API is read up to a bound and told, nobody else gets it.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use gramtap_events::Moment;
use gramtap_events::call::CallRecord;
use gramtap_events::tenant::Privacy;
use gramtap_outbound::{Answer, Fault, Outgoing, RequestHead};
use gramtap_privacy::Mask;
use gramtap_telegram::Token;
use gramtap_telemetry::Counter;
use gramtap_tenants::Tenant;
use tokio::time::timeout;

use super::record::{End, Facts, call};
use super::reply::{Asked, Reply};
use crate::worker::Worker;

/// How long Telegram may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// What is read of its answer.
const LARGEST: usize = 1024 * 1024;

/// Does what an answer asks for, if it may be done. None: it asks for nothing.
pub(crate) async fn execute(worker: &Worker, tenant: &Tenant, reply: Reply) -> Option<CallRecord> {
    let (method, asked, refused) = match reply {
        Reply::Nothing => return None,
        Reply::Execute(asked) => (asked.method.as_str().to_owned(), Some(asked), None),
        Reply::Refuse(method, label) => (method.unwrap_or_default(), None, Some(label)),
    };
    let at = Moment::now();
    let began = Instant::now();
    let answered = match (&asked, refused) {
        (Some(asked), _) => ask(worker, tenant, asked).await,
        (None, label) => Err(Failed::Own(label.unwrap_or("reply_unreadable"))),
    };
    let key = match tenant.privacy {
        Privacy::Pseudonymous => worker.shared.keys.pseudonym_key(tenant.id),
        _ => [0; 32],
    };
    let facts = Facts {
        tenant,
        mask: &Mask::new(tenant.privacy, key),
        method: &method,
        asked: asked.as_ref(),
        at,
        took_us: u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
    };
    let (result, end) = match &answered {
        Ok((status @ 200..=299, body)) => ("executed", End::Answered(*status, body)),
        Ok((status, body)) => ("failed", End::Answered(*status, body)),
        Err(Failed::Way(fault)) => (fault.label(), End::Failed(fault)),
        Err(Failed::Own(label)) => (*label, End::Own(label)),
    };
    Counter::Replies { result }.inc();
    Some(call(&worker.shared.mint, &facts, &end))
}

/// Why there is no answer.
enum Failed {
    Way(Fault),
    Own(&'static str),
}

async fn ask(worker: &Worker, tenant: &Tenant, asked: &Asked) -> Result<(u16, Vec<u8>), Failed> {
    let token = match worker.token(tenant).await {
        Ok(Some(token)) => token,
        Ok(None) => return Err(Failed::Own("reply_no_token")),
        Err(error) => {
            tracing::warn!(%error, tenant = %tenant.id, "a bot's token cannot be had, its answer is not executed");
            return Err(Failed::Own("registry"));
        }
    };
    match timeout(PATIENCE, send(worker, &token, asked)).await {
        Ok(answered) => answered.map_err(Failed::Way),
        Err(_) => Err(Failed::Own("reply_timeout")),
    }
}

async fn send(worker: &Worker, token: &Token, asked: &Asked) -> Result<(u16, Vec<u8>), Fault> {
    let target = format!("/bot{}/{}", token.expose(), asked.method.as_str());
    let mut headers: Vec<(&[u8], &[u8])> = vec![
        (b"Content-Type", &asked.kind),
        (b"Content-Length", b""),
        (b"Connection", b"keep-alive"),
    ];
    if let Some(encoding) = &asked.encoding {
        headers.push((b"Content-Encoding", encoding));
    }
    let head = RequestHead {
        method: b"POST",
        target: target.as_bytes(),
        headers,
    };
    let body = Outgoing::Whole(asked.body.clone());
    let limits = worker.pool.limits();
    let sending = worker
        .pool
        .send(&worker.shared.telegram, head, body, limits);
    let Answer { head, mut body, .. } = sending.await?;
    let mut read = Vec::new();
    while let Some(part) = body.next().await {
        let part = part?;
        let room = LARGEST - read.len();
        read.extend_from_slice(&part[..part.len().min(room)]);
        if read.len() == LARGEST {
            break;
        }
    }
    Ok((head.status(), read))
}
