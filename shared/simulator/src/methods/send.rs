//! sendMessage, and what all sending methods have in common.
//!
//! In: arguments. Out: a message in the world and its `Message` object. Invariant: nothing is
//! sent unless every argument is right; the texts of refusals are Telegram's.

use super::{Call, Outcome};
use crate::fail::Failure;
use crate::json::Raw;
use crate::world::Draft;

/// The longest text of a message, in characters.
const LONGEST_TEXT: usize = 4_096;

impl Call<'_> {
    pub(super) fn send_message(&mut self) -> Outcome {
        let text = self.arguments.text("text");
        if text.trim().is_empty() {
            return Err(Failure::bad("message text is empty"));
        }
        if text.chars().count() > LONGEST_TEXT {
            return Err(Failure::bad("message is too long"));
        }
        let fields = vec![("text", Raw::of(text))];
        self.send(fields)
    }

    /// Sends a message with this content to `chat_id`, with the arguments all sending methods share.
    fn send(&mut self, fields: Vec<(&'static str, Raw)>) -> Outcome {
        let chat = self
            .world
            .writable_chat(self.bot, self.arguments.text("chat_id"))?;
        let draft = Draft {
            fields,
            ..Draft::default()
        };
        let message = self
            .world
            .add_message(self.bot, chat, self.bot, draft, self.unix);
        Ok(self.world.message_json(self.bot, &message))
    }
}
