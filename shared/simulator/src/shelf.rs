//! A bounded list of what happened, oldest first.
//!
//! In: entries with their sizes (`journal.rs`, `push/deliveries.rs`). Out: entries by number, and
//! all that are left. Invariant: numbers are consecutive from 1 and are never given again, save
//! after [`Shelf::clear`]. Over the number of entries or of bytes, the oldest go; the newest stays.

use std::collections::VecDeque;

/// Entries with their sizes in bytes.
pub(crate) struct Shelf<T> {
    entries: VecDeque<(usize, T)>,
    /// The number of the last entry.
    last: u64,
    bytes: usize,
    most: usize,
    most_bytes: usize,
    /// How often all was forgotten.
    era: u64,
}

impl<T> Shelf<T> {
    /// At most so many entries with so many bytes.
    pub(crate) fn new(most: usize, most_bytes: usize) -> Self {
        Self {
            entries: VecDeque::new(),
            last: 0,
            bytes: 0,
            most,
            most_bytes,
            era: 0,
        }
    }

    /// Gives a number to something that is not kept.
    pub(crate) fn skip(&mut self) -> u64 {
        self.entries.clear();
        self.bytes = 0;
        self.last += 1;
        self.last
    }

    /// Adds an entry, made from its number; gives that.
    pub(crate) fn add(&mut self, size: usize, make: impl FnOnce(u64) -> T) -> u64 {
        self.last += 1;
        self.entries.push_back((size, make(self.last)));
        self.bytes += size;
        self.trim();
        self.last
    }

    /// An entry, if it is still there.
    pub(crate) fn get(&mut self, number: u64) -> Option<&mut T> {
        let place = self.place(number)?;
        self.entries.get_mut(place).map(|(_, entry)| entry)
    }

    /// An entry has grown by so many bytes.
    pub(crate) fn grow(&mut self, number: u64, by: usize) {
        let place = self.place(number);
        if let Some((size, _)) = place.and_then(|place| self.entries.get_mut(place)) {
            *size += by;
            self.bytes += by;
            self.trim();
        }
    }

    /// Those that are left, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().map(|(_, entry)| entry)
    }

    /// The last number given.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// Forgets all; numbers start again, in another [`Shelf::era`].
    pub(crate) fn clear(&mut self) {
        *self = Self {
            era: self.era + 1,
            ..Self::new(self.most, self.most_bytes)
        };
    }

    /// Tells numbers given before a clearing from those given after.
    pub(crate) fn era(&self) -> u64 {
        self.era
    }

    fn place(&self, number: u64) -> Option<usize> {
        let from_the_end = usize::try_from(self.last.checked_sub(number)?).ok()?;
        self.entries.len().checked_sub(from_the_end + 1)
    }

    fn trim(&mut self) {
        let over =
            |shelf: &Self| shelf.entries.len() > shelf.most || shelf.bytes > shelf.most_bytes;
        while over(self) && self.entries.len() > 1 {
            if let Some((size, _)) = self.entries.pop_front() {
                self.bytes -= size;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_and_numbers_stay() {
        let mut shelf = Shelf::new(3, 100);
        for _ in 0..5 {
            shelf.add(10, |number| number);
        }
        assert_eq!(shelf.iter().copied().collect::<Vec<_>>(), [3, 4, 5]);
        assert_eq!(
            [2, 4, 6].map(|number| shelf.get(number).copied()),
            [None, Some(4), None]
        );
        shelf.grow(5, 75);
        assert_eq!(shelf.iter().copied().collect::<Vec<_>>(), [4, 5]);
        shelf.grow(4, 1_000);
        assert_eq!(
            shelf.iter().copied().collect::<Vec<_>>(),
            [5],
            "the newest stays"
        );
        assert_eq!(
            (shelf.skip(), shelf.iter().count(), shelf.last()),
            (6, 0, 6)
        );
        assert_eq!(shelf.era(), 0);
        shelf.clear();
        assert_eq!(shelf.era(), 1);
        assert_eq!(shelf.add(1, |number| number), 1);
    }
}
