//! sendMessage, and what all sending methods have in common.
//!
//! In: arguments. Out: messages in the world and their `Message` objects. Invariant: nothing is
//! sent unless every argument is right; the texts of refusals are Telegram's.

use serde_json::Value;

use super::{Call, Outcome};
use crate::fail::Failure;
use crate::json::{Object, Raw};
use crate::text::Formatted;
use crate::world::Draft;
use crate::world::message::Message;

/// The longest text of a message, in characters.
const LONGEST_TEXT: usize = 4_096;
/// The longest caption.
const LONGEST_CAPTION: usize = 1_024;

/// The fields of a message's content.
pub(super) type Fields = Vec<(&'static str, Raw)>;

impl Call<'_> {
    pub(super) fn send_message(&mut self) -> Outcome {
        let fields = self.text_fields()?;
        self.send(fields)
    }

    /// The content of a text message, checked.
    pub(super) fn text_fields(&self) -> Result<Fields, Failure> {
        if self.arguments.broken() {
            return Err(Failure::bad("text must be encoded in UTF-8"));
        }
        let text = self.arguments.text("text");
        if text.trim().is_empty() {
            return Err(Failure::bad("message text is empty"));
        }
        let read = Formatted::read(
            text,
            self.arguments.text("parse_mode"),
            self.arguments.text("entities"),
        )?;
        if read.text.is_empty() {
            return Err(Failure::bad("message text is empty"));
        }
        if read.text.chars().count() > LONGEST_TEXT {
            return Err(Failure::bad("message is too long"));
        }
        Ok(read.fields("text", "entities"))
    }

    /// The caption of a message with media, checked; no fields if there is none.
    pub(super) fn caption_fields(&self) -> Result<Fields, Failure> {
        let arguments = self.arguments;
        caption(
            arguments.text("caption"),
            arguments.text("parse_mode"),
            arguments.text("caption_entities"),
        )
    }

    /// Sends a message with this content to `chat_id`, with the arguments all sending methods share.
    pub(super) fn send(&mut self, fields: Fields) -> Outcome {
        let message = self.write(fields)?;
        Ok(self.world.message_json(self.bot, &message))
    }

    /// As [`Call::send`], giving the message itself.
    pub(super) fn write(&mut self, fields: Fields) -> Result<Message, Failure> {
        let chat = self
            .world
            .writable_chat(self.bot, self.arguments.text("chat_id"))?;
        let markup = markup(self.arguments.text("reply_markup"))?;
        let draft = Draft {
            fields,
            markup,
            reply_to: self.reply_to(chat)?,
            thread: self
                .arguments
                .integer("message_thread_id")
                .filter(|thread| *thread > 0),
        };
        Ok(self
            .world
            .add_message(self.bot, chat, self.bot, draft, self.unix))
    }

    /// The message replied to, in the new and the old way of saying it.
    fn reply_to(&mut self, chat: i64) -> Result<Option<i64>, Failure> {
        let parameters: Value = match self.arguments.text("reply_parameters") {
            "" => Value::Null,
            text => serde_json::from_str(text).unwrap_or_default(),
        };
        let number = |value: &Value| value.as_i64().or_else(|| value.as_str()?.parse().ok());
        let (id, lenient) = match parameters.get("message_id").and_then(number) {
            Some(id) => (id, parameters["allow_sending_without_reply"] == true),
            None => (
                self.arguments.integer("reply_to_message_id").unwrap_or(0),
                self.arguments.flag("allow_sending_without_reply"),
            ),
        };
        if id <= 0 || parameters.get("chat_id").is_some() {
            return Ok(None);
        }
        match self.world.messages(self.bot, chat).get(id) {
            Some(_) => Ok(Some(id)),
            None if lenient => Ok(None),
            None => Err(Failure::bad("message to be replied not found")),
        }
    }
}

/// A caption's fields, checked; none if it is empty.
pub(super) fn caption(text: &str, parse_mode: &str, entities: &str) -> Result<Fields, Failure> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let read = Formatted::read(text, parse_mode, entities)?;
    if read.text.chars().count() > LONGEST_CAPTION {
        return Err(Failure::bad("message caption is too long"));
    }
    Ok(read.fields("caption", "caption_entities"))
}

