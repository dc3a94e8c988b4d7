//! The event of an update.
//!
//! In: records of updates.v1. Out: one event each, for `decoder.rs`. Invariant: every update has its event: a
//! kind that is not known, a body that was cut, withheld or is not as documented loses columns, never the
//! event.

use gramtap_events::TenantId;
use gramtap_events::event::{self, Event, Name};
use gramtap_events::update::{Update, Via};
use serde_json::value::RawValue;

use super::blank::{Head, flag};
use super::shapes::member;
use super::{chats, members, messages, payments, queries};

/// Makes the event. `props`: `cut` where the update was too large to be copied; `unread` where its body is not what
/// this version knows of the kind.
pub(super) fn event(update: Update) -> Event {
    let head = Head {
        tenant: update.tenant,
        bot: update.bot,
        at: update.at,
    };
    let via = match update.via {
        Via::Poll => event::Via::Poll,
        Via::Webhook => event::Via::Webhook,
    };
    let kind = update.kind.as_deref().unwrap_or_default();
    let name = match update.cut {
        true => Name::UpdateOther,
        false => name(kind),
    };
    let mut event = head.event(name, event_id(&update), via);
    event.update_id = update.update_id;
    flag(&mut event, "cut", update.cut);
    if let Some(body) = update.update.as_deref().filter(|_| !update.cut)
        && !fill(&mut event, kind, body)
    {
        event.event = Name::UpdateOther;
        flag(&mut event, "unread", true);
    }
    event.update_type = update.kind;
    event
}

fn event_id(update: &Update) -> String {
    match number(update) {
        Some(number) => format!("u:{}:{number}", update.tenant),
        None => format!("u:{}", update.record.as_str()),
    }
}

/// The number that tells the update from all others of its tenant. Those that belong to no known
/// bot may be of several: each is told by its record.
pub(super) fn number(update: &Update) -> Option<i64> {
    let is_known = update.tenant != TenantId::UNATTRIBUTED;
    update.update_id.filter(|_| is_known)
}

/// What an update of a kind is called, unless its body says more.
fn name(kind: &str) -> Name {
    match kind {
        "message" => Name::MessageReceived,
        "edited_message" => Name::MessageEdited,
        "channel_post" => Name::ChannelPostReceived,
        "edited_channel_post" => Name::ChannelPostEdited,
        "business_connection" => Name::BusinessConnectionChanged,
        "business_message" => Name::BusinessMessageReceived,
        "edited_business_message" => Name::BusinessMessageEdited,
        "deleted_business_messages" => Name::BusinessMessagesDeleted,
        "guest_message" => Name::GuestMessageReceived,
        "message_reaction" => Name::ReactionChanged,
        "message_reaction_count" => Name::ReactionsCounted,
        "inline_query" => Name::InlineQueried,
        "chosen_inline_result" => Name::InlineChosen,
        "callback_query" => Name::CallbackPressed,
        "shipping_query" => Name::ShippingAsked,
        "pre_checkout_query" => Name::CheckoutAsked,
        "purchased_paid_media" => Name::MediaPurchased,
        "poll" => Name::PollChanged,
        "poll_answer" => Name::PollAnswered,
        "chat_member" => Name::MemberChanged,
        "chat_join_request" => Name::JoinRequested,
        "chat_boost" => Name::BoostChanged,
        "removed_chat_boost" => Name::BoostRemoved,
        // Also `my_chat_member`: without its body nobody knows what happened to the bot.
        _ => Name::UpdateOther,
    }
}

/// Fills the columns from the update. False: the body is not of the known shape.
fn fill(event: &mut Event, kind: &str, update: &RawValue) -> bool {
    let read = match kind {
        "message"
        | "edited_message"
        | "channel_post"
        | "edited_channel_post"
        | "business_message"
        | "edited_business_message"
        | "guest_message" => member(update, kind).map(|body| messages::fill(event, body)),
        "callback_query" => member(update, kind).map(|body| queries::pressed(event, body)),
        "inline_query" | "chosen_inline_result" => {
            member(update, kind).map(|body| queries::inline(event, body))
        }
        "poll" => member(update, kind).map(|body| queries::poll(event, body)),
        "poll_answer" => member(update, kind).map(|body| queries::vote(event, body)),
        "shipping_query" | "pre_checkout_query" | "purchased_paid_media" => {
            member(update, kind).map(|body| payments::purchase(event, body))
        }
        "my_chat_member" => member(update, kind).map(|body| members::own(event, body)),
        "chat_member" => member(update, kind).map(|body| members::fill(event, body)),
        "message_reaction" | "message_reaction_count" => {
            member(update, kind).map(|body| chats::reactions(event, body))
        }
        _ => {
            let name = kind.strip_prefix("other:").unwrap_or(kind);
            member(update, name).map(|body| chats::fill(event, body))
        }
    };
    read.is_some()
}
