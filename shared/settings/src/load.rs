//! Lays the layers over each other: defaults, file, environment. Input: `known.rs`, a file, the
//! variables of `environment.rs`. Output: [`Settings`], to `app.rs` of each service, which reads
//! its sections from it. Invariant: a `Settings` holds a value of the right kind for exactly the
//! known keys, each with its origin; everything that is refused is refused together.

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
};

use figment::{
    error::{Actual, Kind as SerdeKind},
    value::Dict,
};
use serde::de::DeserializeOwned;
use toml_edit::DocumentMut;

use crate::{
    Origin, Refusal, SettingsError,
    environment::{Variable, classify},
    error::Cause,
    known::{Known, Leaf, leaves, nearest},
    mask,
    value::Value,
};

/// The effective configuration.
pub struct Settings {
    entries: BTreeMap<String, Entry>,
}

/// One effective value and where it was written.
pub(crate) struct Entry {
    pub(crate) value: Value,
    pub(crate) origin: Origin,
}

impl Settings {
    /// Reads the defaults, then `file` (or else the file that `GRAMTAP_CONFIG` names, if any), then
    /// the variables. `environment` is [`crate::process_environment`] outside tests.
    ///
    /// # Errors
    /// A file that cannot be read or is not TOML; keys that are unknown; values of the wrong kind.
    pub fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        let known = Known::read()?;
        let mut layers = BTreeMap::new();
        let mut refused = Vec::new();

        let variables: BTreeMap<String, String> = environment.collect();
        let named = variables
            .get(crate::environment::FILE)
            .filter(|path| !path.is_empty())
            .map(PathBuf::from);
        if let Some(path) = file.map(Path::to_owned).or(named) {
            read_file(&path, &known, &mut layers, &mut refused)?;
        }
        for (name, text) in variables {
            read_variable(name, &text, &known, &mut layers, &mut refused);
        }
        if !refused.is_empty() {
            return Err(SettingsError::Refused(refused));
        }

        let mut entries: BTreeMap<String, Entry> = known
            .into_defaults()
            .map(|(key, value)| {
                (
                    key,
                    Entry {
                        value,
                        origin: Origin::Default,
                    },
                )
            })
            .collect();
        entries.append(&mut layers);
        Ok(Self { entries })
    }

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

    /// Where the value of `key` (dotted) was written.
    pub fn origin(&self, key: &str) -> Option<&Origin> {
        self.entries.get(key).map(|entry| &entry.origin)
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

    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries
            .iter()
            .map(|(key, entry)| (key.as_str(), entry))
    }

    fn read<'a, T: DeserializeOwned>(
        &'a self,
        prefix: &str,
        select: impl Fn(&'a str) -> Option<&'a str>,
    ) -> Result<T, SettingsError> {
        let mut dict = Dict::new();
        for (key, entry) in &self.entries {
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
            let key = format!("{prefix}{}", error.path.join("."));
            match (structural(&error.kind), self.entries.get(&key)) {
                (None, Some(entry)) => refused.push(Refusal {
                    cause: complaint(&key, &entry.value, error.kind),
                    origin: entry.origin.clone(),
                    key,
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
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let changed = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.origin != Origin::Default);
        formatter
            .debug_map()
            .entries(changed.map(|(key, entry)| (key, &entry.origin)))
            .finish()
    }
}

fn read_file(
    path: &Path,
    known: &Known,
    layers: &mut BTreeMap<String, Entry>,
    refused: &mut Vec<Refusal>,
) -> Result<(), SettingsError> {
    let text = fs::read_to_string(path).map_err(|source| SettingsError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        let before = error
            .span()
            .and_then(|span| text.get(..span.start))
            .unwrap_or_default();
        SettingsError::Syntax {
            path: path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before
                .chars()
                .rev()
                .take_while(|character| *character != '\n')
                .count()
                + 1,
            message: error.message().to_owned(),
        }
    })?;
    let origin = Origin::File(path.to_owned());
    for (key, leaf) in leaves(document.as_table()) {
        let origin = origin.clone();
        match (known.kind(&key), leaf) {
            (Some(kind), Leaf::Value(value)) => {
                let shown = shown(&key, &value);
                match kind.accept(value) {
                    Some(value) => {
                        layers.insert(key, Entry { value, origin });
                    }
                    None => refused.push(wrong(key, origin, kind.expected(), shown)),
                }
            }
            (Some(kind), Leaf::Strange | Leaf::Empty) => {
                refused.push(wrong(key, origin, kind.expected(), None));
            }
            (None, Leaf::Empty) if known.is_section(&key) => {}
            (None, _) if known.is_section(&key) => {
                let expected = format!("a section, [{key}] on a line of its own");
                refused.push(wrong(key, origin, &expected, None));
            }
            (None, _) => {
                let nearest = nearest(&key, known.keys()).map(str::to_owned);
                refused.push(Refusal {
                    key,
                    origin,
                    cause: Cause::Unknown { nearest },
                });
            }
        }
    }
    Ok(())
}

fn read_variable(
    name: String,
    text: &str,
    known: &Known,
    layers: &mut BTreeMap<String, Entry>,
    refused: &mut Vec<Refusal>,
) {
    let keys: Vec<&str> = known.keys().collect();
    match classify(&name, text, keys.iter().copied()) {
        Variable::Foreign | Variable::File => {}
        Variable::Unknown { nearest } => {
            refused.push(Refusal {
                key: name.clone(),
                origin: Origin::Variable(name),
                cause: Cause::Unknown { nearest },
            });
        }
        Variable::Key(key) => {
            let Some(kind) = known.kind(key) else { return };
            let origin = Origin::Variable(name);
            match kind.parse(text) {
                Some(value) => {
                    layers.insert(key.to_owned(), Entry { value, origin });
                }
                None => {
                    let shown = shown(key, &Value::Text(text.to_owned()));
                    refused.push(wrong(key.to_owned(), origin, kind.expected(), shown));
                }
            }
        }
    }
}

fn wrong(key: String, origin: Origin, expected: &str, found: Option<String>) -> Refusal {
    Refusal {
        key,
        origin,
        cause: Cause::Wrong {
            expected: expected.to_owned(),
            found,
        },
    }
}

/// A value as an error text may show it.
fn shown(key: &str, value: &Value) -> Option<String> {
    match value {
        _ if mask::is_sensitive(key) => None,
        Value::Text(text) => showable(text),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Boolean(flag) => Some(flag.to_string()),
        Value::List(_) => None,
    }
}

/// Only what cannot be an address with a password, a bot token or a key is shown.
fn showable(text: &str) -> Option<String> {
    let plain = |character: char| character.is_alphanumeric() || " ._-+,%".contains(character);
    (text.chars().count() <= 24 && text.chars().all(plain)).then(|| text.to_owned())
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
    let hidden = mask::is_sensitive(key);
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
