//! Responses: Telegram's passed on, the bots' passed back, and our own.
//!
//! In: an answer, a refusal. Out: actix's response. Invariant: status, reason, headers that are
//! not the connection's, framing and bytes are Telegram's; what is ours carries `Gramtap-Error`.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use bytes::Bytes;
use gramtap_outbound::{Answer, AnswerHead, Framing};

use super::account::Account;
use super::refusal::{HEADER, Refusal};
use super::{headers, reason};
use crate::accept::body::{Body, Passing, Relayed};
use crate::observe::Ending;

/// What a poll is answered when this process ends: no updates, ask again elsewhere.
const NO_UPDATES: &[u8] = br#"{"ok":true,"result":[]}"#;

/// Passes an answer on.
pub(crate) fn pass_on(
    answer: Answer,
    to_head: bool,
    mut account: Box<Account>,
) -> HttpResponse<Body> {
    let Answer { head, body, .. } = answer;
    let closes = account.worker().is_ending();
    let Ok(status) = StatusCode::from_u16(head.status()) else {
        account.close(Ending::Own { label: "status" });
        return refuse(&Refusal::internal(), closes);
    };
    account.answered(head.status(), head.header("content-encoding"));
    let body = match body.into_whole() {
        Ok(bytes) => {
            account.answer(&bytes);
            account.close(Ending::Answered);
            whole(bytes, &head, to_head)
        }
        Err(body) => Body::Stream(Box::new(Relayed::new(body, head.framing(), account))),
    };
    with_head(status, &head, body, closes)
}

/// Passes on an answer that has been read whole, or what was made of it.
pub(crate) fn pass_whole(
    head: &AnswerHead,
    bytes: Bytes,
    mut account: Box<Account>,
) -> HttpResponse<Body> {
    let closes = account.worker().is_ending();
    let Ok(status) = StatusCode::from_u16(head.status()) else {
        account.close(Ending::Own { label: "status" });
        return refuse(&Refusal::internal(), closes);
    };
    account.answered(head.status(), head.header("content-encoding"));
    account.answer(&bytes);
    account.close(Ending::Answered);
    with_head(status, head, whole(bytes, head, false), closes)
}

/// A response with the head of an answer.
fn with_head(
    status: StatusCode,
    head: &AnswerHead,
    body: Body,
    closes: bool,
) -> HttpResponse<Body> {
    let mut response = HttpResponse::with_body(status, body);
    let out = response.head_mut();
    out.reason = reason::phrase(status, head.reason());
    out.set_camel_case_headers(true);
    if closes {
        out.set_connection_type(actix_http::ConnectionType::Close);
    }
    let connection = head
        .headers()
        .filter(|(name, _)| name.eq_ignore_ascii_case(b"connection"));
    let connection = connection.map(|(_, value)| value);
    headers::downstream(connection, head.shared_headers(), &mut out.headers);
    response
}

/// Passes a bot's answer back to Telegram.
pub(crate) fn pass_back(answer: Answer, closes: bool) -> HttpResponse<Body> {
    let Answer { head, body, .. } = answer;
    let Ok(status) = StatusCode::from_u16(head.status()) else {
        return refuse(&Refusal::internal(), closes);
    };
    let body = match body.into_whole() {
        Ok(bytes) => whole(bytes, &head, false),
        Err(body) => Body::Passing(Box::new(Passing::new(body, head.framing()))),
    };
    with_head(status, &head, body, closes)
}

/// A body that has come whole, under the framing that it came with.
fn whole(bytes: Bytes, head: &AnswerHead, to_head: bool) -> Body {
    match head.framing() {
        Framing::Length(_) => Body::Whole(bytes),
        Framing::Chunked | Framing::UntilClose => Body::Chunk(Some(bytes)),
        Framing::None if to_head => {
            let length = head
                .header("content-length")
                .and_then(|text| str::from_utf8(text).ok()?.trim().parse().ok());
            length.map_or(Body::Empty, Body::Head)
        }
        Framing::None => Body::Empty,
    }
}

/// The answer to an update that is in the inbox.
pub(crate) fn taken_in(closes: bool) -> HttpResponse<Body> {
    let mut response = HttpResponse::with_body(StatusCode::OK, Body::Whole(Bytes::new()));
    let head = response.head_mut();
    head.set_camel_case_headers(true);
    if closes {
        head.set_connection_type(actix_http::ConnectionType::Close);
    }
    response
}

/// The answer to a poll that was parked here when the process was told to end.
pub(crate) fn empty_poll(mut account: Box<Account>) -> HttpResponse<Body> {
    account.answered(200, None);
    account.answer(NO_UPDATES);
    account.close(Ending::Own { label: "drained" });
    own(StatusCode::OK, Bytes::from_static(NO_UPDATES), true)
}

/// An answer of our own. `closes`: the connection ends with it, because the process does.
pub(crate) fn refuse(refusal: &Refusal, closes: bool) -> HttpResponse<Body> {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut response = own(status, refusal.body().into(), closes);
    let headers = response.headers_mut();
    headers.insert(
        HeaderName::from_static(HEADER),
        HeaderValue::from_static(refusal.label),
    );
    if let Some(seconds) = refusal.retry_after {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

fn own(status: StatusCode, body: Bytes, closes: bool) -> HttpResponse<Body> {
    let mut response = HttpResponse::with_body(status, Body::Whole(body));
    let head = response.head_mut();
    head.set_camel_case_headers(true);
    if closes {
        head.set_connection_type(actix_http::ConnectionType::Close);
    }
    head.headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}
