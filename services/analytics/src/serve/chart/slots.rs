//! The hours or dates of a chart.
//!
//! In: a period. Out: [`Slot`]s. Invariant: one for each hour of the bot's clock, or each date, of the period, in order and without a gap; so a
//! date on which the clocks change has 23 or 25 hours. Pure.

use crate::query::Period;
use crate::serve::clock;
use crate::zone::HOUR;

/// An hour or a date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The second that it begins with.
    pub start: i64,
    /// Beside the axis.
    pub short: String,
    /// In full.
    pub long: String,
    /// Whether its date begins with it.
    pub opens: bool,
}

/// Marks beside the axis at most.
const MARKS: usize = 8;

/// The hours of a period.
#[must_use]
pub fn hours(period: &Period) -> Vec<Slot> {
    let zone = &period.zone;
    let mut starts: Vec<i64> = (period.from()..period.to())
        .step_by(usize::try_from(HOUR).unwrap_or(1))
        .map(|second| zone.hour(second))
        .collect();
    starts.dedup();
    let slot = |start: i64| {
        let (time, day) = (clock::time(zone, start), clock::weekday(zone, start));
        let is_midnight = zone.start(zone.date(start)) == start;
        Slot {
            start,
            short: match (period.days, is_midnight) {
                (2.., true) => clock::day(zone, start),
                _ => time.clone(),
            },
            long: format!("{day}, {time}"),
            opens: is_midnight,
        }
    };
    starts.into_iter().map(slot).collect()
}

/// The hours of a period of a few days, else its dates.
#[must_use]
pub fn of(period: &Period, hourly: i64) -> Vec<Slot> {
    match period.days <= hourly {
        true => hours(period),
        false => dates(period),
    }
}

/// The dates of a period.
#[must_use]
pub fn dates(period: &Period) -> Vec<Slot> {
    let zone = &period.zone;
    let starts = (period.first..period.end()).map(|date| zone.start(date));
    let slot = |start: i64| Slot {
        start,
        short: clock::day(zone, start),
        long: clock::weekday(zone, start),
        opens: true,
    };
    starts.map(slot).collect()
}

/// The sum of each slot. What is outside of all is left out.
#[must_use]
pub fn sums(slots: &[Slot], rows: impl IntoIterator<Item = (i64, i64)>) -> Vec<i64> {
    let mut sums = vec![0; slots.len()];
    for (second, n) in rows {
        if let Some(sum) = place(slots, second).and_then(|place| sums.get_mut(place)) {
            *sum += n;
        }
    }
    sums
}

/// The numbers of a chart: those of slots that have begun; where nothing was counted there was nothing.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    reason = "counts are far below what floats hold"
)]
pub fn begun(
    slots: &[Slot],
    rows: impl IntoIterator<Item = (i64, i64)>,
    now: i64,
) -> Vec<Option<f64>> {
    let sums = sums(slots, rows);
    let known = |(slot, sum): (&Slot, i64)| (slot.start <= now).then_some(sum as f64);
    slots.iter().zip(sums).map(known).collect()
}

/// The place of the slot that a second falls into.
#[must_use]
fn place(slots: &[Slot], second: i64) -> Option<usize> {
    slots
        .partition_point(|slot| slot.start <= second)
        .checked_sub(1)
}

/// The slots that have a mark: few, evenly, and of the hours of many days those that a day begins with.
pub(super) fn marks(slots: &[Slot]) -> Vec<usize> {
    let of_days = slots.len() > 48 && slots.iter().any(|slot| !slot.opens);
    let places = (0..slots.len()).filter(|place| !of_days || slots[*place].opens);
    let places: Vec<usize> = places.collect();
    let step = step(places.len());
    places.into_iter().step_by(step).collect()
}

/// How many slots share a mark.
fn step(count: usize) -> usize {
    let fits = |step: &usize| count.div_ceil(*step) <= MARKS;
    let steps = [1, 2, 3, 4, 6, 7, 12, 14];
    let found = steps.into_iter().find(fits);
    found.unwrap_or(count.div_ceil(MARKS).max(1))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::zone::Zone;

    #[test]
    fn hours_and_dates_are_those_of_the_clock() {
        // 2026-03-29 and 2026-10-25 in Berlin; half an hour beside UTC in Kolkata.
        for (zone, first, days, expected) in [
            ("UTC", 20_000, 1, 24),
            ("Europe/Berlin", 20_541, 1, 23),
            ("Europe/Berlin", 20_751, 1, 25),
            ("Asia/Kolkata", 20_000, 7, 168),
        ] {
            let zone = Zone::named(zone).unwrap();
            let period = Period { zone, first, days };
            let told = hours(&period);
            assert_eq!(told.len(), expected, "{period:?}");
            assert_eq!(told[0].start, period.from());
            let opened = told.iter().filter(|slot| slot.opens).count();
            assert_eq!(opened, usize::try_from(days).unwrap());
            assert!(
                told.windows(2)
                    .all(|two| two[1].start - two[0].start == HOUR)
            );
            assert_eq!(dates(&period).len(), opened);
            for (at, slot) in told.iter().enumerate() {
                assert_eq!(place(&told, slot.start + 1_799), Some(at));
            }
            assert_eq!(place(&told, period.from() - 1), None);
        }
    }

    #[test]
    fn marks_are_few() {
        let zone = Zone::named("Europe/Berlin").unwrap();
        let first = 20_538;
        let week = hours(&Period {
            zone,
            first,
            days: 7,
        });
        let marked = marks(&week);
        assert_eq!(marked.len(), 7);
        assert!(marked.iter().all(|place| week[*place].opens));
        for count in [0_usize, 1, 7, 23, 24, 25, 30, 48, 90, 168, 1_000] {
            assert!(count.div_ceil(step(count)) <= MARKS, "{count}");
        }
        assert_eq!((step(24), step(7), step(30), step(90)), (3, 1, 4, 12));
    }
}
