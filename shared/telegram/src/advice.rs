//! What a failed call means and what to do about it: the catalogue of the Bot API's errors.
//!
//! In: an error's code, text and method, or the word for a failure on the way. Out: an
//! [`Advice`]: a key that records carry, a class, and the texts that people read. Sources of the
//! texts: tdlib/telegram-bot-api 10.0 and what clients were seen to receive. Invariant: every
//! failure has an advice; a more special row stands before a more general one, and each row can
//! be reached (tested). Nothing of a failure's own text is ever part of an advice.

mod access;
mod content;
mod endpoint;
mod files;
mod polling;
mod way;

use serde::{Deserialize, Serialize};

/// How much a failure matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[derive(schemars::JsonSchema)]
pub enum Class {
    /// Part of everyday life: a user who left, a message that was the same already.
    Expected,
    /// The bot asks for something that cannot be.
    Bug,
    /// The bot or its address is set up wrongly.
    Config,
    /// Too much, too fast or too large.
    Capacity,
    /// Telegram, the way there, or Gramtap failed.
    Outage,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 5] = [
        Self::Expected,
        Self::Bug,
        Self::Config,
        Self::Capacity,
        Self::Outage,
    ];

    /// As records write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expected => "expected",
            Self::Bug => "bug",
            Self::Config => "config",
            Self::Capacity => "capacity",
            Self::Outage => "outage",
        }
    }
}

/// Whether the bot should make the call again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// The same call can never succeed.
    Never,
    /// After the seconds that the answer names.
    AfterRetryAfter,
    /// A little later; libraries do so by themselves.
    Soon,
    /// If it only asks; a message may have been sent though its answer is lost.
    IfItOnlyReads,
}

/// One row of the catalogue.
#[derive(Debug)]
pub struct Advice {
    /// What records carry; never reused with another meaning.
    pub key: &'static str,
    /// How much it matters.
    pub class: Class,
    /// What happened, in a few words.
    pub title: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What to do.
    pub remedy: &'static str,
    /// Whether the bot should make the call again.
    pub again: Again,
    /// When the row fits.
    fits: Fits,
}

/// When a row fits.
#[derive(Debug)]
enum Fits {
    /// An answer of the Bot API or of a server before it, with one of these codes (none: any); one of these methods (none:
    /// any); a text that holds one of these (none: any), without regard to case.
    Answer {
        codes: &'static [i64],
        methods: &'static [&'static str],
        texts: &'static [&'static str],
    },
    /// A word for a failure on the way or of Gramtap's own.
    Label(&'static [&'static str]),
}

/// What is known of a failure.
#[derive(Clone, Copy, Debug)]
pub struct Symptom<'a> {
    /// `error_code`, or the HTTP status.
    pub code: Option<i64>,
    /// The documented spelling of the method.
    pub method: &'a str,
    /// Telegram's text.
    pub description: Option<&'a str>,
    /// Gramtap's word, where the answer is not Telegram's.
    pub label: Option<&'a str>,
}

/// All rows, the more special ones first.
static ROWS: [&[Advice]; 7] = [
    endpoint::ROWS,
    way::ROWS,
    polling::ROWS,
    access::ROWS,
    files::ROWS,
    content::ROWS,
    way::LAST,
];

/// Finds the advice for a failure.
#[must_use]
pub fn of(symptom: &Symptom<'_>) -> &'static Advice {
    rows()
        .find(|row| row.fits.fits(symptom))
        .unwrap_or(&way::UNKNOWN)
}

/// Finds an advice by the key in a record. `None`: the record is of a later version.
#[must_use]
pub fn named(key: &str) -> Option<&'static Advice> {
    all().find(|row| row.key == key)
}

/// The whole catalogue.
pub fn all() -> impl Iterator<Item = &'static Advice> {
    rows().chain([&way::UNKNOWN])
}

fn rows() -> impl Iterator<Item = &'static Advice> {
    ROWS.iter().flat_map(|rows| rows.iter())
}

impl Fits {
    fn fits(&self, symptom: &Symptom<'_>) -> bool {
        match self {
            Self::Label(labels) => symptom.label.is_some_and(|label| labels.contains(&label)),
            Self::Answer {
                codes,
                methods,
                texts,
            } => {
                let text = symptom.description.unwrap_or_default();
                let code = |code| codes.contains(&code);
                (codes.is_empty() || symptom.code.is_some_and(code))
                    && (methods.is_empty() || methods.contains(&symptom.method))
                    && (texts.is_empty() || texts.iter().any(|part| holds(text, part)))
            }
        }
    }
}

/// Whether `text` holds `part`, without regard to the case of ASCII letters.
fn holds(text: &str, part: &str) -> bool {
    let (text, part) = (text.as_bytes(), part.as_bytes());
    text.windows(part.len())
        .any(|window| window.eq_ignore_ascii_case(part))
}

#[cfg(test)]
mod tests;
