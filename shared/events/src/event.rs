//! `gramtap.events.v1`: the analysts' topic, one flat fact a record.
//!
//! In: analytics, `decode/` (updates, calls, gaps). Out: analysts' readers, and `fold/`. Invariant:
//! exactly one event for each update, each final delivery and each record of a call, so that counting rows counts facts
//! (of what is no traffic of its own, five names tell: `polled`, `call_unverified`, `gap`, `delivered`, `delivery_failed`); the columns
//! are the same for every kind, and what a kind does not have is `null`; what is special to a
//! kind is in `props`. Nothing that the bot's privacy mode forbids is ever put in.

use std::borrow::Cow;

use gramtap_telegram::BotId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::failure::Class;
use crate::{Moment, Record, TenantId, Topic, topics};

/// One fact.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Version of this shape.
    pub v: u16,
    /// Which event this is: `u:{tenant}:{update_id}` (`u:{record}` where the update's number or bot is not known),
    /// `c:{record}`, `d:{record}`, or `g:{record}` (`g:{topic}/{partition}/{offset}` for what analytics itself
    /// could not read). The same whenever the same thing is decoded again.
    pub event_id: String,
    /// What happened.
    pub event: Name,
    /// The bot, as this installation knows it.
    pub tenant: TenantId,
    /// Telegram's id of the bot.
    #[schemars(with = "Option<i64>")]
    pub bot: Option<BotId>,
    /// When Gramtap received it.
    pub at: Moment,
    /// Telegram's own date where there is one (to the second), else `at`.
    pub happened_at: Moment,
    /// Whether Telegram told the bot, or the bot asked Telegram.
    pub direction: Direction,
    /// How it came to be seen.
    pub via: Via,
    /// Telegram's number of the update.
    pub update_id: Option<i64>,
    /// The kind of the update, as in `updates.v1`.
    pub update_type: Option<Cow<'static, str>>,
    /// The method of the call.
    pub method: Option<String>,
    /// The chat.
    pub chat_id: Option<i64>,
    /// `private`, `group`, `supergroup` or `channel`.
    pub chat_type: Option<String>,
    /// The forum topic or thread.
    pub thread_id: Option<i64>,
    /// Who did it (updates); to whom it was sent (calls into a private chat).
    pub user_id: Option<i64>,
    /// Whether that user is a bot.
    pub user_is_bot: Option<bool>,
    /// That user's name, in privacy mode `full`.
    pub username: Option<String>,
    /// That user's IETF language tag.
    pub language: Option<String>,
    /// Whether that user has Telegram Premium.
    pub is_premium: Option<bool>,
    /// The message.
    pub message_id: Option<i64>,
    /// The message that it replies to.
    pub reply_to_message_id: Option<i64>,
    /// A command that the message begins with, such as `/start`, without the bot's name.
    pub command: Option<String>,
    /// What follows `/start`.
    pub payload: Option<String>,
    /// Text, caption or query, in privacy mode `full`.
    pub text: Option<String>,
    /// Its length in UTF-16 units, as Telegram counts.
    pub text_length: Option<i64>,
    /// The kind of media: `photo`, `document`, `sticker` …
    pub media: Option<Cow<'static, str>>,
    /// The size of the file, in bytes.
    pub media_bytes: Option<i64>,
    /// The data of the button that was pressed.
    pub callback_data: Option<String>,
    /// The text of the button that was pressed, where its message came with it.
    pub button_text: Option<String>,
    /// Telegram's `ok`.
    pub ok: Option<bool>,
    /// Telegram's `error_code`, or the HTTP status.
    pub error_code: Option<i64>,
    /// The group of the error, as in `errors.v1`.
    pub error_group: Option<String>,
    /// The class of the error.
    pub error_class: Option<Class>,
    /// How long the call took, in milliseconds.
    pub took_ms: Option<f64>,
    /// How much of it was Gramtap's own time, in milliseconds.
    pub own_ms: Option<f64>,
    /// An amount in the smallest unit of the currency.
    pub amount: Option<i64>,
    /// ISO 4217, or `XTR` for Telegram Stars.
    pub currency: Option<String>,
    /// What is special to the kind.
    pub props: Map<String, Value>,
}

