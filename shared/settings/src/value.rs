//! The kinds of value that a key may have, and reading one from TOML or from a variable's text.
//! Input: `known.rs` derives kinds from `default.toml`; `load.rs` reads files and `environment.rs`
//! with them. Output: [`Value`], to `load.rs` (sections) and `render.rs`. Invariant: a value that
//! was read is of its key's kind, so a duration that a service never asks for is checked as well.

use std::str::FromStr;

use bytesize::ByteSize;
use toml_edit::{Array, Item};

/// What a key's value may be. Durations and sizes are text in TOML, told by their default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Duration,
    Size,
    Integer,
    Float,
    Boolean,
    List,
}

/// One effective value.
#[derive(Clone, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    List(Vec<String>),
}

impl Kind {
    /// The kind of a default. A text that reads as a duration or a size is one.
    pub(crate) fn of(default: &Value) -> Self {
        match default {
            Value::Text(text) if is_duration(text) => Self::Duration,
            Value::Text(text) if is_size(text) => Self::Size,
            Value::Text(_) => Self::Text,
            Value::Integer(_) => Self::Integer,
            Value::Float(_) => Self::Float,
            Value::Boolean(_) => Self::Boolean,
            Value::List(_) => Self::List,
        }
    }

    /// What a value of this kind looks like, for error texts.
    pub(crate) fn expected(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Duration => "a duration such as 250ms, 30s, 5m or 7d",
            Self::Size => "a size such as 64KiB, 8MiB or 1GiB",
            Self::Integer => "a whole number",
            Self::Float => "a number",
            Self::Boolean => "true or false",
            Self::List => "a list of texts such as [\"a\", \"b\"]",
        }
    }

    /// Accepts a value of a TOML file, or `None` if it is of another kind.
    pub(crate) fn accept(self, value: Value) -> Option<Value> {
        match (self, value) {
            (Self::Duration, Value::Text(text)) => is_duration(&text).then_some(Value::Text(text)),
            (Self::Size, Value::Text(text)) => is_size(&text).then_some(Value::Text(text)),
            (Self::Size, Value::Integer(bytes)) => (bytes >= 0).then_some(Value::Integer(bytes)),
            (Self::Float, Value::Integer(whole)) => Some(Value::Float(whole as f64)),
            (Self::Float, Value::Float(number)) => {
                number.is_finite().then_some(Value::Float(number))
            }
            (Self::Text, value @ Value::Text(_))
            | (Self::Integer, value @ Value::Integer(_))
            | (Self::Boolean, value @ Value::Boolean(_))
            | (Self::List, value @ Value::List(_)) => Some(value),
            _ => None,
        }
    }

    /// Reads the text of an environment variable, or `None` if it is not of this kind. A list is
    /// written as in TOML (`["a","b"]`) or with commas alone (`a,b`).
    pub(crate) fn parse(self, text: &str) -> Option<Value> {
        let trimmed = text.trim();
        let value = match self {
            Self::Text => return Some(Value::Text(text.to_owned())),
            Self::Duration | Self::Size => Value::Text(trimmed.to_owned()),
            Self::Integer => Value::Integer(trimmed.parse().ok()?),
            Self::Float => Value::Float(trimmed.parse().ok()?),
            Self::Boolean => Value::Boolean(trimmed.parse().ok()?),
            Self::List if trimmed.starts_with('[') => {
                Value::from_toml(&toml_edit::Value::from_str(trimmed).ok()?)?
            }
            Self::List => Value::List(
                trimmed
                    .split(',')
                    .map(str::trim)
                    .filter(|item| !item.is_empty())
                    .map(str::to_owned)
                    .collect(),
            ),
        };
        self.accept(value)
    }
}

impl Value {
    /// A TOML value as one of ours; `None` for dates, tables and lists of other things than texts.
    pub(crate) fn from_toml(value: &toml_edit::Value) -> Option<Self> {
        match value {
            toml_edit::Value::String(text) => Some(Self::Text(text.value().clone())),
            toml_edit::Value::Integer(number) => Some(Self::Integer(*number.value())),
            toml_edit::Value::Float(number) => Some(Self::Float(*number.value())),
            toml_edit::Value::Boolean(flag) => Some(Self::Boolean(*flag.value())),
            toml_edit::Value::Array(items) => items
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect::<Option<_>>()
                .map(Self::List),
            toml_edit::Value::Datetime(_) | toml_edit::Value::InlineTable(_) => None,
        }
    }

    /// The value as TOML, without the spacing and comments it was written with.
    pub(crate) fn to_toml(&self) -> Item {
        match self {
            Self::Text(text) => toml_edit::value(text),
            Self::Integer(number) => toml_edit::value(*number),
            Self::Float(number) => toml_edit::value(*number),
            Self::Boolean(flag) => toml_edit::value(*flag),
            Self::List(items) => toml_edit::value(items.iter().collect::<Array>()),
        }
    }

    /// The value as serde sees it when a section is read.
    pub(crate) fn to_serde(&self) -> figment::value::Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Integer(number) => (*number).into(),
            Self::Float(number) => (*number).into(),
            Self::Boolean(flag) => (*flag).into(),
            Self::List(items) => items.clone().into(),
        }
    }
}

fn is_duration(text: &str) -> bool {
    #[derive(serde::Deserialize)]
    #[serde(transparent)]
    struct Probe(#[serde(with = "humantime_serde")] std::time::Duration);
    let deserializer = serde::de::value::StrDeserializer::<serde::de::value::Error>::new(text);
    <Probe as serde::Deserialize>::deserialize(deserializer)
        .is_ok_and(|probe| probe.0 >= std::time::Duration::ZERO)
}

fn is_size(text: &str) -> bool {
    ByteSize::from_str(text).is_ok()
}
