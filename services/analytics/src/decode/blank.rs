//! The event that all others begin with.
//!
//! In: what every record has. Out: an event with all other columns empty, and the few ways in which
//! many kinds fill the same columns. Invariant: a column is filled only with what the record says.

use gramtap_events::event::{Event, Name, Via};
use gramtap_events::{Moment, TenantId};
use gramtap_telegram::BotId;
use serde_json::Value;
use time::OffsetDateTime;

use super::shapes::{Chat, User};

/// What every record has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) tenant: TenantId,
    pub(super) bot: Option<BotId>,
    pub(super) at: Moment,
}

impl Head {
    /// An event of which nothing else is known.
    pub(super) fn event(self, name: Name, event_id: String, via: Via) -> Event {
        Event {
            bot: self.bot,
            ..Event::bare(name, event_id, self.tenant, self.at, via)
        }
    }
}

/// Fills the columns about who did it. Telegram says `is_premium` only where it is so.
pub(super) fn by(event: &mut Event, user: Option<User>) {
    let Some(user) = user else { return };
    event.user_id = user.id;
    event.is_premium = user.is_bot.map(|_| user.is_premium.unwrap_or(false));
    event.user_is_bot = user.is_bot;
    event.username = user.username;
    event.language = user.language_code;
}

/// Fills the columns about the chat.
pub(super) fn within(event: &mut Event, chat: Option<Chat>) {
    let Some(chat) = chat else { return };
    event.chat_id = chat.id;
    event.chat_type = chat.kind;
}

/// Sets Telegram's own date, seconds since 1970. Zero stands for none (of messages that are out of reach).
pub(super) fn happened(event: &mut Event, date: Option<i64>) {
    let time = date
        .filter(|date| *date > 0)
        .and_then(|date| OffsetDateTime::from_unix_timestamp(date).ok());
    if let Some(time) = time {
        event.happened_at = Moment::from(time);
    }
}

/// A text or its length, whichever the privacy mode has kept.
pub(super) fn text(event: &mut Event, text: Option<String>, length: Option<i64>) {
    let counted = || i64::try_from(text.as_deref()?.encode_utf16().count()).ok();
    event.text_length = length.or_else(counted);
    event.text = text;
}

/// Adds a property, if it is known.
pub(super) fn prop(event: &mut Event, name: &'static str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        event.props.insert(name.to_owned(), value.into());
    }
}

/// Adds a property that is only worth telling where it holds.
pub(super) fn flag(event: &mut Event, name: &'static str, holds: bool) {
    prop(event, name, holds.then_some(true));
}
