//! The words that errors are told in.
//!
//! In: what records carry: classes, origins, keys. Out: texts of the pages of errors. Invariant: a word of a later version is shown as it is. Pure.

use gramtap_telegram::advice::{Advice, Again};

use crate::query::errors::ErrorGroup;
use crate::serve::number;

/// The classes, the worst first, with the words for them.
pub(in crate::serve) const CLASSES: [(&str, &str); 5] = [
    ("outage", "outage"),
    ("config", "setup"),
    ("bug", "bug"),
    ("capacity", "too much"),
    ("expected", "expected"),
];

/// The word for a class.
pub(in crate::serve) fn word(class: &str) -> &'static str {
    let found = CLASSES.iter().find(|(known, _)| *known == class);
    found.map_or("other", |(_, word)| word)
}

/// What a group is called.
pub(in crate::serve) fn title(group: &ErrorGroup) -> String {
    match (group.group.as_str(), group.advice) {
        ("", _) => "Further kinds of errors, counted together".to_owned(),
        (_, Some(advice)) => advice.title.to_owned(),
        (_, None) => group.template.clone(),
    }
}

/// The class of a class's tag.
pub(in crate::serve) fn tag(class: &str) -> &'static str {
    match class {
        "outage" | "config" => "bad",
        "bug" | "capacity" => "warn",
        _ => "",
    }
}

/// The class that a class is drawn with.
pub(in crate::serve) fn colour(class: &str) -> &'static str {
    match class {
        "outage" => "class-outage",
        "config" => "class-config",
        "bug" => "class-bug",
        "capacity" => "class-capacity",
        _ => "class-expected",
    }
}

/// What a class means.
pub(in crate::serve) fn class(class: &str) -> &'static str {
    match class {
        "expected" => "Part of everyday life; not in the error rate.",
        "bug" => "The bot asks for something that cannot be.",
        "config" => "The bot or its address is set up wrongly.",
        "capacity" => "Too much, too fast or too large.",
        "outage" => "Telegram, the way there, or Gramtap failed.",
        _ => "",
    }
}

/// Who failed: a few words, and what they mean.
pub(in crate::serve) fn origin(origin: &str) -> (&'static str, &'static str) {
    match origin {
        "telegram" => (
            "Telegram said so",
            "The Bot API itself answered with this error.",
        ),
        "edge" => (
            "A server in front of Telegram",
            "A web page or an empty answer came instead of the Bot API's JSON.",
        ),
        "network" => ("The way there", "No whole answer came."),
        "endpoint" => (
            "The bot's webhook",
            "The bot's own server answered so to an update.",
        ),
        "gramtap" => ("Gramtap", "Gramtap gave this answer by itself."),
        "client" => (
            "The bot hung up",
            "The bot closed the connection before the answer was there.",
        ),
        _ => ("Unknown", "This version does not know who it was."),
    }
}

/// Whether the bot should make the call again.
pub(in crate::serve) fn again(advice: &Advice) -> (&'static str, &'static str) {
    match advice.again {
        Again::Never => ("No", "The same call can never succeed."),
        Again::AfterRetryAfter => (
            "After the pause",
            "Exactly as many seconds later as retry_after in the answer says.",
        ),
        Again::Soon => ("Yes, a little later", "Libraries do so by themselves."),
        Again::IfItOnlyReads => (
            "Only if it asks",
            "Calls that only ask (get…) can be made again. A message may have been sent though its answer is lost.",
        ),
    }
}

/// Errors as a part of the calls of their method.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts are far below what floats hold"
)]
pub(in crate::serve) fn rate(n: i64, called: Option<i64>) -> String {
    match called {
        Some(called) if called >= n && n > 0 => number::percent(n as f64 / called as f64),
        _ => number::NOTHING.to_owned(),
    }
}