/// Reads `reply_markup`; what a message shows of it: an inline keyboard, nothing else.
pub(super) fn markup(text: &str) -> Result<Option<Raw>, Failure> {
    if text.is_empty() {
        return Ok(None);
    }
    if text.len() > 10 << 10 {
        return Err(Failure::bad("reply markup is too long"));
    }
    let wrong = || Failure::bad("can't parse reply keyboard markup JSON object");
    let value: Value = serde_json::from_str(text).map_err(|_| wrong())?;
    let Some(rows) = value.get("inline_keyboard") else {
        return match value {
            Value::Object(_) | Value::Null => Ok(None),
            _ => Err(Failure::bad("object expected as reply markup")),
        };
    };
    let rows = rows
        .as_array()
        .ok_or_else(|| Failure::bad("field \"inline_keyboard\" must be of type Array"))?;
    let mut shown = Vec::new();
    for row in rows {
        let buttons = row
            .as_array()
            .ok_or_else(|| Failure::bad("field \"inline_keyboard\" must be an Array of Arrays"))?
            .iter()
            .map(button)
            .collect::<Result<Vec<Raw>, Failure>>()?;
        // Empty rows vanish, as with Telegram.
        if !buttons.is_empty() {
            shown.push(Raw::array(&buttons));
        }
    }
    Ok((!shown.is_empty()).then(|| {
        Object::new()
            .raw("inline_keyboard", &Raw::array(&shown))
            .end()
    }))
}

/// One button of an inline keyboard, checked.
fn button(value: &Value) -> Result<Raw, Failure> {
    let wrong = |text: &str| Failure::bad(&format!("can't parse inline keyboard button: {text}"));
    let fields = value
        .as_object()
        .ok_or_else(|| wrong("InlineKeyboardButton must be an Object"))?;
    let label = fields
        .get("text")
        .and_then(Value::as_str)
        .ok_or_else(|| wrong("Field \"text\" must be of type String"))?;
    if fields.len() < 2 {
        return Err(wrong("Text buttons are unallowed in the inline keyboard"));
    }
    if let Some(data) = fields.get("callback_data") {
        let length = data.as_str().map_or(0, str::len);
        if !(1..=64).contains(&length) {
            return Err(Failure::bad("BUTTON_DATA_INVALID"));
        }
    }
    if let Some(url) = fields.get("url") {
        let url = url.as_str().unwrap_or_default();
        let host = url.split_once("://").map_or(url, |(_, rest)| rest);
        let schemes = ["http", "https", "tg", "ton"];
        let known = url
            .split_once("://")
            .is_none_or(|(scheme, _)| schemes.contains(&scheme));
        if !known
            || host.is_empty()
            || host.contains(' ')
            || !(host.contains('.') || url.starts_with("tg:"))
        {
            return Err(Failure::bad(&format!(
                "inline keyboard button URL '{url}' is invalid: Wrong HTTP URL"
            )));
        }
    }
    let mut object = Object::new().put("text", label);
    for (key, value) in fields.iter().filter(|(key, _)| *key != "text") {
        object = object.put(key, value);
    }
    Ok(object.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        match markup(text) {
            Ok(shown) => shown.map_or("nothing".to_owned(), |shown| shown.as_str().to_owned()),
            Err(failure) => failure.description.into_owned(),
        }
    }

    #[test]
    fn keyboards() {
        let long = format!(
            r#"{{"inline_keyboard":[[{{"text":"a","callback_data":"{}"}}]]}}"#,
            "x".repeat(65)
        );
        let huge = format!("{{\"keyboard\":\"{}\"}}", "x".repeat(11_000));
        let table = [
            ("", "nothing"),
            ("null", "nothing"),
            (r#"{"keyboard":[["a"]]}"#, "nothing"),
            (r#"{"inline_keyboard":[]}"#, "nothing"),
            (
                r#"{"inline_keyboard":[[{"callback_data":"b","text":"a"}],[]]}"#,
                r#"{"inline_keyboard":[[{"text":"a","callback_data":"b"}]]}"#,
            ),
            (
                "{",
                "Bad Request: can't parse reply keyboard markup JSON object",
            ),
            ("[]", "Bad Request: object expected as reply markup"),
            (long.as_str(), "Bad Request: BUTTON_DATA_INVALID"),
            (
                r#"{"inline_keyboard":[[{"text":"a"}]]}"#,
                "Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
            ),
            (
                r#"{"inline_keyboard":[[{"text":"a","url":"nonsense"}]]}"#,
                "Bad Request: inline keyboard button URL 'nonsense' is invalid: Wrong HTTP URL",
            ),
            (huge.as_str(), "Bad Request: reply markup is too long"),
        ];
        for (text, expected) in table {
            assert_eq!(refused(text), expected, "{text}");
        }
    }
}
