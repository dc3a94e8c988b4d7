//! A set of numbers as ranges.
//!
//! In: numbers of updates, nearly always the next one. Out: whether each is new. Invariant: ranges neither overlap nor
//! touch; they stand in the order in which they last grew, and beyond [`MOST`] the first one is forgotten.

/// Ranges at most. A bot whose every update is seen has one; each update that passes us by makes one more.
pub const MOST: usize = 256;

/// A set of numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranges(Vec<(i64, i64)>);

impl Ranges {
    pub(super) fn restored(ranges: Vec<(i64, i64)>) -> Self {
        Self(ranges)
    }

    pub(super) fn kept(&self) -> Vec<(i64, i64)> {
        self.0.clone()
    }

    /// Adds a number; whether it was not there.
    pub fn admit(&mut self, number: i64) -> bool {
        // The range that grew last is the one that nearly every number belongs to.
        if let Some((_, last)) = self.0.last_mut()
            && last.checked_add(1) == Some(number)
            && self.0.len() == 1
        {
            self.0[0].1 = number;
            return true;
        }
        if self.holds(number) {
            return false;
        }
        let (mut from, mut to) = (number, number);
        self.0.retain(|(first, last)| {
            let below = last.checked_add(1) == Some(number);
            let above = first.checked_sub(1) == Some(number);
            if below {
                from = *first;
            }
            if above {
                to = *last;
            }
            !below && !above
        });
        self.0.push((from, to));
        if self.0.len() > MOST {
            self.0.remove(0);
        }
        true
    }

    fn holds(&self, number: i64) -> bool {
        let holds = |(first, last): &(i64, i64)| (*first..=*last).contains(&number);
        self.0.iter().rev().any(holds)
    }
}
