//! People write, edit and send files.
//!
//! In: acts. Out: messages in the world, `message`, `edited_message`, `channel_post`,
//! `edited_channel_post` updates. Invariant: an edit keeps the message's id, date and place.

use std::time::Duration;

use super::{Acted, Result, Scene, place};
use crate::content::Content;
use crate::control::ControlError;
use crate::json::{Object, Raw};
use crate::methods::media;
use crate::text::units;
use crate::world::people::User;
use crate::world::{Draft, World};

/// The kinds of file a person can send.
const KINDS: [&str; 8] = [
    "photo",
    "document",
    "audio",
    "video",
    "animation",
    "voice",
    "video_note",
    "sticker",
];

impl Scene<'_> {
    pub(super) fn say(&mut self, text: &str, reply_to: Option<i64>) -> Acted {
        let draft = Draft {
            fields: text_fields(text),
            reply_to,
            ..Draft::default()
        };
        self.write(draft)
    }

    pub(super) fn send_file(&mut self, kind: &str, name: &str, caption: &str, size: u64) -> Result {
        let kind = KINDS.into_iter().find(|known| *known == kind);
        let kind =
            kind.ok_or_else(|| ControlError::Invalid(format!("kind is one of {KINDS:?}")))?;
        let pattern = Content::Pattern {
            length: size,
            seed: size,
        };
        let file =
            self.world
                .files
                .add(kind, name, "application/octet-stream", size, Some(pattern));
        let mut fields = media::content(kind, &file, &mut self.world.files);
        if !caption.is_empty() {
            fields.push(("caption", Raw::of(caption)));
        }
        let acted = self.write(Draft {
            fields,
            ..Draft::default()
        });
        Ok(Acted {
            file_id: Some(file.id),
            ..acted
        })
    }

    pub(super) fn edit(&mut self, message_id: i64, text: &str) -> Result {
        let message = self.world.messages(self.bot, self.chat).get_mut(message_id);
        let message = message.ok_or(ControlError::Message(message_id))?;
        message.replace_content(text_fields(text));
        message.edit_date = Some(self.unix);
        let message = message.clone();
        let json = self.world.message_json(self.bot, &message);
        let kind = if message.from.is_some() {
            "edited_message"
        } else {
            "edited_channel_post"
        };
        Ok(Acted {
            message_id: Some(message_id),
            ..self.tell(kind, &json)
        })
    }

    /// Adds a message by the person who acts, and tells the bot.
    pub(super) fn write(&mut self, draft: Draft) -> Acted {
        let message = self
            .world
            .add_message(self.bot, self.chat, self.user, draft, self.unix);
        let json = self.world.message_json(self.bot, &message);
        let kind = if message.from.is_some() {
            "message"
        } else {
            "channel_post"
        };
        Acted {
            message_id: Some(message.id),
            ..self.tell(kind, &json)
        }
    }
}

/// One message of a backlog.
pub(crate) fn filler(
    world: &mut World,
    bot: i64,
    at: usize,
    size: usize,
    now: Duration,
    unix: i64,
) -> Result<()> {
    let user = 1_000_000 + i64::try_from(at % 1_000).unwrap_or(0);
    world
        .users
        .entry(user)
        .or_insert_with(|| User::new(user, "Filler"));
    place(world, bot, user, None)?;
    let written = |world: &World, text: &str| {
        let object = Object::new()
            .put("message_id", &(at + 1))
            .raw("from", &world.user_json(user));
        object
            .raw("chat", &world.chat_json(user))
            .number("date", unix)
            .put("text", text)
            .end()
    };
    let number = format!("{at} ");
    // `{"update_id":100000000,\n"message":…}` comes around it.
    let bare = written(world, &number).as_str().len() + 36;
    let text = number + &"x".repeat(size.saturating_sub(bare));
    let json = written(world, &text);
    world.update(bot, "message", &json, now);
    Ok(())
}

/// The fields of a text written by a person.
fn text_fields(text: &str) -> Vec<(&'static str, Raw)> {
    let mut fields = vec![("text", Raw::of(text))];
    if text.starts_with('/') {
        let command = text.split_whitespace().next().unwrap_or(text);
        let entity = Object::new()
            .put("offset", &0)
            .put("length", &units(command))
            .put("type", "bot_command")
            .end();
        fields.push(("entities", Raw::array([&entity])));
    }
    fields
}
