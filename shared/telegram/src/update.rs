//! The kinds of update.
//!
//! In: the name of the field that stands beside `update_id` in an update (Bot API 10.x).
//! Out: [`UpdateKind`], written `other:<name>` in records when this version does not know it.
//! Invariant: no kind is refused; the name is bounded.

use std::borrow::Cow;
use std::fmt;

use serde::{Serialize, Serializer};

/// A kind of update by its documented name, or a kind that came later.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum UpdateKind {
    /// One of [`KNOWN`].
    Known(&'static str),
    /// Any other name, cut to 64 bytes.
    Other(String),
}

/// Every kind of Bot API 10.x, in the order of the documentation.
pub const KNOWN: &[&str] = &[
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "business_connection",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
    "guest_message",
    "message_reaction",
    "message_reaction_count",
    "inline_query",
    "chosen_inline_result",
    "callback_query",
    "shipping_query",
    "pre_checkout_query",
    "purchased_paid_media",
    "poll",
    "poll_answer",
    "my_chat_member",
    "chat_member",
    "chat_join_request",
    "chat_boost",
    "removed_chat_boost",
    "managed_bot",
    "subscription",
    "stopped_message_generation",
];

impl UpdateKind {
    /// Names a kind.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match KNOWN.iter().find(|known| **known == name) {
            Some(known) => Self::Known(known),
            None => Self::Other(
                name.chars()
                    .take(64)
                    .filter(|sign| !sign.is_control())
                    .collect(),
            ),
        }
    }

    /// As records write it.
    #[must_use]
    pub fn name(&self) -> Cow<'static, str> {
        match self {
            Self::Known(name) => Cow::Borrowed(name),
            Self::Other(name) => Cow::Owned(format!("other:{name}")),
        }
    }
}

impl fmt::Display for UpdateKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

impl Serialize for UpdateKind {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_and_later_kinds() {
        assert_eq!(
            UpdateKind::named("callback_query").to_string(),
            "callback_query"
        );
        assert_eq!(UpdateKind::named("hologram").to_string(), "other:hologram");
        assert_eq!(UpdateKind::named("a\nb").to_string(), "other:ab");
    }
}
