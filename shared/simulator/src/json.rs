//! JSON objects in the order they are written.
//!
//! In: fields, in Telegram's own order. Out: [`Raw`], JSON text that is valid by construction,
//! for `methods/*` and `world/*`. Invariant: a field once put is never reordered or re-escaped,
//! so that the same calls after a reset give the same bytes. Owns nothing; cannot overload.

use std::fmt::{self, Write as _};

use serde::Serialize;
use serde::ser::{Error as _, Serializer};
use serde_json::value::RawValue;

/// JSON text, already valid.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Raw(String);

impl Raw {
    /// The text of any serialisable value; `null` for one that cannot be written (a map with odd keys).
    pub(crate) fn of<T: Serialize + ?Sized>(value: &T) -> Self {
        Self(serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned()))
    }

    /// `true`, the result of most methods.
    pub(crate) fn truth() -> Self {
        Self("true".to_owned())
    }

    /// An array of the given texts.
    pub(crate) fn array<'a>(items: impl IntoIterator<Item = &'a Raw>) -> Self {
        let mut text = String::from("[");
        for item in items {
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(&item.0);
        }
        text.push(']');
        Self(text)
    }

    /// Text that came from outside, if it is JSON; spaces and order stay as they are.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str::<&RawValue>(text)
            .ok()
            .map(|raw| Self(raw.get().to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Raw({} bytes)", self.0.len())
    }
}

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::from_str::<&RawValue>(&self.0)
            .map_err(S::Error::custom)?
            .serialize(serializer)
    }
}

/// An object under construction.
#[derive(Clone)]
pub(crate) struct Object {
    text: String,
}

impl Object {
    pub(crate) fn new() -> Self {
        Self {
            text: String::from("{"),
        }
    }

    /// Adds a field.
    pub(crate) fn put<T: Serialize + ?Sized>(self, key: &str, value: &T) -> Self {
        self.raw(key, &Raw::of(value))
    }

    /// Adds a field whose value is JSON text already.
    pub(crate) fn raw(mut self, key: &str, value: &Raw) -> Self {
        self.key(key);
        self.text.push_str(&value.0);
        self
    }

    /// Adds a field if there is a value.
    pub(crate) fn some<T: Serialize>(self, key: &str, value: Option<T>) -> Self {
        match value {
            Some(value) => self.put(key, &value),
            None => self,
        }
    }

    /// Adds a field if there is JSON text for it.
    pub(crate) fn some_raw(self, key: &str, value: Option<&Raw>) -> Self {
        match value {
            Some(value) => self.raw(key, value),
            None => self,
        }
    }

    /// Adds `true` under the key, or nothing: Telegram leaves false flags out.
    pub(crate) fn flag(self, key: &str, set: bool) -> Self {
        if set { self.put(key, &true) } else { self }
    }

    /// Adds a number without going through serde: the hot path of messages.
    pub(crate) fn number(mut self, key: &str, value: i64) -> Self {
        self.key(key);
        // Writing to a String cannot fail.
        write!(self.text, "{value}").ok();
        self
    }

    /// Closes the object.
    pub(crate) fn end(mut self) -> Raw {
        self.text.push('}');
        Raw(self.text)
    }

    fn key(&mut self, key: &str) {
        if self.text.len() > 1 {
            self.text.push(',');
        }
        self.text.push('"');
        self.text.push_str(key);
        self.text.push_str("\":");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn keeps_the_order_and_escapes_values() {
        let inner = Object::new()
            .number("id", -5)
            .flag("is_bot", false)
            .put("first_name", "a\"b")
            .end();
        let outer = Object::new()
            .number("z", 1)
            .raw("a", &inner)
            .some("m", None::<i64>)
            .flag("t", true)
            .end();
        assert_eq!(
            outer.as_str(),
            r#"{"z":1,"a":{"id":-5,"first_name":"a\"b"},"t":true}"#
        );
        let value: serde_json::Value = serde_json::from_str(outer.as_str()).unwrap();
        assert_eq!(value["a"]["first_name"], "a\"b");
        assert_eq!(
            Raw::array([&Raw::truth(), &inner]).as_str(),
            r#"[true,{"id":-5,"first_name":"a\"b"}]"#
        );
        assert_eq!(Object::new().end().as_str(), "{}");
    }

    #[test]
    fn takes_foreign_text_only_if_it_is_json() {
        assert_eq!(
            Raw::parse(" {\"b\": 1,\"a\":2} ").unwrap().as_str(),
            "{\"b\": 1,\"a\":2}"
        );
        assert!(Raw::parse("{\"b\": 1").is_none());
    }
}
