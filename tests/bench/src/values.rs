//! Numbers by name.
//!
//! In: what was measured once. Out: rows of the table. Invariant: a name has one number, and a ratio to nginx's of its own where both were
//! measured in turns. Pure.

use std::collections::BTreeMap;

/// What was measured, by name.
#[derive(Debug, Default)]
pub(crate) struct Values(BTreeMap<String, Value>);

/// A number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Value {
    pub(crate) number: f64,
    /// To what nginx had at the same time.
    pub(crate) ratio: Option<f64>,
}

impl Values {
    pub(crate) fn insert(&mut self, name: String, number: f64) {
        self.insert_with(name, number, None);
    }

    /// One that was measured in turns with nginx.
    pub(crate) fn insert_with(&mut self, name: String, number: f64, ratio: Option<f64>) {
        self.0.insert(name, Value { number, ratio });
    }

    pub(crate) fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(crate) fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).map(|value| value.number)
    }
}

impl IntoIterator for Values {
    type Item = (String, Value);
    type IntoIter = std::collections::btree_map::IntoIter<String, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