impl Event {
    /// An event of which nothing else is known: it happened when it was received, the bot asked if it is a call, and all
    /// other columns are empty.
    #[must_use]
    pub fn bare(name: Name, event_id: String, tenant: TenantId, at: Moment, via: Via) -> Self {
        Self {
            v: Self::VERSION,
            event_id,
            event: name,
            tenant,
            bot: None,
            at,
            happened_at: at,
            direction: match via {
                Via::Call => Direction::Out,
                _ => Direction::In,
            },
            via,
            update_id: None,
            update_type: None,
            method: None,
            chat_id: None,
            chat_type: None,
            thread_id: None,
            user_id: None,
            user_is_bot: None,
            username: None,
            language: None,
            is_premium: None,
            message_id: None,
            reply_to_message_id: None,
            command: None,
            payload: None,
            text: None,
            text_length: None,
            media: None,
            media_bytes: None,
            callback_data: None,
            button_text: None,
            ok: None,
            error_code: None,
            error_group: None,
            error_class: None,
            took_ms: None,
            own_ms: None,
            amount: None,
            currency: None,
            props: Map::new(),
        }
    }
}

/// What happened.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Name {
    /// A message to the bot or in a chat that it reads.
    MessageReceived,
    /// Such a message was edited.
    MessageEdited,
    /// A post in a channel.
    ChannelPostReceived,
    /// Such a post was edited.
    ChannelPostEdited,
    /// A message in a chat of a connected business account.
    BusinessMessageReceived,
    /// Such a message was edited.
    BusinessMessageEdited,
    /// Such messages were deleted; `props.messages` says how many.
    BusinessMessagesDeleted,
    /// A business account was connected, changed or disconnected.
    BusinessConnectionChanged,
    /// A message of a guest, in a chat that the bot is no member of.
    GuestMessageReceived,
    /// An inline button was pressed.
    CallbackPressed,
    /// Somebody typed `@bot query`.
    InlineQueried,
    /// An inline result was sent.
    InlineChosen,
    /// A poll's numbers changed, or it was stopped.
    PollChanged,
    /// A user answered a poll.
    PollAnswered,
    /// A user changed a reaction.
    ReactionChanged,
    /// The number of anonymous reactions changed.
    ReactionsCounted,
    /// A user asks to join a chat.
    JoinRequested,
    /// A chat was boosted.
    BoostChanged,
    /// A boost ended.
    BoostRemoved,
    /// The bot was unblocked, or started after a block, in a private chat. A first message is no such event.
    BotStarted,
    /// A user blocked the bot.
    BotBlocked,
    /// A user unblocked the bot.
    BotUnblocked,
    /// The bot was added to a group or channel.
    BotAdded,
    /// The bot left, or was removed from, a group or channel.
    BotRemoved,
    /// The bot's rights in a chat changed.
    BotPromoted,
    /// Another member's standing in a chat changed.
    MemberChanged,
    /// The last check before a payment.
    CheckoutAsked,
    /// A shipping address was chosen.
    ShippingAsked,
    /// A payment was received.
    PaymentReceived,
    /// A payment was refunded.
    PaymentRefunded,
    /// Paid media was bought.
    MediaPurchased,
    /// An update of a kind that this version does not know, or that was too large to read.
    UpdateOther,
    /// The bot sent a message.
    MessageSent,
    /// The bot edited a message.
    MessageEditSent,
    /// The bot deleted messages.
    MessageDeleted,
    /// The bot answered a pressed button.
    CallbackAnswered,
    /// The bot answered an inline query.
    InlineAnswered,
    /// The bot asked for a file's path.
    FileAsked,
    /// The bot downloaded a file.
    FileDownloaded,
    /// The bot set its webhook.
    WebhookSet,
    /// The bot removed its webhook.
    WebhookDeleted,
    /// Any other call.
    CallMade,
    /// Calls of getUpdates by one client, which count as polls and not as calls: one that brought updates or failed,
    /// or a fold of empty ones; `props.count` says how many they are.
    Polled,
    /// A call with a token that Telegram has never accepted. Anybody can make one: it counts apart and
    /// changes no number of the bot.
    CallUnverified,
    /// The bot's webhook has an update that Gramtap had kept for it.
    Delivered,
    /// Gramtap gave up delivering such an update: it expired, was refused, or cannot be delivered.
    DeliveryFailed,
    /// Records were lost; `props.count` says how many.
    Gap,
}

