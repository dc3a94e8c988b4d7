//! Which of Telegram's queues an update waits in, and for how long.
//!
//! In: an update as it was sent (ingress, the simulated Telegram), or a queue's name in a record. Out: [`Head`]: number, kind,
//! [`Queue`]; [`lifetime`]. The rules are those of tdlib/telegram-bot-api (`Client.cpp`, where each update is added).
//! Invariant: two updates that Telegram delivers one after the other have the same queue here. What this version does not know
//! waits in the bot's one queue [`Class::Other`], what it cannot read in its class' queue without a number: less
//! in parallel than with Telegram, never out of order. Borrows, copies nothing but the name of an unknown kind; panics on no input.

mod head;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::Deserializer;
use serde::{Deserialize, Serialize, Serializer};

pub use head::Head;

/// One queue of a bot: its updates are delivered one after another, those of different queues beside each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Queue {
    /// What kind of queue.
    pub class: Class,
    /// The chat's, user's or poll's number; 0 where there is none.
    pub id: i64,
}

macro_rules! classes {
    ($($class:ident = $name:literal: $about:literal,)+) => {
        /// Kinds of queues. A user's inline queries wait for each other, but not for the user's callbacks.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Class { $(#[doc = $about] $class,)+ }

        impl Class {
            /// Every class.
            pub const ALL: &[Self] = &[$(Self::$class),+];

            /// As records write it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$class => $name,)+ }
            }
        }
    };
}

classes! {
    Chat = "chat": "Messages and posts of a chat, edited ones too.",
    Poll = "poll": "A poll's state and its answers.",
    Inline = "inline": "Inline queries of a user.",
    Chosen = "chosen": "Inline results that a user chose.",
    Callback = "callback": "Buttons that a user pressed.",
    Checkout = "checkout": "Shipping and checkout queries of a user.",
    Own = "own": "The bot's own membership in a chat.",
    Member = "member": "A user's memberships and requests to join.",
    Boost = "boost": "Boosts of a chat.",
    Reaction = "reaction": "Reactions in a chat.",
    Reactions = "reactions": "Counts of anonymous reactions in a chat.",
    Connection = "connection": "Business connections of a user.",
    Business = "business": "Business messages of a chat, edited and deleted ones too.",
    Purchase = "purchase": "Paid media that a user bought.",
    Guest = "guest": "Messages of a chat to a bot that is no member.",
    Managed = "managed": "Bots that a user manages through the bot.",
    Subscription = "subscription": "Subscriptions of a user.",
    Generation = "generation": "Messages of a chat that were stopped while they were being made.",
    Other = "other": "All kinds that this version does not know.",
}

/// Where an update says whose it is.
#[derive(Clone, Copy)]
enum By {
    /// `chat.id`
    Chat,
    /// `from.id`
    From,
    /// `user.id`
    User,
    /// `old_chat_member.user.id`
    Member,
    /// `id`, a number in a text
    Poll,
    /// `poll_id`, a number in a text
    Answer,
}

const DAY: u64 = 24 * 60 * 60;

/// Kind, queue, where its number stands, seconds until the update expires.
const RULES: &[(&str, Class, By, u64)] = &[
    ("message", Class::Chat, By::Chat, DAY),
    ("edited_message", Class::Chat, By::Chat, DAY),
    ("channel_post", Class::Chat, By::Chat, DAY),
    ("edited_channel_post", Class::Chat, By::Chat, DAY),
    ("business_connection", Class::Connection, By::User, DAY),
    ("business_message", Class::Business, By::Chat, DAY),
    ("edited_business_message", Class::Business, By::Chat, DAY),
    ("deleted_business_messages", Class::Business, By::Chat, DAY),
    ("guest_message", Class::Guest, By::Chat, DAY),
    ("message_reaction", Class::Reaction, By::Chat, DAY),
    ("message_reaction_count", Class::Reactions, By::Chat, DAY),
    ("inline_query", Class::Inline, By::From, 30),
    ("chosen_inline_result", Class::Chosen, By::From, 600),
    ("callback_query", Class::Callback, By::From, 150),
    ("shipping_query", Class::Checkout, By::From, 150),
    ("pre_checkout_query", Class::Checkout, By::From, 150),
    ("purchased_paid_media", Class::Purchase, By::From, DAY),
    ("poll", Class::Poll, By::Poll, DAY),
    ("poll_answer", Class::Poll, By::Answer, DAY),
    ("my_chat_member", Class::Own, By::Chat, DAY),
    ("chat_member", Class::Member, By::Member, DAY),
    ("chat_join_request", Class::Member, By::From, DAY),
    ("chat_boost", Class::Boost, By::Chat, DAY),
    ("removed_chat_boost", Class::Boost, By::Chat, DAY),
    ("managed_bot", Class::Managed, By::User, DAY),
    ("subscription", Class::Subscription, By::User, DAY),
    (
        "stopped_message_generation",
        Class::Generation,
        By::Chat,
        150,
    ),
];

/// How long Telegram keeps trying to deliver an update of this kind, from when it came into being. Records write the kind as
/// [`crate::UpdateKind::name`]; a kind that this version does not know is kept for a day.
#[must_use]
pub fn lifetime(kind: &str) -> Duration {
    let seconds = rule(kind).map_or(DAY, |(_, _, _, seconds)| *seconds);
    Duration::from_secs(seconds)
}

fn rule(kind: &str) -> Option<&'static (&'static str, Class, By, u64)> {
    RULES.iter().find(|(name, ..)| *name == kind)
}

impl Queue {
    /// The queue of all that this version does not know.
    pub const OTHER: Self = Self {
        class: Class::Other,
        id: 0,
    };
}

impl fmt::Display for Queue {
    /// `chat:-100123`; `chat` where there is no number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let class = self.class.as_str();
        match self.id {
            0 => f.write_str(class),
            id => write!(f, "{class}:{id}"),
        }
    }
}

/// The text names no queue of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a queue is a class and a number, such as chat:42")]
pub struct QueueError;

impl FromStr for Queue {
    type Err = QueueError;

    fn from_str(text: &str) -> Result<Self, QueueError> {
        let (name, id) = text.split_once(':').unwrap_or((text, "0"));
        let class = Class::ALL.iter().find(|class| class.as_str() == name);
        Ok(Self {
            class: *class.ok_or(QueueError)?,
            id: id.parse().map_err(|_| QueueError)?,
        })
    }
}

impl Serialize for Queue {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Queue {
    /// A queue of a later version is read as [`Queue::OTHER`]: coarser, so order is kept.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        Ok(text.parse().unwrap_or(Self::OTHER))
    }
}

impl schemars::JsonSchema for Queue {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Queue".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[a-z]+(:-?[0-9]+)?$",
            "description": "Class and number of the chat, user or poll",
        })
    }
}

#[cfg(test)]
mod tests;
