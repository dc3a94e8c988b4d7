//! When an update that was not delivered is tried again.
//!
//! In: how often it failed, what the endpoint asked for, a random number. Out: a delay. The numbers are those of the Bot API's server:
//! at once, then 2, 4, 8 … s, up to a random 60 to 120 s; `Retry-After` instead, up to an hour. Invariant: no delay is longer than
//! an hour. Pure: neither clock nor randomness of its own.

use std::time::{Duration, SystemTime};

use gramtap_events::Moment;

/// The longest delay of the schedule is a random one between this and its double.
const LONGEST: u64 = 60;

/// The longest that an endpoint may ask for.
pub const HONOURED: Duration = Duration::from_secs(3_600);

/// How long to wait after the `failed`th failure (from 1). `random`: any number; it spreads the endpoints that wait longest.
#[must_use]
pub fn delay(failed: u32, random: u64) -> Duration {
    if failed <= 1 {
        return Duration::ZERO;
    }
    let longest = LONGEST + random % (LONGEST + 1);
    let doubled = 1_u64.checked_shl(failed - 1).unwrap_or(longest);
    Duration::from_secs(doubled.min(longest))
}

/// What a `Retry-After` header asks for, in seconds or as a date; at most [`HONOURED`]. None: it asks for nothing, or is not understood.
#[must_use]
pub fn retry_after(value: &[u8], now: Moment) -> Option<Duration> {
    let text = std::str::from_utf8(value).ok()?.trim();
    let asked = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number has: surely too long.
        text.parse().map_or(HONOURED, Duration::from_secs)
    } else {
        let until = httpdate::parse_http_date(text).ok()?;
        until.duration_since(SystemTime::from(now.time())).ok()?
    };
    (!asked.is_zero()).then(|| asked.min(HONOURED))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;
    use crate::tests::at;

    #[test]
    fn at_once_then_doubled_up_to_a_minute_or_two() {
        let seconds = |failed, random| delay(failed, random).as_secs();
        let doubled: Vec<_> = (0..=7).map(|failed| seconds(failed, 60)).collect();
        assert_eq!(doubled, [0, 0, 2, 4, 8, 16, 32, 64]);
        for failed in [7, 8, 63, 64, 65, u32::MAX] {
            assert_eq!(seconds(failed, 0), 60, "{failed}");
        }
        assert_eq!(seconds(8, 60), 120);
        assert_eq!(seconds(8, 61), 60);
        assert_eq!(seconds(u32::MAX, u64::MAX), 60 + u64::MAX % 61);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = at(784_111_777);
        let table = [
            ("7", Some(7)),
            (" 120 ", Some(120)),
            ("3600", Some(3_600)),
            ("3601", Some(3_600)),
            ("99999999999999999999999999", Some(3_600)),
            ("0", None),
            ("-5", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
            ("Sun, 06 Nov 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 08:49:36 GMT", None),
            ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10)),
            ("Sunday, 06-Nov-94 08:49:47 GMT", Some(10)),
            ("Sun Nov  6 08:49:47 1994", Some(10)),
            ("Sat, 06 Nov 2094 08:49:47 GMT", Some(3_600)),
            ("Sun, 06 Nov 1994 08:49:47 +0100", None),
        ];
        for (value, seconds) in table {
            let asked = retry_after(value.as_bytes(), now);
            assert_eq!(asked, seconds.map(Duration::from_secs), "{value}");
        }
        assert_eq!(retry_after(b"\xff", now), None);
    }

    proptest! {
        #[test]
        fn a_delay_grows_and_has_an_end(failed: u32, random: u64) {
            let now = delay(failed, random);
            prop_assert!(now <= delay(failed.saturating_add(1), random));
            prop_assert!(now <= Duration::from_secs(2 * LONGEST));
        }

        #[test]
        fn no_header_asks_for_more_than_an_hour(value: Vec<u8>, seconds in 0..4_000_000_000_i64) {
            let asked = retry_after(&value, at(seconds));
            prop_assert!(asked.is_none_or(|asked| !asked.is_zero() && asked <= HONOURED));
        }
    }
}
