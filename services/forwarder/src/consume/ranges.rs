//! A set of numbers that are mostly neighbours.
//!
//! In: offsets (`ledger.rs`), numbers of updates (`deliver/dedup.rs`). Out: whether a number is in it. Invariant: ranges neither overlap
//! nor touch. Memory is that of its gaps, not of its numbers; whoever fills it bounds [`Ranges::len`].

use std::collections::BTreeMap;

/// A set of numbers, none of them `i64::MAX`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranges {
    /// First number of each range, and the number after its last.
    ranges: BTreeMap<i64, i64>,
}

impl Ranges {
    /// Adds `from..to`. False: all of it was there.
    pub fn insert(&mut self, from: i64, to: i64) -> bool {
        if from >= to {
            return false;
        }
        let (mut first, mut end) = (from, to);
        if let Some((&start, &stop)) = self.ranges.range(..=from).next_back()
            && stop >= from
        {
            if stop >= to {
                return false;
            }
            first = start;
        }
        while let Some((&start, &stop)) = self.ranges.range(first..=end).next() {
            self.ranges.remove(&start);
            end = end.max(stop);
        }
        self.ranges.insert(first, end);
        true
    }

    /// Whether it holds a number.
    #[must_use]
    pub fn contains(&self, number: i64) -> bool {
        let before = self.ranges.range(..=number).next_back();
        before.is_some_and(|(_, end)| number < *end)
    }

    /// Takes the lowest range out.
    pub fn pop_first(&mut self) -> Option<(i64, i64)> {
        self.ranges.pop_first()
    }

    /// The lowest range.
    #[must_use]
    pub fn first(&self) -> Option<(i64, i64)> {
        self.ranges.first_key_value().map(|(from, to)| (*from, *to))
    }

    /// The number after the highest.
    #[must_use]
    pub fn end(&self) -> Option<i64> {
        self.ranges.last_key_value().map(|(_, to)| *to)
    }

    /// How many ranges there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The ranges from below: first number, number after the last.
    pub fn iter(&self) -> impl Iterator<Item = (i64, i64)> {
        self.ranges.iter().map(|(from, to)| (*from, *to))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_holds_what_a_plain_set_holds(added in proptest::collection::vec((0..60_i64, 0..8_i64), 0..40)) {
            let (mut ranges, mut plain) = (Ranges::default(), BTreeSet::new());
            for (from, length) in added {
                let before = plain.len();
                plain.extend(from..from + length);
                prop_assert_eq!(ranges.insert(from, from + length), plain.len() > before);
                for number in -1..70 {
                    prop_assert_eq!(ranges.contains(number), plain.contains(&number));
                }
                let all: Vec<_> = ranges.iter().collect();
                prop_assert!(all.windows(2).all(|pair| pair[0].1 < pair[1].0), "{:?}", all);
                prop_assert!(all.iter().all(|(from, to)| from < to));
                prop_assert_eq!(ranges.first().map(|first| first.0), plain.first().copied());
                prop_assert_eq!(ranges.end(), plain.last().map(|last| last + 1));
            }
        }
    }
}
