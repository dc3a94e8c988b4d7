//! The record of a method that an answer asked for.
//!
//! In: what was asked, what Telegram said. Out: a record of calls.v1, like that of any call of the bot. Invariant: parameters, result and
//! Telegram's text are what the bot's privacy mode lets through. Pure.

use std::borrow::Cow;

use gramtap_events::call::{
    Call, CallRecord, Client, Error, Http, Origin, Shape, TokenStanding, Took,
};
use gramtap_events::{Mint, Moment, Record};
use gramtap_outbound::Fault;
use gramtap_privacy::Mask;
use gramtap_privacy::tree::Node;
use gramtap_telegram::Answer;
use gramtap_tenants::Tenant;
use serde_json::value::RawValue;

use super::reply::Asked;

/// Who calls, in records.
const AGENT: &str = "webhook answer";

/// What came of it.
pub(crate) enum End<'a> {
    /// Telegram answered.
    Answered(u16, &'a [u8]),
    /// It did not.
    Failed(&'a Fault),
    /// It was never called; a fixed word.
    Own(&'static str),
}

/// What is known besides.
pub(crate) struct Facts<'a> {
    pub(crate) tenant: &'a Tenant,
    /// What is kept of its bodies.
    pub(crate) mask: &'a Mask,
    /// The method.
    pub(crate) method: &'a str,
    pub(crate) asked: Option<&'a Asked>,
    /// When it was asked for.
    pub(crate) at: Moment,
    /// How long Telegram took, in microseconds.
    pub(crate) took_us: u64,
}

/// The record.
pub(crate) fn call(mint: &Mint, facts: &Facts<'_>, end: &End<'_>) -> CallRecord {
    let tenant = facts.tenant;
    let mask = facts.mask;
    let result = |answer: &Answer<'_>| {
        let method = &facts.asked?.method;
        let result = Node::parse_text(answer.result?.get())?;
        mask.result(method, result)
    };
    let (status, bytes_out) = match end {
        End::Answered(status, body) => (Some(*status), body.len() as u64),
        _ => (None, 0),
    };
    let answer = match end {
        End::Answered(_, body) => Answer::parse(body),
        _ => None,
    };
    let (origin, label) = match (end, &answer) {
        (End::Answered(..), Some(_)) => (Origin::Telegram, None),
        (End::Answered(..), None) => (Origin::Edge, None),
        (End::Failed(fault), _) => (Origin::Network, Some(fault.label())),
        (End::Own(label), _) => (Origin::Gramtap, Some(*label)),
    };
    let failed = answer.as_ref().filter(|answer| !answer.ok);
    let unsaid = matches!(end, End::Own(_)).then(|| Error {
        code: 0,
        description: None,
        retry_after: None,
        migrate_to_chat_id: None,
    });
    CallRecord::Call(Call {
        v: CallRecord::VERSION,
        record: mint.mint(),
        tenant: tenant.id,
        bot: tenant.bot,
        at: facts.at,
        client: Client {
            addr: None,
            agent: Some(AGENT.to_owned()),
        },
        method: facts.method.to_owned(),
        test: false,
        http: Http {
            verb: "POST".to_owned(),
            shape: facts.asked.map_or(Shape::None, |asked| asked.shape),
            bytes_in: facts.asked.map_or(0, |asked| asked.body.len() as u64),
            bytes_out,
            status,
        },
        token: TokenStanding::Verified,
        params: facts.asked.and_then(|asked| params(mask, asked)),
        params_cut: facts
            .asked
            .is_some_and(|asked| asked.shape != Shape::Json || asked.encoding.is_some()),
        files: Vec::new(),
        ok: answer.as_ref().map(|answer| answer.ok),
        result: answer.as_ref().and_then(result),
        result_cut: false,
        error: failed.map(|answer| error(answer, status, mask)).or(unsaid),
        origin,
        label: label.map(Cow::Borrowed),
        took: Took {
            total_us: facts.took_us,
            upstream_us: facts.took_us,
            own_us: 0,
        },
        code: None,
    })
}

/// The parameters that the mode lets through: of JSON all, of a form and of what is packed the chat.
fn params(mask: &Mask, asked: &Asked) -> Option<Box<RawValue>> {
    let chat;
    let json: &[u8] = match (asked.shape, &asked.encoding) {
        (Shape::Json, None) => &asked.body,
        _ => {
            chat = serde_json::json!({"chat_id": asked.chat_id}).to_string();
            chat.as_bytes()
        }
    };
    match Node::parse(json)? {
        Node::Object(mut members) => {
            members.retain(|(name, _)| name != "method");
            mask.params(&asked.method, members)
        }
        _ => None,
    }
}

fn error(answer: &Answer<'_>, status: Option<u16>, mask: &Mask) -> Error {
    let parameters = answer.parameters.unwrap_or_default();
    let description = answer.description.as_deref();
    Error {
        code: answer
            .error_code
            .or(status.map(i64::from))
            .unwrap_or_default(),
        description: description.and_then(|text| mask.description(text)),
        retry_after: parameters.retry_after,
        migrate_to_chat_id: parameters.migrate_to_chat_id.and_then(|id| mask.id(id)),
    }
}
