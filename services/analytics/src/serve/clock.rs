//! How times are written: in the bot's zone, which the page names once.
//!
//! In: seconds and microseconds since 1970. Out: texts of pages and charts. Invariant: an instant is told in the zone that its
//! date is counted in. Pure.

use jiff::civil::Weekday;

use crate::zone::{DAY, HOUR, Zone};

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// `21 Nov`.
#[must_use]
pub fn day(zone: &Zone, second: i64) -> String {
    let local = zone.local(second);
    format!("{} {}", local.day(), month(local.month()))
}

/// `Sat 21 Nov`.
#[must_use]
pub fn weekday(zone: &Zone, second: i64) -> String {
    let name = match zone.local(second).weekday() {
        Weekday::Monday => "Mon",
        Weekday::Tuesday => "Tue",
        Weekday::Wednesday => "Wed",
        Weekday::Thursday => "Thu",
        Weekday::Friday => "Fri",
        Weekday::Saturday => "Sat",
        Weekday::Sunday => "Sun",
    };
    format!("{name} {}", day(zone, second))
}

/// `14:30`.
#[must_use]
pub fn time(zone: &Zone, second: i64) -> String {
    let local = zone.local(second);
    format!("{:02}:{:02}", local.hour(), local.minute())
}

/// `21 Nov 2026, 14:30:09`, of microseconds.
#[must_use]
pub fn moment(zone: &Zone, micros: i64) -> String {
    let second = micros.div_euclid(1_000_000);
    let local = zone.local(second);
    let (day, time) = (day(zone, second), time(zone, second));
    format!("{day} {}, {time}:{:02}", local.year(), local.second())
}

/// As machines read it, of microseconds: `2026-11-21T14:30:09Z`.
#[must_use]
pub fn machine(micros: i64) -> String {
    let local = Zone::UTC.local(micros.div_euclid(1_000_000));
    format!("{local}Z")
}

/// How long ago it was: `just now`, `5 min ago`, `3 h ago`, `12 days ago`.
#[must_use]
pub fn ago(now: i64, micros: i64) -> String {
    match now - micros.div_euclid(1_000_000) {
        ..60 => "just now".to_owned(),
        seconds @ 60..HOUR => format!("{} min ago", seconds / 60),
        seconds @ HOUR..172_800 => format!("{} h ago", seconds / HOUR),
        seconds => format!("{} days ago", seconds / DAY),
    }
}

fn month(month: i8) -> &'static str {
    let place = usize::try_from(month - 1).unwrap_or(0);
    MONTHS.get(place).copied().unwrap_or("")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_instant_is_told_in_its_zone() {
        // 2026-11-21T20:45:09Z.
        let second = 1_795_293_909;
        let told = |zone: &Zone| {
            let moment = moment(zone, second * 1_000_000 + 999_999);
            [day(zone, second), weekday(zone, second), moment]
        };
        let utc = ["21 Nov", "Sat 21 Nov", "21 Nov 2026, 20:45:09"];
        assert_eq!(told(&Zone::UTC), utc.map(str::to_owned));
        let kolkata = ["22 Nov", "Sun 22 Nov", "22 Nov 2026, 02:15:09"];
        let zone = Zone::named("Asia/Kolkata").unwrap();
        assert_eq!(told(&zone), kolkata.map(str::to_owned));
        assert_eq!(machine(second * 1_000_000), "2026-11-21T20:45:09Z");
        for (after, text) in [
            (-5, "just now"),
            (59, "just now"),
            (61, "1 min ago"),
            (3_600, "1 h ago"),
            (172_799, "47 h ago"),
            (172_800, "2 days ago"),
        ] {
            assert_eq!(ago(second + after, second * 1_000_000), text);
        }
    }
}
