//! A bot's time zone: where its hours and dates begin.
//!
//! In: the name in the bot's settings (IANA, such as `Asia/Tehran`). Out: the keys of sums (`fold/`), the
//! bounds of dates (`store/audience.rs`, `query/period.rs`). Invariant: hours and dates are told by the rules
//! compiled in, so that every process agrees; an hour's key is the second, UTC, that it begins with. Pure.

use jiff::civil::{Date as Civil, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// Seconds of an hour.
pub const HOUR: i64 = 3_600;
/// Seconds of a day of 24 hours.
pub const DAY: i64 = 86_400;
/// Seconds of the smallest step that time zones differ by.
pub const QUARTER: i64 = 900;

/// A date of some time zone, as days since 1970-01-01.
pub type Date = i64;

/// A time zone. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// There is no such time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no time zone of the IANA database has this name")]
pub struct UnknownZone;

impl Zone {
    /// The zone of bots that have set none.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// Finds a zone by its IANA name.
    pub fn named(name: &str) -> Result<Self, UnknownZone> {
        TimeZone::get(name).map(Self).map_err(|_| UnknownZone)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The second that an instant's hour of the clock begins with. In most zones the same hours as in UTC.
    #[must_use]
    pub fn hour(&self, second: i64) -> i64 {
        let shift = self.offset(second).rem_euclid(HOUR);
        (second + shift).div_euclid(HOUR) * HOUR - shift
    }

    /// The date of an instant.
    #[must_use]
    pub fn date(&self, second: i64) -> Date {
        (second + self.offset(second)).div_euclid(DAY)
    }

    /// The second that a date begins with: the first one, where midnight is skipped or comes twice.
    #[must_use]
    pub fn start(&self, date: Date) -> i64 {
        if self.0 == TimeZone::UTC {
            return date * DAY;
        }
        let civil = Civil::constant(1970, 1, 1).checked_add(Span::new().days(date));
        let instant = civil.and_then(|civil| {
            let midnight = civil.at(0, 0, 0, 0);
            self.0.to_ambiguous_zoned(midnight).compatible()
        });
        instant.map_or(date * DAY, |zoned| zoned.timestamp().as_second())
    }

    /// What clock and calendar show at an instant.
    #[must_use]
    pub fn local(&self, second: i64) -> DateTime {
        let instant = Timestamp::from_second(second).unwrap_or_default();
        self.0.to_datetime(instant)
    }

    /// What the clock is ahead of UTC by, in seconds.
    fn offset(&self, second: i64) -> i64 {
        if self.0 == TimeZone::UTC {
            return 0;
        }
        let instant = Timestamp::from_second(second).unwrap_or_default();
        i64::from(self.0.to_offset(instant).seconds())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    const ZONES: [&str; 8] = [
        "UTC",
        "Asia/Tehran",
        "Asia/Kolkata",
        "Asia/Kathmandu",
        "Europe/Berlin",
        "America/New_York",
        "Pacific/Apia",
        "America/Sao_Paulo",
    ];

    #[test]
    fn known_instants_have_their_dates_and_hours() {
        // 2026-03-08T20:30:00Z: midnight in Tehran.
        let second = 1_772_915_400 + 86_400;
        let tehran = Zone::named("Asia/Tehran").unwrap();
        assert_eq!(tehran.date(second), Zone::UTC.date(second) + 1);
        assert_eq!(tehran.date(second - 1), Zone::UTC.date(second));
        assert_eq!(tehran.hour(second), second);
        assert_eq!(tehran.start(tehran.date(second)), second);
        assert_eq!(Zone::UTC.hour(second), second - 1_800);
        // The clocks of Berlin went forward on 2026-03-29 and back on 2026-10-25.
        let berlin = Zone::named("Europe/Berlin").unwrap();
        let length = |date| berlin.start(date + 1) - berlin.start(date);
        assert_eq!(length(20_541), 23 * HOUR);
        assert_eq!(length(20_751), 25 * HOUR);
        assert!(Zone::named("Mars/Olympus").is_err());
    }

    proptest! {
        #[test]
        fn an_instant_is_within_its_date_and_hour(zone in 0..ZONES.len(), second in 1_262_304_000i64..2_208_988_800) {
            let zone = Zone::named(ZONES[zone]).unwrap();
            let date = zone.date(second);
            prop_assert!((zone.start(date)..zone.start(date + 1)).contains(&second));
            let hour = zone.hour(second);
            prop_assert!((hour..hour + HOUR).contains(&second));
            prop_assert_eq!(zone.start(date) % QUARTER, 0);
        }
    }
}
