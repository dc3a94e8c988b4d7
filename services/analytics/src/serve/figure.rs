//! Headline numbers: a value, how it has changed, and what it means.
//!
//! In: numbers of `query/` and their [`Definition`]s. Out: `figure.html`. Invariant: the exact value stands in the page beside its written form,
//! under the name that `query/` has for it. Pure.

use super::definition::Definition;
use super::number::{self, Change, Sense};

/// A headline number.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What it is.
    pub definition: &'static Definition,
    /// Where it stands in the answer, such as `total.calls`.
    pub number: String,
    /// As a machine reads it.
    pub raw: String,
    /// As it is written.
    pub text: String,
    /// How it has changed.
    pub change: Option<Change>,
    /// What it is compared with: the name and the value of that number, and how it is written.
    pub before: Option<(String, String, String)>,
    /// Words behind the value.
    pub note: &'static str,
}

impl Figure {
    /// A count.
    #[must_use]
    pub fn count(definition: &'static Definition, whole: &str, n: i64) -> Self {
        Self {
            definition,
            number: format!("{whole}{}", definition.key),
            raw: n.to_string(),
            text: number::count(n),
            change: None,
            before: None,
            note: "",
        }
    }

    /// A share.
    #[must_use]
    pub fn share(definition: &'static Definition, whole: &str, share: Option<f64>) -> Self {
        let text = share.map_or_else(|| number::NOTHING.to_owned(), number::percent);
        Self {
            raw: share.map(|share| share.to_string()).unwrap_or_default(),
            text,
            ..Self::count(definition, whole, 0)
        }
    }

    /// A duration in milliseconds.
    #[must_use]
    pub fn duration(definition: &'static Definition, name: &str, ms: Option<f64>) -> Self {
        let text = ms.map_or_else(|| number::NOTHING.to_owned(), number::duration);
        Self {
            number: name.to_owned(),
            raw: ms.map(|ms| ms.to_string()).unwrap_or_default(),
            text,
            ..Self::count(definition, "", 0)
        }
    }

    /// Compared with the same number of an earlier time. `changed`: the part of both that can be compared fairly.
    #[must_use]
    pub fn against(mut self, before: i64, changed: Option<(i64, i64)>, sense: Sense) -> Self {
        self.change = changed.map(|(now, before)| number::change(now, before, sense));
        let name = format!("before.{}", self.definition.key);
        self.before = Some((name, before.to_string(), number::count(before)));
        self
    }

    /// The same of a share.
    #[must_use]
    pub fn against_share(
        mut self,
        before: Option<f64>,
        changed: (Option<f64>, Option<f64>),
        sense: Sense,
    ) -> Self {
        self.change = Some(number::change_of_share(changed.0, changed.1, sense));
        let text = before.map_or_else(|| number::NOTHING.to_owned(), number::percent);
        let raw = before.map(|share| share.to_string()).unwrap_or_default();
        self.before = Some((format!("before.{}", self.definition.key), raw, text));
        self
    }
}