impl Name {
    /// As in the column `event`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MessageReceived => "message_received",
            Self::MessageEdited => "message_edited",
            Self::ChannelPostReceived => "channel_post_received",
            Self::ChannelPostEdited => "channel_post_edited",
            Self::BusinessMessageReceived => "business_message_received",
            Self::BusinessMessageEdited => "business_message_edited",
            Self::BusinessMessagesDeleted => "business_messages_deleted",
            Self::BusinessConnectionChanged => "business_connection_changed",
            Self::GuestMessageReceived => "guest_message_received",
            Self::CallbackPressed => "callback_pressed",
            Self::InlineQueried => "inline_queried",
            Self::InlineChosen => "inline_chosen",
            Self::PollChanged => "poll_changed",
            Self::PollAnswered => "poll_answered",
            Self::ReactionChanged => "reaction_changed",
            Self::ReactionsCounted => "reactions_counted",
            Self::JoinRequested => "join_requested",
            Self::BoostChanged => "boost_changed",
            Self::BoostRemoved => "boost_removed",
            Self::BotStarted => "bot_started",
            Self::BotBlocked => "bot_blocked",
            Self::BotUnblocked => "bot_unblocked",
            Self::BotAdded => "bot_added",
            Self::BotRemoved => "bot_removed",
            Self::BotPromoted => "bot_promoted",
            Self::MemberChanged => "member_changed",
            Self::CheckoutAsked => "checkout_asked",
            Self::ShippingAsked => "shipping_asked",
            Self::PaymentReceived => "payment_received",
            Self::PaymentRefunded => "payment_refunded",
            Self::MediaPurchased => "media_purchased",
            Self::UpdateOther => "update_other",
            Self::MessageSent => "message_sent",
            Self::MessageEditSent => "message_edit_sent",
            Self::MessageDeleted => "message_deleted",
            Self::CallbackAnswered => "callback_answered",
            Self::InlineAnswered => "inline_answered",
            Self::FileAsked => "file_asked",
            Self::FileDownloaded => "file_downloaded",
            Self::WebhookSet => "webhook_set",
            Self::WebhookDeleted => "webhook_deleted",
            Self::CallMade => "call_made",
            Self::Polled => "polled",
            Self::CallUnverified => "call_unverified",
            Self::Delivered => "delivered",
            Self::DeliveryFailed => "delivery_failed",
            Self::Gap => "gap",
        }
    }
}

/// Who told whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Telegram told the bot.
    In,
    /// The bot asked Telegram.
    Out,
}

/// How an event came to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    /// In an answer to getUpdates.
    Poll,
    /// By a webhook.
    Webhook,
    /// In a call of the bot.
    Call,
    /// Pushed by the bot's owner.
    Push,
}

impl Record for Event {
    const TOPIC: &'static Topic = &topics::EVENTS;
    const VERSION: u16 = 1;

    fn kind(&self) -> &'static str {
        self.event.as_str()
    }

    fn tenant(&self) -> TenantId {
        self.tenant
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_written_as_the_column_says() {
        for name in [Name::MessageReceived, Name::CallUnverified, Name::Gap] {
            let written = serde_json::to_value(name).unwrap_or_default();
            assert_eq!(written, name.as_str());
        }
    }
}
