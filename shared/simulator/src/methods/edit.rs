//! Methods about messages that are there: edit, delete, forward, copy, pin.
//!
//! In: arguments. Out: changed messages in the world. Invariant: a bot changes only its own
//! messages; an edit that changes nothing is refused, as Telegram does.

use serde_json::Value;

use super::send::{Fields, caption, markup};
use super::{Call, Outcome};
use crate::fail::Failure;
use crate::json::{Object, Raw};
use crate::world::Draft;
use crate::world::message::Message;

impl Call<'_> {
    pub(super) fn edit_text(&mut self) -> Outcome {
        let fields = self.text_fields()?;
        self.edit(|message| {
            let has = message.field("text").is_some();
            has.then_some(Some(fields))
                .ok_or_else(|| Failure::bad("there is no text in the message to edit"))
        })
    }

    pub(super) fn edit_caption(&mut self) -> Outcome {
        let fresh = self.caption_fields()?;
        self.edit(|message| {
            if message.field("text").is_some() {
                return Err(Failure::bad("there is no caption in the message to edit"));
            }
            let kept = message
                .fields
                .iter()
                .filter(|(key, _)| !matches!(*key, "caption" | "caption_entities"));
            Ok(Some(kept.cloned().chain(fresh).collect()))
        })
    }

    pub(super) fn edit_media(&mut self) -> Outcome {
        let media: Value = serde_json::from_str(self.arguments.text("media")).unwrap_or_default();
        let fields = self.input_media(&media)?;
        self.edit(|_| Ok(Some(fields)))
    }

    pub(super) fn edit_markup(&mut self) -> Outcome {
        self.edit(|_| Ok(None))
    }

    /// Replaces a message's content (if `change` gives one) and keyboard.
    pub(super) fn edit(
        &mut self,
        change: impl FnOnce(&Message) -> Result<Option<Fields>, Failure>,
    ) -> Outcome {
        let markup = markup(self.arguments.text("reply_markup"))?;
        if !self.arguments.text("inline_message_id").is_empty() {
            return Ok(Raw::truth());
        }
        let chat = self
            .world
            .writable_chat(self.bot, self.arguments.text("chat_id"))?;
        let id = self.message_id("message_id")?;
        let (bot, unix) = (self.bot, self.unix);
        let message = self
            .world
            .messages(bot, chat)
            .get_mut(id)
            .ok_or_else(|| Failure::bad("message to edit not found"))?;
        if message.from.is_some_and(|from| from != bot) {
            return Err(Failure::bad("message can't be edited"));
        }
        let fields = change(message)?;
        let same = fields
            .as_ref()
            .is_none_or(|fields| message.same_content(fields));
        if same && message.markup == markup {
            return Err(Failure::bad(
                "message is not modified: specified new message content and reply markup are exactly the same as a current \
                 content and reply markup of the message",
            ));
        }
        if let Some(fields) = fields {
            message.replace_content(fields);
        }
        message.markup = markup;
        message.edit_date = Some(unix);
        let message = message.clone();
        Ok(self.world.message_json(bot, &message))
    }

    pub(super) fn delete_message(&mut self) -> Outcome {
        let chat = self
            .world
            .writable_chat(self.bot, self.arguments.text("chat_id"))?;
        let id = self.message_id("message_id")?;
        let (bot, unix) = (self.bot, self.unix);
        let messages = self.world.messages(bot, chat);
        let message = messages
            .get(id)
            .ok_or_else(|| Failure::bad("message to delete not found"))?;
        // Two days old, or someone else's in a private chat that is not ours to clean.
        if unix - message.date > 48 * 3_600 {
            return Err(Failure::bad("message can't be deleted for everyone"));
        }
        messages.remove(id);
        Ok(Raw::truth())
    }

    pub(super) fn delete_messages(&mut self) -> Outcome {
        let chat = self
            .world
            .writable_chat(self.bot, self.arguments.text("chat_id"))?;
        let bot = self.bot;
        for id in self.message_ids()? {
            // Those that are not there are passed over.
            self.world.messages(bot, chat).remove(id);
        }
        Ok(Raw::truth())
    }

    pub(super) fn forward_message(&mut self) -> Outcome {
        let (from, to) = self.two_chats()?;
        let id = self.message_id("message_id")?;
        let forwarded = self
            .forward(from, to, id)
            .ok_or_else(|| Failure::bad("message to forward not found"))?;
        Ok(self.world.message_json(self.bot, &forwarded))
    }

    pub(super) fn copy_message(&mut self) -> Outcome {
        let (from, to) = self.two_chats()?;
        let id = self.message_id("message_id")?;
        let original = self.world.messages(self.bot, from).get(id).cloned();
        let original = original.ok_or_else(|| Failure::bad("message to copy not found"))?;
        let mut fields = original.fields;
        fields.retain(|(key, _)| *key != "forward_origin" && *key != "media_group_id");
        if self.arguments.get("caption").is_some() {
            let arguments = self.arguments;
            let fresh = caption(
                arguments.text("caption"),
                arguments.text("parse_mode"),
                arguments.text("caption_entities"),
            )?;
            fields.retain(|(key, _)| !matches!(*key, "caption" | "caption_entities"));
            fields.extend(fresh);
        }
        let draft = Draft {
            fields,
            markup: markup(self.arguments.text("reply_markup"))?,
            ..Draft::default()
        };
        let copy = self
            .world
            .add_message(self.bot, to, self.bot, draft, self.unix);
        Ok(message_id(copy.id))
    }

    /// forwardMessages and copyMessages: those that are not there are passed over.
    pub(super) fn repeat_messages(&mut self, copy: bool) -> Outcome {
        let (from, to) = self.two_chats()?;
        let mut made = Vec::new();
        for id in self.message_ids()? {
            let Some(message) = self.forward(from, to, id) else {
                continue;
            };
            if copy && let Some(message) = self.world.messages(self.bot, to).get_mut(message.id) {
                message.fields.retain(|(key, _)| *key != "forward_origin");
            }
            made.push(message_id(message.id));
        }
        Ok(Raw::array(&made))
    }

    /// The message a method is about must be there; nothing else happens.
    pub(super) fn about_message(&mut self, missing: &str) -> Outcome {
        let chat = self
            .world
            .writable_chat(self.bot, self.arguments.text("chat_id"))?;
        let id = self.message_id("message_id")?;
        match self.world.messages(self.bot, chat).get(id) {
            Some(_) => Ok(Raw::truth()),
            None => Err(Failure::bad(missing)),
        }
    }

    /// A method that gives the message it is about.
    pub(super) fn about_own_message(&mut self) -> Outcome {
        if !self.arguments.text("inline_message_id").is_empty() {
            return Ok(Raw::truth());
        }
        let chat = self
            .world
            .writable_chat(self.bot, self.arguments.text("chat_id"))?;
        let id = self.message_id("message_id")?;
        let message = self.world.messages(self.bot, chat).get(id).cloned();
        let message = message.ok_or_else(|| Failure::bad("message not found"))?;
        Ok(self.world.message_json(self.bot, &message))
    }

    fn forward(&mut self, from: i64, to: i64, id: i64) -> Option<Message> {
        let original = self.world.messages(self.bot, from).get(id)?.clone();
        let mut fields = original.fields.clone();
        if original.field("forward_origin").is_none() {
            let origin = Object::new();
            let origin = match (original.from, original.sender_chat) {
                (Some(user), _) => origin
                    .put("type", "user")
                    .raw("sender_user", &self.world.user_json(user)),
                (None, chat) => origin
                    .put("type", "channel")
                    .raw("chat", &self.world.chat_json(chat.unwrap_or(from)))
                    .number("message_id", original.id),
            };
            fields.insert(
                0,
                ("forward_origin", origin.number("date", original.date).end()),
            );
        }
        let draft = Draft {
            fields,
            ..Draft::default()
        };
        Some(
            self.world
                .add_message(self.bot, to, self.bot, draft, self.unix),
        )
    }

    fn two_chats(&mut self) -> Result<(i64, i64), Failure> {
        let to = self
            .world
            .writable_chat(self.bot, self.arguments.text("chat_id"))?;
        let from = self.world.find_chat(self.arguments.text("from_chat_id"))?;
        Ok((from, to))
    }

    fn message_id(&self, name: &str) -> Result<i64, Failure> {
        let id = self.arguments.integer(name).filter(|id| *id > 0);
        id.ok_or_else(|| Failure::bad("message identifier is not specified"))
    }

    fn message_ids(&self) -> Result<Vec<i64>, Failure> {
        let ids: Vec<Value> = serde_json::from_str(self.arguments.text("message_ids"))
            .map_err(|_| Failure::bad("can't parse message identifiers JSON object"))?;
        if ids.is_empty() || ids.len() > 100 {
            return Err(Failure::bad("message identifiers are not specified"));
        }
        Ok(ids
            .iter()
            .filter_map(|id| id.as_i64().or_else(|| id.as_str()?.parse().ok()))
            .collect())
    }
}

/// A `MessageId` object.
fn message_id(id: i64) -> Raw {
    Object::new().number("message_id", id).end()
}
