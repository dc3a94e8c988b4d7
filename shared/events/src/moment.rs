//! A time as records write it.
//!
//! In: the clock. Out: RFC 3339, UTC, six digits of microseconds, always 27 characters, so that
//! text order is time order. Invariant: reading what was written gives the same microsecond.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::format_description::well_known::Rfc3339;
use time::{Date, Month, OffsetDateTime, Time};

/// A point in time, UTC, to the microsecond.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(OffsetDateTime);

impl Moment {
    /// The clock's time.
    #[must_use]
    pub fn now() -> Self {
        Self::from(OffsetDateTime::now_utc())
    }

    /// The time inside.
    #[must_use]
    pub fn time(self) -> OffsetDateTime {
        self.0
    }

    /// This long after; the last time there is, where that is beyond it.
    #[must_use]
    pub fn plus(self, wait: Duration) -> Self {
        let wait = time::Duration::try_from(wait).unwrap_or(time::Duration::MAX);
        let last = time::PrimitiveDateTime::MAX.assume_utc();
        Self::from(self.0.checked_add(wait).unwrap_or(last))
    }

    /// How long ago `earlier` was; nothing, where it was not earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::try_from(self.0 - earlier.0).unwrap_or_default()
    }

    /// As text: nearly every record has some, so it is written without the machinery of formats.
    fn text(self) -> [u8; LENGTH] {
        let (year, month, day) = self.0.to_calendar_date();
        let (hour, minute, second, micro) = self.0.to_hms_micro();
        let year = u32::try_from(year).unwrap_or_default();
        let mut text = *PATTERN;
        let parts = [
            year,
            u8::from(month).into(),
            day.into(),
            hour.into(),
            minute.into(),
            second.into(),
            micro,
        ];
        for ((from, digits), mut number) in PLACES.into_iter().zip(parts) {
            for place in text[from..from + digits].iter_mut().rev() {
                // The remainder is a digit.
                *place = b'0' + u8::try_from(number % 10).unwrap_or_default();
                number /= 10;
            }
        }
        text
    }

    /// What [`Moment::text`] has written; none for any other way of writing a time.
    fn read(text: &[u8]) -> Option<Self> {
        let text: &[u8; LENGTH] = text.try_into().ok()?;
        let mut parts = [0; PLACES.len()];
        let mut rest = *text;
        for (part, (from, digits)) in parts.iter_mut().zip(PLACES) {
            for place in &mut rest[from..from + digits] {
                let digit = place.is_ascii_digit().then(|| *place - b'0')?;
                *part = *part * 10 + u32::from(digit);
                *place = b'0';
            }
        }
        let [year, month, day, hour, minute, second, micro] = parts;
        let small = |part: u32| u8::try_from(part).ok();
        let month = Month::try_from(small(month)?).ok()?;
        let date = Date::from_calendar_date(i32::try_from(year).ok()?, month, small(day)?).ok()?;
        let time =
            Time::from_hms_micro(small(hour)?, small(minute)?, small(second)?, micro).ok()?;
        (rest == *PATTERN).then(|| Self(date.with_time(time).assume_utc()))
    }
}

const LENGTH: usize = 27;
const PATTERN: &[u8; LENGTH] = b"0000-00-00T00:00:00.000000Z";
/// Where the parts of a time stand, and how many digits each has.
const PLACES: [(usize, usize); 7] = [(0, 4), (5, 2), (8, 2), (11, 2), (14, 2), (17, 2), (20, 6)];

impl From<OffsetDateTime> for Moment {
    /// Cuts what is finer than a microsecond.
    fn from(time: OffsetDateTime) -> Self {
        let time = time.to_offset(time::UtcOffset::UTC);
        let micros = time.microsecond();
        Self(time.replace_microsecond(micros).unwrap_or(time))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Moment {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(from)?;
        if let Some(moment) = Self::read(text.as_bytes()) {
            return Ok(moment);
        }
        let time = OffsetDateTime::parse(&text, &Rfc3339).map_err(serde::de::Error::custom)?;
        Ok(Self::from(time))
    }
}

impl JsonSchema for Moment {
    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "format": "date-time", "description": "RFC 3339, UTC, microseconds"})
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn any_way_of_writing_a_time_is_read_and_what_is_none_refused() {
        let read = |text: &str| serde_json::from_str::<Moment>(&format!("\"{text}\"")).ok();
        let told = |text: &str| read(text).map(|moment| moment.to_string());
        let whole = "2026-02-28T23:59:59.123456Z";
        assert_eq!(told(whole).as_deref(), Some(whole));
        let others = [
            "2026-02-28T23:59:59.1234567Z",
            "2026-03-01T01:59:59.123456+02:00",
            "2026-02-28t23:59:59.123456z",
        ];
        for other in others {
            assert_eq!(told(other).as_deref(), Some(whole), "{other}");
        }
        assert_eq!(
            told("2026-02-28T23:59:59Z").as_deref(),
            Some("2026-02-28T23:59:59.000000Z")
        );
        for none in [
            "2026-02-29T23:59:59.123456Z",
            "2026-13-01T23:59:59.123456Z",
            "2026-02-28T24:59:59.123456Z",
            "2026-02-28T23:59:59.12345xZ",
            "2026-02-28T23:59:59.123456!",
            "",
        ] {
            assert_eq!(read(none), None, "{none}");
        }
    }

    #[test]
    fn times_are_added_and_compared_without_an_end() {
        let now = Moment::from(OffsetDateTime::UNIX_EPOCH);
        let later = now.plus(Duration::from_micros(1_500_001));
        assert_eq!(later.to_string(), "1970-01-01T00:00:01.500001Z");
        assert_eq!(later.since(now), Duration::from_micros(1_500_001));
        assert_eq!(now.since(later), Duration::ZERO);
        assert!(now.plus(Duration::MAX) > later);
        assert_eq!(now.plus(Duration::MAX), later.plus(Duration::MAX));
    }

    proptest! {
        #[test]
        fn reading_what_was_written_gives_the_same(nanos in 0i128..4_000_000_000_000_000_000) {
            let moment = Moment::from(OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap());
            let text = serde_json::to_string(&moment).unwrap();
            prop_assert_eq!(text.len(), 29);
            prop_assert_eq!(serde_json::from_str::<Moment>(&text).unwrap(), moment);
        }
    }
}
