//! The JSON of answers. What is inside may change; this does only by addition.
//!
//! In: the answers of `query/`, bots of the registry. Out: what `numbers.rs` and `bots.rs` write. Invariant: names are those of the
//! answers inside, and the definition of a number is the same text (tested); a time is RFC 3339 in UTC, a date that of the bot's
//! time zone; a unit is in the name or in the description. Pure.

pub mod actions;
pub mod audience;
pub mod bot;
pub mod deliveries;
pub mod errors;
pub mod latency;
pub mod overview;
pub mod polls;

use gramtap_events::Moment;
use jiff::ToSpan;
use jiff::civil;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::query;
use crate::zone::Date;

/// Numbers, and which dates they are of.
#[derive(Serialize, ToSchema)]
pub struct Dated<T: ToSchema> {
    /// The dates.
    pub period: Period,
    /// The numbers.
    #[serde(flatten)]
    pub numbers: T,
}

/// Whole dates of the bot's time zone.
#[derive(Serialize, ToSchema)]
pub struct Period {
    /// The first date.
    #[schema(format = Date)]
    pub from: String,
    /// The last date, itself included.
    #[schema(format = Date)]
    pub to: String,
    /// How many dates that are.
    pub days: i64,
    /// The first date of the period that it is compared with, which is as long: the same dates of the week before, or the same
    /// number of dates before it where these would overlap.
    #[schema(format = Date)]
    pub before_from: String,
    /// Whose dates: an IANA name.
    pub time_zone: String,
}

impl From<&query::Period> for Period {
    fn from(period: &query::Period) -> Self {
        Self {
            from: date(period.first),
            to: date(period.end() - 1),
            days: period.days,
            before_from: date(period.before().first),
            time_zone: period.zone.name().to_owned(),
        }
    }
}

/// A date as `2026-01-31`.
pub(super) fn date(date: Date) -> String {
    let epoch = civil::Date::constant(1970, 1, 1);
    let date = epoch.checked_add(date.days());
    date.map_or_else(|_| String::new(), |date| date.to_string())
}

/// A second since 1970.
pub(super) fn second(second: i64) -> String {
    micro(second.saturating_mul(1_000_000))
}

/// A microsecond since 1970.
pub(super) fn micro(micros: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000);
    time.map_or_else(|_| String::new(), |time| Moment::from(time).to_string())
}
