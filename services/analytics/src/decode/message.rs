//! Reads a message.
//!
//! In: a message inside an update or a call's result. Out: [`Message`], for `messages.rs`, `queries.rs` and
//! `calls.rs`. Invariant: one pass; of several media members the one that says most counts
//! (an animation comes with a document, a venue with a location).

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::payments::Payment;
use super::shapes::{Chat, Key, Size, User};

/// What is of interest of a message.
#[derive(Debug, Default)]
pub(super) struct Message {
    pub(super) id: Option<i64>,
    pub(super) thread: Option<i64>,
    pub(super) from: Option<User>,
    pub(super) chat: Option<Chat>,
    pub(super) date: Option<i64>,
    pub(super) edit_date: Option<i64>,
    pub(super) reply_to: Option<i64>,
    /// A text or a caption.
    pub(super) text: Option<String>,
    pub(super) text_length: Option<i64>,
    pub(super) command: Option<String>,
    pub(super) payload: Option<String>,
    pub(super) media: Option<&'static str>,
    pub(super) media_bytes: Option<i64>,
    /// What the message reports, where nobody wrote it.
    pub(super) service: Option<&'static str>,
    pub(super) paid: Option<Payment>,
    pub(super) refunded: Option<Payment>,
    pub(super) is_forwarded: bool,
    pub(super) is_in_group: bool,
    pub(super) is_via_bot: bool,
    pub(super) sender_chat: Option<i64>,
    pub(super) markup: Option<Markup>,
}

/// The buttons under a message.
#[derive(Debug, Default, serde::Deserialize)]
pub(super) struct Markup {
    #[serde(default)]
    inline_keyboard: Vec<Vec<Button>>,
}

#[derive(Debug, serde::Deserialize)]
struct Button {
    text: Option<String>,
    callback_data: Option<String>,
}

impl Markup {
    /// The text of the first button with that data.
    pub(super) fn text_of(self, data: &str) -> Option<String> {
        let mut buttons = self.inline_keyboard.into_iter().flatten();
        let pressed = buttons.find(|button| button.callback_data.as_deref() == Some(data));
        pressed?.text
    }
}

/// Kinds of media, those that say more first.
const MEDIA: [&str; 20] = [
    "animation",
    "live_photo",
    "audio",
    "document",
    "paid_media",
    "photo",
    "sticker",
    "story",
    "video",
    "video_note",
    "voice",
    "checklist",
    "contact",
    "dice",
    "game",
    "giveaway",
    "invoice",
    "poll",
    "venue",
    "location",
];

/// What a message may report. The list is that of Bot API 10.x; a later one is a message without text.
const SERVICES: [&str; 54] = [
    "boost_added",
    "channel_chat_created",
    "chat_background_set",
    "chat_owner_changed",
    "chat_owner_left",
    "chat_shared",
    "checklist_tasks_added",
    "checklist_tasks_done",
    "community_chat_added",
    "community_chat_joined",
    "community_chat_removed",
    "connected_website",
    "delete_chat_photo",
    "direct_message_price_changed",
    "forum_topic_closed",
    "forum_topic_created",
    "forum_topic_edited",
    "forum_topic_reopened",
    "general_forum_topic_hidden",
    "general_forum_topic_unhidden",
    "gift",
    "gift_upgrade_sent",
    "giveaway_completed",
    "giveaway_created",
    "giveaway_winners",
    "group_chat_created",
    "left_chat_member",
    "managed_bot_created",
    "message_auto_delete_timer_changed",
    "migrate_from_chat_id",
    "migrate_to_chat_id",
    "new_chat_members",
    "new_chat_photo",
    "new_chat_title",
    "paid_message_price_changed",
    "passport_data",
    "pinned_message",
    "poll_option_added",
    "poll_option_deleted",
    "proximity_alert_triggered",
    "suggested_post_approval_failed",
    "suggested_post_approved",
    "suggested_post_declined",
    "suggested_post_paid",
    "suggested_post_refunded",
    "supergroup_chat_created",
    "unique_gift",
    "users_shared",
    "video_chat_ended",
    "video_chat_participants_invited",
    "video_chat_scheduled",
    "video_chat_started",
    "web_app_data",
    "write_access_allowed",
];

fn place(name: &str) -> Option<usize> {
    MEDIA.iter().position(|known| *known == name)
}

impl<'de> Deserialize<'de> for Message {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Reading)
    }
}

struct Reading;

/// A message, or a chat, of which only the number counts.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Numbered {
    message_id: Option<i64>,
    id: Option<i64>,
}

impl<'de> Visitor<'de> for Reading {
    type Value = Message;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a message")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Message, A::Error> {
        let mut message = Message::default();
        let mut rank = usize::MAX;
        while let Some(Key(name)) = map.next_key()? {
            match &*name {
                "message_id" => message.id = map.next_value()?,
                "message_thread_id" => message.thread = map.next_value()?,
                "from" => message.from = map.next_value()?,
                "chat" => message.chat = map.next_value()?,
                "sender_chat" => message.sender_chat = map.next_value::<Numbered>()?.id,
                "date" => message.date = map.next_value()?,
                "edit_date" => message.edit_date = map.next_value()?,
                "reply_to_message" => message.reply_to = map.next_value::<Numbered>()?.message_id,
                "text" | "caption" => message.text = map.next_value()?,
                "text_length" | "caption_length" => message.text_length = map.next_value()?,
                "command" => message.command = map.next_value()?,
                "payload" => message.payload = map.next_value()?,
                "reply_markup" => message.markup = map.next_value()?,
                "successful_payment" => message.paid = map.next_value()?,
                "refunded_payment" => message.refunded = map.next_value()?,
                "forward_origin" | "forward_date" => message.is_forwarded = skip(&mut map)?,
                "media_group_id" => message.is_in_group = skip(&mut map)?,
                "via_bot" => message.is_via_bot = skip(&mut map)?,
                other => {
                    if let Some(found) = place(other).filter(|found| *found < rank) {
                        rank = found;
                        message.media = Some(MEDIA[found]);
                        message.media_bytes = map.next_value::<Size>()?.0;
                    } else {
                        if let Ok(found) = SERVICES.binary_search(&other) {
                            message.service = Some(SERVICES[found]);
                        }
                        skip(&mut map)?;
                    }
                }
            }
        }
        Ok(message)
    }
}

/// Passes over a value: that it is there says all.
fn skip<'de, A: MapAccess<'de>>(map: &mut A) -> Result<bool, A::Error> {
    map.next_value::<IgnoredAny>()?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_services_are_sorted_and_no_media() {
        assert!(SERVICES.is_sorted());
        assert!(SERVICES.iter().all(|name| place(name).is_none()));
    }
}
