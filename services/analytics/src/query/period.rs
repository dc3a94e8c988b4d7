//! Which dates a question is about.
//!
//! In: a bot's zone, the clock. Out: the bounds of queries. Invariant: a period is made of whole dates of the
//! bot's time zone. Pure.

use crate::zone::{Date, Zone};

/// Whole dates, in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    /// Whose dates.
    pub zone: Zone,
    /// The first.
    pub first: Date,
    /// How many.
    pub days: i64,
}

impl Period {
    /// The last `days` dates up to today; 1 is today alone. `now` is in seconds since 1970.
    #[must_use]
    pub fn last(zone: Zone, now: i64, days: i64) -> Self {
        let days = days.max(1);
        let first = zone.date(now) - days + 1;
        Self { zone, first, days }
    }

    /// What it is compared with: the same dates of the week before, or the same number of dates before it where these would
    /// overlap.
    #[must_use]
    pub fn before(&self) -> Self {
        let first = self.first - self.days.max(7);
        let zone = self.zone.clone();
        Self {
            zone,
            first,
            ..*self
        }
    }

    /// The second that it begins with.
    #[must_use]
    pub fn from(&self) -> i64 {
        self.zone.start(self.first)
    }

    /// The second behind its last.
    #[must_use]
    pub fn to(&self) -> i64 {
        self.zone.start(self.end())
    }

    /// The date behind its last.
    #[must_use]
    pub fn end(&self) -> Date {
        self.first + self.days
    }

    /// Which of its dates a second is on, from 0.
    pub(super) fn place(&self, second: i64) -> Option<usize> {
        let place = usize::try_from(self.zone.date(second) - self.first).ok()?;
        (second < self.to()).then_some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_whole_dates_and_compared_with_the_week_before() {
        let now = 20_000 * 86_400 + 3_600;
        let today = Period::last(Zone::UTC, now, 1);
        assert_eq!(
            (today.first, today.from(), today.to()),
            (20_000, 20_000 * 86_400, 20_001 * 86_400)
        );
        assert_eq!((today.before().first, today.before().days), (19_993, 1));
        let month = Period::last(Zone::UTC, now, 30);
        assert_eq!((month.first, month.before().first), (19_971, 19_941));
        assert_eq!(month.place(now), Some(29));
        assert_eq!(month.place(month.from() - 1), None);
        assert_eq!(month.place(month.to()), None);
    }
}
