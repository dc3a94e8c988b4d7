//! The event of a call, and its error.
//!
//! In: records of calls.v1. Out: one event each, and an error for a call that failed, for `decoder.rs`. Invariant: a
//! call by a token that Telegram has never accepted, and a poll, are told by names of their own (`polls.rs`), so
//! that no number of the bot counts them; only calls of verified tokens are errors of the bot.

use gramtap_events::call::{Call, Origin, TokenStanding};
use gramtap_events::event::{Event, Name, Via};
use gramtap_events::failure::Failure;
use serde_json::value::RawValue;

use super::blank::{Head, flag, prop, text};
use super::failure::{self, Fault};
use super::message::Message;
use super::params::Params;
use super::{methods, polls};

/// Makes the event and the error.
pub(super) fn event(mut call: Call) -> (Event, Option<Failure>) {
    let fault = failure::of(&call);
    if call.token == TokenStanding::Unverified {
        return (polls::unverified(call, fault.as_ref()), None);
    }
    let mut event = begun(&call, methods::name(&call.method), fault.as_ref());
    if event.event == Name::Polled {
        polls::polled(&mut event, &call);
    } else {
        asked(&mut event, &call);
        answered(&mut event, call.result.take());
    }
    let failure = fault.map(|fault| fault.record(call, &event));
    (event, failure)
}

/// What every call tells. `props`: `upstream_ms` (Telegram's own time), `status` (HTTP, where it is not 200), `label` (a fixed word
/// for what happened, where Telegram did not answer), `retry_after`, `test` (the test environment).
pub(super) fn begun(call: &Call, name: Name, fault: Option<&Fault>) -> Event {
    let head = Head {
        tenant: call.tenant,
        bot: call.bot,
        at: call.at,
    };
    let id = format!("c:{}", call.record.as_str());
    let mut event = head.event(name, id, Via::Call);
    event.method = Some(call.method.clone());
    // A download has no envelope that would say so.
    let is_file = call.method == "file" && call.origin == Origin::Telegram;
    event.ok = match fault {
        Some(_) => Some(false),
        None => call.ok.or(is_file.then_some(true)),
    };
    if let Some(fault) = fault {
        event.error_code = fault.code;
        event.error_group = Some(fault.group.clone());
        event.error_class = Some(fault.advice.class);
    }
    event.took_ms = Some(milliseconds(call.took.total_us));
    event.own_ms = Some(milliseconds(call.took.own_us));
    prop(
        &mut event,
        "upstream_ms",
        Some(milliseconds(call.took.upstream_us)),
    );
    prop(
        &mut event,
        "status",
        call.http.status.filter(|it| *it != 200),
    );
    prop(&mut event, "label", call.label.as_deref());
    let wait = call.error.as_ref().and_then(|error| error.retry_after);
    prop(&mut event, "retry_after", wait);
    flag(&mut event, "test", call.test);
    event
}

/// Microseconds are exact in a float up to a few hundred years.
#[expect(clippy::cast_precision_loss, reason = "see above")]
pub(super) fn milliseconds(us: u64) -> f64 {
    us as f64 / 1000.0
}

/// What the parameters tell. `props`: `messages`, how many a call is about; `files` that were uploaded, where more than one;
/// `url`, `addr` and `agent` of who set or removed the webhook; `addr` and `agent` of who asked getMe.
fn asked(event: &mut Event, call: &Call) {
    let params = call.params.as_deref().map(Params::read).unwrap_or_default();
    event.chat_id = params.chat_id;
    // The id of a private chat is that of its user.
    let private = params.chat_id.filter(|id| *id > 0);
    event.user_id = params.user_id.or(private);
    event.thread_id = params.thread_id;
    // Of a message that is copied or forwarded it is the original's.
    let names_it = event.event != Name::MessageSent;
    event.message_id = params.message_id.filter(|_| names_it);
    event.reply_to_message_id = params.reply_to;
    text(event, params.text, params.text_length);
    prop(event, "messages", params.messages);
    if event.event == Name::MessageSent || event.event == Name::MessageEditSent {
        event.media = methods::media(&call.method).map(Into::into);
        let bytes = call.files.iter().map(|file| file.bytes);
        let bytes = bytes.fold(0, u64::saturating_add);
        event.media_bytes = i64::try_from(bytes).ok().filter(|bytes| *bytes > 0);
        let files = call.files.len();
        prop(event, "files", (files > 1).then_some(files));
    }
    if matches!(event.event, Name::WebhookSet | Name::WebhookDeleted) {
        // An empty link removes the webhook.
        if params.url.as_deref() == Some("") {
            event.event = Name::WebhookDeleted;
        }
        prop(event, "url", params.url.filter(|url| !url.is_empty()));
        prop(event, "addr", call.client.addr.as_deref());
        prop(event, "agent", call.client.agent.as_deref());
    }
    // Most libraries ask this first: who the bot's client is.
    if call.method == "getMe" {
        prop(event, "addr", call.client.addr.as_deref());
        prop(event, "agent", call.client.agent.as_deref());
    }
    if event.event == Name::FileDownloaded {
        event.media_bytes = i64::try_from(call.http.bytes_out).ok();
    }
}

/// What the result tells, where it is a message, or a list of them: then of the first. `props`: `messages`, how many there are.
fn answered(event: &mut Event, result: Option<Box<RawValue>>) {
    if !matches!(event.event, Name::MessageSent | Name::MessageEditSent) {
        return;
    }
    let json = result.as_deref().map_or("", RawValue::get);
    let message: Option<Message> = match json.as_bytes().first() {
        Some(b'{') => serde_json::from_str(json).ok(),
        Some(b'[') => {
            let list: Vec<Message> = serde_json::from_str(json).unwrap_or_default();
            prop(event, "messages", Some(list.len()));
            list.into_iter().next()
        }
        _ => None,
    };
    let Some(message) = message else { return };
    event.message_id = message.id.or(event.message_id);
    event.thread_id = message.thread.or(event.thread_id);
    event.media = message.media.map(Into::into).or(event.media.take());
    event.media_bytes = event.media_bytes.or(message.media_bytes);
    if let Some(chat) = message.chat {
        event.chat_id = chat.id.or(event.chat_id);
        let is_private = chat.kind.as_deref() == Some("private");
        event.user_id = event.user_id.or(chat.id.filter(|_| is_private));
        event.chat_type = chat.kind;
    }
}
