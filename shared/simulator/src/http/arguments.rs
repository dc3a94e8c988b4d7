//! The arguments of a call.
//!
//! In: the query, a urlencoded body, a JSON body, parts of a multipart body (`http/intake.rs`).
//! Out: [`Arguments`] for `methods/*`. Rules of telegram.md §2.1: query first, then body, the first
//! value of a name wins; JSON values that are no strings keep their raw text; malformed JSON is
//! ignored from the error on. Invariant: together at most 1 MiB; beyond, the request is refused with 413.

use std::fmt;

use percent_encoding::percent_decode;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::Refusal;

/// All arguments of a call together.
pub(crate) const MOST: usize = 1 << 20;

/// Names and values in the order they came.
#[derive(Clone, Default)]
pub(crate) struct Arguments {
    list: Vec<(String, Value)>,
    size: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Value {
    text: String,
    /// JSON `null`: present, but as good as absent for every reader.
    null: bool,
    /// The bytes sent were no UTF-8.
    broken: bool,
}

impl Arguments {
    /// The first value under a name, if it is not null.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let value = self.list.iter().find(|(key, _)| key == name)?;
        (!value.1.null).then_some(value.1.text.as_str())
    }

    /// The first value under a name; empty if there is none.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// A whole number, as leniently as Telegram's server reads one: anything else is `None`.
    pub(crate) fn integer(&self, name: &str) -> Option<i64> {
        self.get(name)?.trim().parse().ok()
    }

    /// A yes: `true`, `yes` or `1` in any case.
    pub(crate) fn flag(&self, name: &str) -> bool {
        let text = self.text(name).trim();
        ["true", "yes", "1"]
            .iter()
            .any(|yes| text.eq_ignore_ascii_case(yes))
    }

    /// Whether any value was not UTF-8.
    pub(crate) fn broken(&self) -> bool {
        self.list.iter().any(|(_, value)| value.broken)
    }

    /// All of them, for the journal.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.list
            .iter()
            .map(|(name, value)| (name.as_str(), value.text.as_str()))
    }

    /// All of them, to be kept.
    pub(crate) fn owned(&self) -> Vec<(String, String)> {
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        self.iter().map(own).collect()
    }

    /// Adds one value.
    pub(crate) fn add(&mut self, name: &[u8], value: &[u8]) -> Result<(), Refusal> {
        self.grow(value.len())?;
        self.push(&String::from_utf8_lossy(name), value, false);
        Ok(())
    }

    /// Adds `a=b&c=d`; `+` is a space.
    pub(crate) fn add_form(&mut self, form: &[u8]) -> Result<(), Refusal> {
        self.grow(form.len())?;
        for pair in form.split(|byte| *byte == b'&') {
            if pair.is_empty() {
                continue;
            }
            let at = memchr::memchr(b'=', pair).unwrap_or(pair.len());
            let name = decode(&pair[..at]);
            let value = decode(pair.get(at + 1..).unwrap_or_default());
            self.push(&String::from_utf8_lossy(&name), &value, false);
        }
        Ok(())
    }

    /// Adds the fields of a JSON object; stops in silence where it is malformed.
    pub(crate) fn add_json(&mut self, json: &[u8]) -> Result<(), Refusal> {
        self.grow(json.len())?;
        let Ok(text) = std::str::from_utf8(json) else {
            return Ok(());
        };
        if text.trim_start().starts_with('"') {
            if let Ok(content) = serde_json::from_str::<String>(text) {
                self.push("content", content.as_bytes(), false);
            }
            return Ok(());
        }
        let mut deserializer = serde_json::Deserializer::from_str(text);
        // What was read before the error stays, as with Telegram's server.
        Fields(self).deserialize(&mut deserializer).ok();
        Ok(())
    }

    fn grow(&mut self, by: usize) -> Result<(), Refusal> {
        self.size += by;
        if self.size > MOST {
            return Err(Refusal::new(413, "too much parameters"));
        }
        Ok(())
    }

    fn push(&mut self, name: &str, value: &[u8], null: bool) {
        let text = String::from_utf8_lossy(value);
        let broken = matches!(text, std::borrow::Cow::Owned(_));
        self.list.push((
            name.to_owned(),
            Value {
                text: text.into_owned(),
                null,
                broken,
            },
        ));
    }
}

impl fmt::Debug for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values are people's texts, and may hold tokens.
        f.debug_list()
            .entries(self.list.iter().map(|(name, _)| name))
            .finish()
    }
}

fn decode(text: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = text
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect();
    percent_decode(&spaced).collect()
}

/// Reads an object's fields into the arguments one by one, so that those before an error are kept.
struct Fields<'a>(&'a mut Arguments);

impl<'de> DeserializeSeed<'de> for Fields<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            let raw = map.next_value::<&'de RawValue>()?.get();
            if raw.starts_with('"') {
                let text: String = serde_json::from_str(raw).unwrap_or_else(|_| raw.to_owned());
                self.0.push(&name, text.as_bytes(), false);
            } else {
                self.0.push(&name, raw.as_bytes(), raw == "null");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn pairs(arguments: &Arguments) -> Vec<(String, String)> {
        arguments
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn the_first_value_wins_and_forms_are_decoded() {
        let mut arguments = Arguments::default();
        arguments
            .add_form(b"text=a+b%21%zz&text=later&&flag&=x&chat_id=-5")
            .unwrap();
        arguments
            .add_json(br#"{"text":"json","n": 7 ,"s":"\u0416"}"#)
            .unwrap();
        assert_eq!(arguments.text("text"), "a b!%zz");
        assert_eq!(arguments.integer("chat_id"), Some(-5));
        assert_eq!(arguments.integer("n"), Some(7));
        assert_eq!(arguments.text("s"), "Ж");
        assert_eq!(arguments.get("flag"), Some(""));
        assert_eq!(arguments.get("none"), None);
    }

    #[test]
    fn json_keeps_raw_values_and_what_came_before_an_error() {
        let read = |json: &str| {
            let mut arguments = Arguments::default();
            arguments.add_json(json.as_bytes()).unwrap();
            pairs(&arguments)
        };
        assert_eq!(
            read(r#"{"a":[1, {"b":null}],"c":true}"#),
            [pair("a", r#"[1, {"b":null}]"#), pair("c", "true")]
        );
        assert_eq!(read(r#"{"a":"1","b":"#), [pair("a", "1")]);
        assert_eq!(read(r#"{"a":1"#), [pair("a", "1")]);
        assert_eq!(read("null"), []);
        assert_eq!(read("0=d"), []);
        assert_eq!(read(r#""text""#), [pair("content", "text")]);
        let mut nulls = Arguments::default();
        nulls.add_json(br#"{"a":null}"#).unwrap();
        assert_eq!(nulls.get("a"), None);
    }

    #[test]
    fn more_than_a_mebibyte_is_refused() {
        let mut arguments = Arguments::default();
        arguments.add(b"a", &vec![b'x'; MOST]).unwrap();
        assert_eq!(arguments.add(b"b", b"x").unwrap_err().status, 413);
        assert!(!format!("{arguments:?}").contains('x'));
    }

    #[test]
    fn flags_and_broken_text() {
        let mut arguments = Arguments::default();
        arguments.add_form(b"a=True&b=1&c=no&d=%ff").unwrap();
        assert_eq!(
            ["a", "b", "c", "e"].map(|name| arguments.flag(name)),
            [true, true, false, false]
        );
        assert!(arguments.broken());
    }
}
