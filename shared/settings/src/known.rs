//! The set of known keys with their kinds and defaults, read from `default.toml`, and the known
//! key nearest to a mistyped one. Input: the page of defaults. Output: `load.rs`. Invariant: the
//! page is the only list of keys there is, so a key that is documented exists and the other way
//! round. Pure, runs once at start.

use std::collections::BTreeMap;

use toml_edit::{DocumentMut, TableLike};

use crate::{
    DEFAULT, SettingsError,
    value::{Kind, Value},
};

/// Every key, dotted (`bus.embedded.retention`), with its kind and default.
pub(crate) struct Known {
    keys: BTreeMap<String, (Kind, Value)>,
}

/// What stands at the end of a path of a TOML document.
pub(crate) enum Leaf {
    /// A value of one of our kinds.
    Value(Value),
    /// A date, a list of other things than texts, an array of tables.
    Strange,
    /// A section without keys. It sets nothing, but its name may be mistyped.
    Empty,
}

impl Known {
    /// Reads the page of defaults.
    pub(crate) fn read() -> Result<Self, SettingsError> {
        let page: DocumentMut = DEFAULT
            .parse()
            .map_err(|_| SettingsError::Defaults("it is not TOML".to_owned()))?;
        let mut keys = BTreeMap::new();
        for (key, leaf) in leaves(page.as_table()) {
            let Leaf::Value(value) = leaf else {
                return Err(SettingsError::Defaults(format!(
                    "{key} is of no known kind"
                )));
            };
            keys.insert(key, (Kind::of(&value), value));
        }
        Ok(Self { keys })
    }

    pub(crate) fn kind(&self, key: &str) -> Option<Kind> {
        self.keys.get(key).map(|(kind, _)| *kind)
    }

    pub(crate) fn is_section(&self, name: &str) -> bool {
        self.keys().any(|(key, _)| {
            key.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with('.'))
        })
    }

    /// All keys with their kinds, in alphabetical order.
    pub(crate) fn keys(&self) -> impl Iterator<Item = (&str, Kind)> + Clone {
        self.keys
            .iter()
            .map(|(key, (kind, _))| (key.as_str(), *kind))
    }

    /// All keys with their defaults, in alphabetical order.
    pub(crate) fn defaults(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.keys
            .iter()
            .map(|(key, (_, value))| (key.as_str(), value))
    }
}

/// All leaves below a table with their dotted keys, in the order of the page.
pub(crate) fn leaves(table: &dyn TableLike) -> Vec<(String, Leaf)> {
    let mut found = Vec::new();
    collect(table, "", &mut found);
    found
}

fn collect(table: &dyn TableLike, prefix: &str, found: &mut Vec<(String, Leaf)>) {
    for (name, item) in table.iter() {
        let key = if prefix.is_empty() {
            name.to_owned()
        } else {
            format!("{prefix}.{name}")
        };
        match item.as_table_like() {
            Some(inner) if !inner.is_empty() => collect(inner, &key, found),
            Some(_) => found.push((key, Leaf::Empty)),
            None => {
                let value = item.as_value().and_then(Value::from_toml);
                found.push((key, value.map_or(Leaf::Strange, Leaf::Value)));
            }
        }
    }
}

/// The candidate nearest to `word` regardless of case, if one is near enough to be what was meant.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    let word = word.to_lowercase();
    candidates
        .map(|candidate| {
            let spelt = candidate.to_lowercase();
            // The right name in the wrong section is nearer than a misspelling of two letters.
            let same_name = spelt.rsplit('.').next() == word.rsplit('.').next();
            let letters = distance(&word, &spelt);
            let distance = if same_name { letters.min(1) } else { letters };
            (distance, candidate)
        })
        .filter(|(distance, candidate)| *distance <= candidate.len().max(word.len()) / 2)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's edit distance in characters.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (above, from) in left.chars().enumerate() {
        let mut diagonal = above;
        row[0] = above + 1;
        for (column, to) in right.iter().enumerate() {
            let substituted = diagonal + usize::from(from != *to);
            diagonal = row[column + 1];
            row[column + 1] = substituted.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn distances_of_known_pairs() {
        for (left, right, expected) in [
            ("", "", 0),
            ("abc", "", 3),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("flaw", "lawn", 2),
            ("ä", "a", 1),
        ] {
            assert_eq!(distance(left, right), expected, "{left} {right}");
        }
    }

    #[test]
    fn nearest_is_what_was_meant() {
        let keys = [
            "ingress.listen",
            "ingress.hosts",
            "bus.embedded.retention",
            "data_dir",
        ];
        for (word, expected) in [
            ("ingres.listen", Some("ingress.listen")),
            ("ingress.lisen", Some("ingress.listen")),
            ("listen", Some("ingress.listen")),
            ("bus.retention", Some("bus.embedded.retention")),
            ("datadir", Some("data_dir")),
            ("zzzzzzzzzzzzzzzzzzz", None),
        ] {
            assert_eq!(nearest(word, keys.into_iter()), expected, "{word}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn distance_is_a_metric(left in "[a-c]{0,6}", middle in "[a-c]{0,6}", right in "[a-c]{0,6}") {
            prop_assert_eq!(distance(&left, &left), 0);
            prop_assert_eq!(distance(&left, &right), distance(&right, &left));
            prop_assert!(distance(&left, &right) <= distance(&left, &middle) + distance(&middle, &right));
        }
    }
}
