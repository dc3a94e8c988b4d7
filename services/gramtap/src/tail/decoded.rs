//! What an event, an error, a delivery or a memory of analytics says, in a few words.
//!
//! In: a record of events.v1, errors.v1, deliveries.v1 or seen.v1. Out: the end of a line, to `line.rs`. Invariant: nothing of a chat is
//! written but through [`printable`], and a text is cut short. Pure.

use gramtap_events::delivery::Delivery;
use gramtap_events::event::{Direction, Event};
use gramtap_events::failure::Failure;
use gramtap_events::seen::Seen;

use super::line::printable;

/// Characters of what a user wrote.
const LONGEST: usize = 60;

/// What happened.
pub(super) fn event(event: &Event) -> String {
    let name = serde_json::to_value(event.event).unwrap_or_default();
    let mut words = vec![name.as_str().unwrap_or("-").to_owned()];
    let mut add = |what: &str, value: Option<String>| {
        words.extend(value.map(|value| format!("{what}{}", short(&value))));
    };
    add("", event.method.clone());
    let who = event.username.as_ref().map(|name| format!("@{name}"));
    let who = who.or(event.user_id.map(|user| user.to_string()));
    let (to_bot, to_user) = match event.direction {
        Direction::In => ("from ", "in chat "),
        Direction::Out => ("user ", "to chat "),
    };
    add(to_bot, who);
    // A private chat has its user's number.
    add(
        to_user,
        event
            .chat_id
            .filter(|chat| Some(*chat) != event.user_id)
            .map(|chat| chat.to_string()),
    );
    add("", event.command.clone());
    add("payload ", event.payload.clone());
    add(
        "button ",
        event.button_text.clone().or(event.callback_data.clone()),
    );
    add(
        "",
        event
            .text
            .clone()
            .filter(|_| event.command.is_none())
            .map(|text| format!("\"{text}\"")),
    );
    add("", event.media.as_deref().map(str::to_owned));
    match event.ok {
        Some(false) => add(
            "failed ",
            Some(
                event
                    .error_code
                    .map_or_else(String::new, |code| code.to_string()),
            ),
        ),
        Some(true) => add("", Some("ok".to_owned())),
        None => {}
    }
    words.join("  ").trim_end().to_owned()
}

/// What failed, and where to read what to do.
pub(super) fn failure(failure: &Failure) -> String {
    let code = failure
        .code
        .map_or_else(|| "-".to_owned(), |code| code.to_string());
    let told = failure.description.as_deref().unwrap_or(&failure.template);
    format!(
        "{}  {code} {}  ({}, advice {})",
        printable(&failure.method),
        printable(told),
        failure.class.as_str(),
        printable(&failure.advice)
    )
}

/// What came of an attempt.
pub(super) fn delivery(delivery: &Delivery) -> String {
    let status = delivery.status.map(|status| format!(" {status}"));
    let label = delivery
        .label
        .as_deref()
        .map(|label| format!(" {}", printable(label)));
    format!(
        "{}  no. {}{}  {}{}",
        printable(&delivery.kind),
        delivery.attempt,
        status.unwrap_or_default(),
        delivery.verdict.as_str(),
        label.unwrap_or_default()
    )
}

/// What is remembered.
pub(super) fn seen(seen: &Seen) -> String {
    format!(
        "{} ranges of updates, {} instances counted",
        seen.updates.len(),
        seen.instances.len() + seen.unnumbered.len()
    )
}

fn short(text: &str) -> String {
    let text = printable(text);
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}
