//! A section of the effective configuration as a struct of the service that asks for it. Input:
//! [`Settings`]. Output: the service's `config.rs`. Invariant: a complaint of serde is told with the
//! key, its origin and what was expected, and quotes no value that may be secret; a struct that does
//! not fit the page of defaults is told apart, as a fault of the program.

use figment::{
    error::{Actual, Kind as SerdeKind},
    value::Dict,
};
use serde::de::DeserializeOwned;

use crate::{
    Cause, Origin, Refusal, Settings, SettingsError,
    load::Entry,
    mask::{is_sensitive, showable},
    value::Value,
};

impl Settings {
    /// A section as a struct of the caller's, sub-sections included (`bus` holds `bus.embedded`;
    /// that one may be asked for alone, too).
    ///
    /// # Errors
    /// [`SettingsError::Refused`] for a value that the struct does not take, with its origin.
    /// [`SettingsError::Section`] if there is no such section or the struct has other fields.
    pub fn section<T: DeserializeOwned>(&self, name: &str) -> Result<T, SettingsError> {
        let prefix = format!("{name}.");
        self.read(&prefix, |key| key.strip_prefix(&prefix))
    }

    /// The keys outside any section (`public_url`, `data_dir`) as a struct of the caller's.
    ///
    /// # Errors
    /// As [`Settings::section`].
    pub fn top<T: DeserializeOwned>(&self) -> Result<T, SettingsError> {
        self.read("", |key| (!key.contains('.')).then_some(key))
    }

    /// The error for a value that is refused only after it was read: a combination, a file that is
    /// not there. `expected` completes "expected …" and tells what to write instead.
    pub fn refuse(&self, key: &str, expected: impl Into<String>) -> SettingsError {
        let origin = self.origin(key).cloned().unwrap_or(Origin::Default);
        let cause = Cause::Wrong {
            expected: expected.into(),
            found: None,
        };
        SettingsError::Refused(vec![Refusal {
            key: key.to_owned(),
            origin,
            cause,
        }])
    }

    fn read<'a, T: DeserializeOwned>(
        &'a self,
        prefix: &str,
        select: impl Fn(&'a str) -> Option<&'a str>,
    ) -> Result<T, SettingsError> {
        let mut dict = Dict::new();
        for (key, entry) in self.entries() {
            if let Some(rest) = select(key) {
                insert(&mut dict, rest, entry.value.to_serde());
            }
        }
        figment::value::Value::from(dict)
            .deserialize()
            .map_err(|error| self.explain(prefix, error))
    }

    /// Turns serde's complaint into one that names the key and its origin.
    fn explain(&self, prefix: &str, error: figment::Error) -> SettingsError {
        let mut refused = Vec::new();
        for error in error {
            let path = format!("{prefix}{}", error.path.join("."));
            match (structural(&error.kind), self.entry_at(&path)) {
                (None, Some((key, entry))) => refused.push(Refusal {
                    key: key.to_owned(),
                    origin: entry.origin.clone(),
                    cause: complaint(key, &entry.value, error.kind),
                }),
                (message, _) => {
                    let section = prefix.trim_end_matches('.').to_owned();
                    let message = message.unwrap_or_else(|| "it is not a section".to_owned());
                    return SettingsError::Section { section, message };
                }
            }
        }
        SettingsError::Refused(refused)
    }

    /// The entry at a path, which goes on beyond its key where an item of a list is at fault.
    fn entry_at(&self, path: &str) -> Option<(&str, &Entry)> {
        self.entries().find(|(key, _)| {
            path.strip_prefix(key)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }
}

/// Puts a value at a dotted key, making the dictionaries on the way.
fn insert(dict: &mut Dict, key: &str, value: figment::value::Value) {
    match key.split_once('.') {
        None => {
            dict.insert(key.to_owned(), value);
        }
        Some((section, rest)) => {
            let entry = dict
                .entry(section.to_owned())
                .or_insert_with(|| Dict::new().into());
            if let figment::value::Value::Dict(_, inner) = entry {
                insert(inner, rest, value);
            }
        }
    }
}

/// A complaint of serde about a key's value, without quoting what may be secret.
fn complaint(key: &str, value: &Value, kind: SerdeKind) -> Cause {
    let text = |actual: Actual| match actual {
        Actual::Str(text) => Some(text),
        Actual::Bool(flag) => Some(flag.to_string()),
        Actual::Unsigned(number) => Some(number.to_string()),
        Actual::Signed(number) => Some(number.to_string()),
        Actual::Float(number) => Some(number.to_string()),
        _ => None,
    };
    let quotes_value = |message: &str| match value {
        Value::Text(text) => !text.is_empty() && message.contains(text),
        Value::List(items) => items.iter().any(|item| message.contains(item)),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => false,
    };
    let hidden = is_sensitive(key);
    let (expected, found) = match kind {
        SerdeKind::InvalidType(actual, expected) | SerdeKind::InvalidValue(actual, expected) => {
            (expected, text(actual))
        }
        SerdeKind::UnknownVariant(found, variants) => (variants.join(" or "), Some(found)),
        SerdeKind::ISizeOutOfRange(number) => {
            ("a smaller number".to_owned(), Some(number.to_string()))
        }
        SerdeKind::USizeOutOfRange(number) => {
            ("a smaller number".to_owned(), Some(number.to_string()))
        }
        SerdeKind::Message(message) if !hidden && !quotes_value(&message) => {
            (format!("another value ({message})"), None)
        }
        _ => ("another value".to_owned(), None),
    };
    let found = found.filter(|_| !hidden).and_then(|found| showable(&found));
    Cause::Wrong { expected, found }
}

/// The complaints that are not about a value but about the struct.
fn structural(kind: &SerdeKind) -> Option<String> {
    match kind {
        SerdeKind::MissingField(name) => Some(format!("the page has no key {name}")),
        SerdeKind::UnknownField(name, _) => Some(format!("the struct has no field {name}")),
        _ => None,
    }
}
