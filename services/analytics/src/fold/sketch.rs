//! How many different ids there were, from a bounded number of their hashes.
//!
//! In: ids of chats and users that an error has hit. Out: rows of `error_hits`; numbers to `query/errors.rs`.
//! The smallest hashes are kept: all of them up to [`KEPT`], which makes the number exact; beyond, how closely the
//! smallest lie tells how many there are, within about 6 % (one standard deviation). Invariant: order and
//! repetition change nothing, and the union of two sketches is the sketch of the union. Pure.

use std::collections::BTreeSet;

/// Hashes of one sketch at most.
pub const KEPT: usize = 256;

/// A set of ids, bounded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sketch(BTreeSet<i64>);

impl Sketch {
    /// Adds an id.
    pub fn add(&mut self, id: i64) {
        self.add_hash(hash(id));
    }

    /// Adds what another sketch has kept of an id.
    pub fn add_hash(&mut self, hash: i64) {
        self.0.insert(hash);
        if self.0.len() > KEPT {
            self.0.pop_last();
        }
    }

    /// Adds all of another one.
    pub fn join(&mut self, other: &Self) {
        for hash in &other.0 {
            self.add_hash(*hash);
        }
    }

    /// What is kept.
    pub fn hashes(&self) -> impl Iterator<Item = i64> {
        self.0.iter().copied()
    }

    /// How many different ids were added: exact if there are fewer than [`KEPT`].
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "an estimate"
    )]
    pub fn count(&self) -> i64 {
        match self.0.last() {
            Some(largest) if self.0.len() == KEPT => {
                let share = (*largest as f64 + 1.0) / i64::MAX as f64;
                ((KEPT - 1) as f64 / share).round() as i64
            }
            _ => self.0.len() as i64,
        }
    }

    /// Whether the count is an estimate.
    #[must_use]
    pub fn is_estimate(&self) -> bool {
        self.0.len() == KEPT
    }
}

/// Spreads ids evenly over the numbers from 0 on (the finalizer of SplitMix64).
fn hash(id: i64) -> i64 {
    let mut bits = id.cast_unsigned().wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((bits ^ (bits >> 31)) >> 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ids: impl Iterator<Item = i64>) -> Sketch {
        let mut sketch = Sketch::default();
        ids.for_each(|id| sketch.add(id));
        sketch
    }

    #[test]
    fn few_are_counted_exactly_and_many_nearly() {
        for many in [0, 1, 17, 255] {
            assert_eq!(of((0..many).chain(0..many)).count(), many);
        }
        for many in [1_000, 20_000, 300_000] {
            let told = of((1..=many).map(|id| id * 7 + 5_000_000_000)).count();
            assert!((told - many).abs() * 5 < many, "{told} for {many}");
        }
    }

    #[test]
    fn parts_in_any_order_make_the_same_sketch() {
        let whole = of(0..2_000);
        let mut joined = of((700..2_000).rev());
        joined.join(&of((0..900).rev()));
        assert_eq!(joined, whole);
    }
}
