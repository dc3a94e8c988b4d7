//! Lays the layers over each other: defaults, file, environment. Input: `known.rs`, a file, the
//! variables of `environment.rs`. Output: [`Settings`], to `section.rs` and `render.rs`. Invariant:
//! a `Settings` holds a value of the right kind for exactly the known keys, each with its origin;
//! everything that is refused is refused together.

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
};

use toml_edit::DocumentMut;

use crate::{
    Cause, Origin, Refusal, SettingsError,
    environment::{FILE, Variable, classify},
    known::{Known, Leaf, leaves, nearest},
    mask::shown,
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
        let variables: BTreeMap<String, String> = environment.collect();
        let named = variables.get(FILE).filter(|path| !path.is_empty());
        let file = file.map(Path::to_owned).or(named.map(PathBuf::from));

        let mut layers = Layers::new(Known::read()?);
        if let Some(path) = file {
            layers.read_file(&path)?;
        }
        for (name, text) in variables {
            layers.read_variable(name, &text);
        }
        layers.finish()
    }

    /// Where the value of `key` (dotted) was written.
    pub fn origin(&self, key: &str) -> Option<&Origin> {
        self.entries.get(key).map(|entry| &entry.origin)
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries
            .iter()
            .map(|(key, entry)| (key.as_str(), entry))
    }
}

/// Shows which keys were changed and where, and no values.
impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let changed = self
            .entries()
            .filter(|(_, entry)| entry.origin != Origin::Default);
        formatter
            .debug_map()
            .entries(changed.map(|(key, entry)| (key, &entry.origin)))
            .finish()
    }
}

/// What was read so far, later layers over earlier ones.
struct Layers {
    known: Known,
    entries: BTreeMap<String, Entry>,
    refused: Vec<Refusal>,
}

impl Layers {
    fn new(known: Known) -> Self {
        let default = |value: &Value| Entry {
            value: value.clone(),
            origin: Origin::Default,
        };
        let entries = known
            .defaults()
            .map(|(key, value)| (key.to_owned(), default(value)))
            .collect();
        Self {
            known,
            entries,
            refused: Vec::new(),
        }
    }

    fn read_file(&mut self, path: &Path) -> Result<(), SettingsError> {
        let unreadable = |source| SettingsError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let text = fs::read_to_string(path).map_err(unreadable)?;
        let document: DocumentMut = text.parse().map_err(|error| syntax(path, &text, &error))?;
        let origin = Origin::File(path.to_owned());
        for (key, leaf) in leaves(document.as_table()) {
            let origin = origin.clone();
            match (self.known.kind(&key), leaf) {
                (Some(kind), Leaf::Value(value)) => {
                    let found = shown(&key, &value);
                    match kind.accept(value) {
                        Some(value) => self.set(key, value, origin),
                        None => self.refuse_value(key, origin, kind.expected(), found),
                    }
                }
                (Some(kind), Leaf::Strange | Leaf::Empty) => {
                    self.refuse_value(key, origin, kind.expected(), None);
                }
                (None, Leaf::Empty) if self.known.is_section(&key) => {}
                (None, _) if self.known.is_section(&key) => {
                    let expected = format!("a section, [{key}] on a line of its own");
                    self.refuse_value(key, origin, &expected, None);
                }
                (None, _) => {
                    let nearest =
                        nearest(&key, self.known.keys().map(|(key, _)| key)).map(str::to_owned);
                    self.refuse(key, origin, Cause::Unknown { nearest });
                }
            }
        }
        Ok(())
    }

    fn read_variable(&mut self, name: String, text: &str) {
        match classify(&name, text, self.known.keys()) {
            Variable::Foreign | Variable::File => {}
            Variable::Unknown { nearest } => {
                self.refuse(
                    name.clone(),
                    Origin::Variable(name),
                    Cause::Unknown { nearest },
                );
            }
            Variable::Key(key, kind) => {
                let (key, origin) = (key.to_owned(), Origin::Variable(name));
                match kind.parse(text) {
                    Some(value) => self.set(key, value, origin),
                    None => {
                        let found = shown(&key, &Value::Text(text.to_owned()));
                        self.refuse_value(key, origin, kind.expected(), found);
                    }
                }
            }
        }
    }

    fn finish(self) -> Result<Settings, SettingsError> {
        if self.refused.is_empty() {
            Ok(Settings {
                entries: self.entries,
            })
        } else {
            Err(SettingsError::Refused(self.refused))
        }
    }

    fn set(&mut self, key: String, value: Value, origin: Origin) {
        self.entries.insert(key, Entry { value, origin });
    }

    fn refuse(&mut self, key: String, origin: Origin, cause: Cause) {
        self.refused.push(Refusal { key, origin, cause });
    }

    fn refuse_value(&mut self, key: String, origin: Origin, expected: &str, found: Option<String>) {
        self.refuse(
            key,
            origin,
            Cause::Wrong {
                expected: expected.to_owned(),
                found,
            },
        );
    }
}

/// Where a file is not TOML. The parser's own text would quote the line.
fn syntax(path: &Path, text: &str, error: &toml_edit::TomlError) -> SettingsError {
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
}
