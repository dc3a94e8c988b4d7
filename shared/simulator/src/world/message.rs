//! Messages and where they are kept.
//!
//! In: what bots send (`methods/*`) and what people do (`control/*`). Out: the JSON of `Message`
//! objects, and messages by id for edits, deletes, forwards. Invariant: ids in a box only grow.
//! Bounded: a box keeps its last 1,000 messages; older ones are as good as deleted.

use std::collections::VecDeque;

use crate::json::{Object, Raw};

/// Messages kept per box.
const KEPT: usize = 1_000;

/// One message.
#[derive(Clone)]
pub(crate) struct Message {
    pub(crate) id: i64,
    pub(crate) chat: i64,
    /// The user or bot who wrote it; none in channels.
    pub(crate) from: Option<i64>,
    /// The chat on whose behalf it was written.
    pub(crate) sender_chat: Option<i64>,
    pub(crate) thread: Option<i64>,
    pub(crate) date: i64,
    pub(crate) edit_date: Option<i64>,
    pub(crate) reply_to: Option<i64>,
    /// Everything between the common fields and the keyboard, in order.
    pub(crate) fields: Vec<(&'static str, Raw)>,
    pub(crate) markup: Option<Raw>,
}

impl Message {
    /// Whether the content (not the keyboard) is the same.
    pub(crate) fn same_content(&self, fields: &[(&'static str, Raw)]) -> bool {
        let content = |fields: &[(&'static str, Raw)]| -> Vec<(&'static str, Raw)> {
            fields
                .iter()
                .filter(|(key, _)| !is_frame(key))
                .cloned()
                .collect()
        };
        content(&self.fields) == content(fields)
    }

    /// A field's JSON.
    pub(crate) fn field(&self, key: &str) -> Option<&Raw> {
        self.fields
            .iter()
            .find(|(name, _)| *name == key)
            .map(|(_, value)| value)
    }

    /// Replaces the content, keeping what belongs to the message itself.
    pub(crate) fn replace_content(&mut self, fields: Vec<(&'static str, Raw)>) {
        self.fields.retain(|(key, _)| is_frame(key));
        self.fields.extend(fields);
    }

    /// The object; the caller knows the people, the chat and the message replied to.
    pub(crate) fn json(
        &self,
        from: Option<&Raw>,
        sender_chat: Option<&Raw>,
        chat: &Raw,
        reply_to: Option<&Raw>,
    ) -> Raw {
        let mut object = Object::new()
            .number("message_id", self.id)
            .some("message_thread_id", self.thread)
            .some_raw("from", from)
            .some_raw("sender_chat", sender_chat)
            .raw("chat", chat)
            .number("date", self.date)
            .some("edit_date", self.edit_date)
            .some_raw("reply_to_message", reply_to);
        for (key, value) in &self.fields {
            object = object.raw(key, value);
        }
        object.some_raw("reply_markup", self.markup.as_ref()).end()
    }
}

/// Fields that are about the message, not its content.
fn is_frame(key: &str) -> bool {
    matches!(
        key,
        "forward_origin"
            | "media_group_id"
            | "via_bot"
            | "business_connection_id"
            | "author_signature"
    )
}

/// The messages of a chat, as one bot (or everybody, in supergroups and channels) sees them.
#[derive(Default)]
pub(crate) struct MessageBox {
    messages: VecDeque<Message>,
}

impl MessageBox {
    pub(crate) fn add(&mut self, message: Message) {
        if self.messages.len() >= KEPT {
            self.messages.pop_front();
        }
        self.messages.push_back(message);
    }

    pub(crate) fn get(&self, id: i64) -> Option<&Message> {
        let at = self
            .messages
            .binary_search_by_key(&id, |message| message.id)
            .ok()?;
        self.messages.get(at)
    }

    pub(crate) fn get_mut(&mut self, id: i64) -> Option<&mut Message> {
        let at = self
            .messages
            .binary_search_by_key(&id, |message| message.id)
            .ok()?;
        self.messages.get_mut(at)
    }

    pub(crate) fn remove(&mut self, id: i64) -> Option<Message> {
        let at = self
            .messages
            .binary_search_by_key(&id, |message| message.id)
            .ok()?;
        self.messages.remove(at)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Message> {
        self.messages.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: i64) -> Message {
        Message {
            id,
            chat: 7,
            from: Some(7),
            sender_chat: None,
            thread: None,
            date: 1,
            edit_date: None,
            reply_to: None,
            fields: vec![("via_bot", Raw::truth()), ("text", Raw::of("hi"))],
            markup: None,
        }
    }

    #[test]
    fn a_box_is_bounded_and_finds_by_id() {
        let mut messages = MessageBox::default();
        for id in 1..=1_500 {
            messages.add(message(id));
        }
        assert!(messages.get(500).is_none() && messages.get(501).is_some());
        assert_eq!(messages.remove(600).map(|message| message.id), Some(600));
        assert!(messages.get(600).is_none());
        assert_eq!(messages.iter().count(), 999);
    }

    #[test]
    fn content_is_compared_and_replaced_without_the_frame() {
        let mut one = message(1);
        assert!(one.same_content(&[("text", Raw::of("hi"))]));
        one.replace_content(vec![("text", Raw::of("ho"))]);
        assert_eq!(one.field("text"), Some(&Raw::of("ho")));
        assert!(one.field("via_bot").is_some());
    }
}
