//! Formatted texts.
//!
//! In: the text of a message or caption with its `parse_mode` or list of entities (`methods/*`).
//! Out: plain text and entities, or Telegram's words about what is wrong. [`html`] and [`markdown`]
//! read the notations. Invariant: offsets and lengths are in UTF-16 units and lie within the text.

mod html;
mod markdown;

use serde_json::Value;

use crate::fail::Failure;
use crate::json::{Object, Raw};

/// A text without its notation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Formatted {
    pub(crate) text: String,
    pub(crate) entities: Vec<Entity>,
}

/// A part of a text that is shown otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entity {
    pub(crate) offset: usize,
    pub(crate) length: usize,
    pub(crate) kind: &'static str,
    /// `url`, `language` or `custom_emoji_id`, for the kinds that have one.
    pub(crate) detail: Option<(&'static str, String)>,
}

impl Formatted {
    /// Reads a text as `parse_mode` says; `entities` count only without one.
    pub(crate) fn read(text: &str, parse_mode: &str, entities: &str) -> Result<Self, Failure> {
        let parsed = match parse_mode.to_ascii_lowercase().as_str() {
            "" | "none" => return Ok(Self::given(text, entities)),
            "html" => html::read(text),
            "markdown" => markdown::read(text),
            "markdownv2" => markdown::read_v2(text),
            _ => return Err(Failure::bad("unsupported parse_mode")),
        };
        let parsed =
            parsed.map_err(|reason| Failure::bad(&format!("can't parse entities: {reason}")))?;
        Ok(parsed.trimmed())
    }

    fn given(text: &str, entities: &str) -> Self {
        let listed = match entities {
            "" => Vec::new(),
            _ => serde_json::from_str::<Vec<Value>>(entities).unwrap_or_default(),
        };
        let whole = units(text);
        let read = |value: &Value| {
            let number = |key: &str| {
                value
                    .get(key)
                    .and_then(Value::as_u64)
                    .and_then(|number| usize::try_from(number).ok())
            };
            let (offset, length) = (number("offset")?, number("length")?);
            let kind = KINDS
                .iter()
                .find(|kind| Some(**kind) == value.get("type").and_then(Value::as_str))?;
            let detail = ["url", "language", "custom_emoji_id"]
                .into_iter()
                .find_map(|key| Some((key, value.get(key)?.as_str()?.to_owned())));
            let within = length > 0 && offset.checked_add(length)? <= whole;
            within.then_some(Entity {
                offset,
                length,
                kind,
                detail,
            })
        };
        let entities = listed.iter().filter_map(read).collect();
        Self {
            text: text.to_owned(),
            entities,
        }
        .trimmed()
    }

    /// Without space at either end, as Telegram keeps it; entities follow.
    fn trimmed(mut self) -> Self {
        let start = units(&self.text) - units(self.text.trim_start());
        let text = self.text.trim().to_owned();
        let end = units(&text);
        self.entities.retain_mut(|entity| {
            let last = (entity.offset + entity.length)
                .saturating_sub(start)
                .min(end);
            entity.offset = entity.offset.saturating_sub(start);
            entity.length = last.saturating_sub(entity.offset);
            entity.length > 0
        });
        self.entities
            .sort_by_key(|entity| (entity.offset, usize::MAX - entity.length));
        Self {
            text,
            entities: self.entities,
        }
    }

    /// The fields of a message with this text under these names.
    pub(crate) fn fields(
        &self,
        text: &'static str,
        entities: &'static str,
    ) -> Vec<(&'static str, Raw)> {
        let mut fields = vec![(text, Raw::of(&self.text))];
        if !self.entities.is_empty() {
            let all: Vec<Raw> = self.entities.iter().map(Entity::json).collect();
            fields.push((entities, Raw::array(&all)));
        }
        fields
    }
}

impl Entity {
    pub(crate) fn json(&self) -> Raw {
        let object = Object::new()
            .put("offset", &self.offset)
            .put("length", &self.length)
            .put("type", self.kind);
        match &self.detail {
            Some((key, value)) => object.put(key, value),
            None => object,
        }
        .end()
    }
}

/// Length in UTF-16 units.
pub(crate) fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// The kinds of entity.
const KINDS: [&str; 20] = [
    "mention",
    "hashtag",
    "cashtag",
    "bot_command",
    "url",
    "email",
    "phone_number",
    "bold",
    "italic",
    "underline",
    "strikethrough",
    "spoiler",
    "blockquote",
    "expandable_blockquote",
    "code",
    "pre",
    "text_link",
    "text_mention",
    "custom_emoji",
    "date_time",
];

/// A text being built from a notation.
#[derive(Debug, Default)]
struct Builder {
    formatted: Formatted,
    /// Of the text so far, in UTF-16 units.
    length: usize,
}

impl Builder {
    fn push(&mut self, sign: char) {
        self.formatted.text.push(sign);
        self.length += sign.len_utf16();
    }

    /// Ends an entity that began at `offset`; an empty one vanishes.
    fn end(&mut self, kind: &'static str, offset: usize, detail: Option<(&'static str, String)>) {
        if self.length > offset {
            self.formatted.entities.push(Entity {
                offset,
                length: self.length - offset,
                kind,
                detail,
            });
        }
    }
}

#[cfg(test)]
mod tests;
