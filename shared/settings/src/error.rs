//! What is wrong with a configuration, where it was written, and what to write instead. Input:
//! `load.rs`. Output: standard error, by the program that exits with [`crate::EXIT_CONFIG`].
//! Invariant: a value is shown only when it is short and plain, and never that of a key that may
//! hold a secret; the text of a file is never quoted.

use std::{fmt, io, path::PathBuf};

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The compiled-in `default.toml`.
    Default,
    /// A configuration file.
    File(PathBuf),
    /// An environment variable, by its name.
    Variable(String),
}

/// One key that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The key, dotted; as written if it is unknown.
    pub key: String,
    /// Where it was written.
    pub origin: Origin,
    /// Why.
    pub cause: Cause,
}

/// Why a key is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// There is no such key.
    Unknown {
        /// The one that was perhaps meant, spelt as its origin spells keys.
        nearest: Option<String>,
    },
    /// The value is not what the key takes.
    Wrong {
        /// What to write instead.
        expected: String,
        /// What was written, if that can be shown.
        found: Option<String>,
    },
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file that was named cannot be read.
    #[error("the configuration file {} cannot be read ({source}); name another with --config or GRAMTAP_CONFIG", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not TOML. Its text is not quoted: the line at fault may be that of a password.
    #[error("the configuration file {} is not valid TOML at line {line}, column {column}: {}", path.display(), message.lines().next().unwrap_or_default())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// What the parser expected.
        message: String,
    },
    /// Keys or values that are refused: all of them, so that one look mends the file.
    #[error("{}", Refusals(.0))]
    Refused(Vec<Refusal>),
    /// A section's struct and the page of defaults disagree: a fault of the program.
    #[error(
        "section {section:?} does not fit the page of defaults: {message}; this is a fault of the program, please report it"
    )]
    Section {
        /// The section that was asked for.
        section: String,
        /// The field and what is wrong with it.
        message: String,
    },
    /// The compiled-in page of defaults cannot be used: a fault of the program.
    #[error(
        "the compiled-in defaults are damaged: {0}; this is a fault of the program, please report it"
    )]
    Defaults(String),
}

impl SettingsError {
    /// A fixed word for metrics and tests.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "unreadable",
            Self::Syntax { .. } => "syntax",
            Self::Refused(_) => "refused",
            Self::Section { .. } => "section",
            Self::Defaults(_) => "defaults",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str("the defaults"),
            Self::File(path) => write!(formatter, "{}", path.display()),
            Self::Variable(name) => formatter.write_str(name),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.origin, &self.cause) {
            (Origin::Variable(name), Cause::Unknown { .. }) => {
                write!(formatter, "variable {name}: no such key")?
            }
            (Origin::Variable(name), Cause::Wrong { .. }) => {
                write!(formatter, "{} (variable {name})", self.key)?
            }
            (origin, Cause::Unknown { .. }) => {
                write!(formatter, "{} (in {origin}): no such key", self.key)?
            }
            (origin, Cause::Wrong { .. }) => write!(formatter, "{} (in {origin})", self.key)?,
        }
        match &self.cause {
            Cause::Unknown {
                nearest: Some(nearest),
            } => write!(formatter, ", the nearest is {nearest}"),
            Cause::Unknown { nearest: None } => {
                formatter.write_str(", `gramtap config` prints them all")
            }
            Cause::Wrong {
                expected,
                found: Some(found),
            } => {
                write!(formatter, ": expected {expected}, found {found:?}")
            }
            Cause::Wrong {
                expected,
                found: None,
            } => write!(formatter, ": expected {expected}"),
        }
    }
}

struct Refusals<'a>(&'a [Refusal]);

impl fmt::Display for Refusals<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the configuration is refused")?;
        match self.0 {
            [one] => write!(formatter, ": {one}"),
            many => many
                .iter()
                .try_for_each(|refusal| write!(formatter, "\n  {refusal}")),
        }
    }
}
