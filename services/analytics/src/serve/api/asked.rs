//! What a script asks for: the words behind `?`, and bodies.
//!
//! In: the query of the address. Out: [`Asked`], an argument of handlers; words that are dates, counts and so on. Invariant: a word that is
//! not known, comes twice or has a value that cannot be is refused by its name, never passed over.

use std::borrow::Cow;
use std::fmt;
use std::future::{Ready, ready};
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::error::JsonPayloadError;
use actix_web::{FromRequest, HttpRequest, web};
use jiff::Timestamp;
use jiff::civil;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use utoipa::IntoParams;

use super::problem::Problem;
use crate::query::Period;
use crate::serve::bot::Bot;
use crate::serve::bots::draft::holds_token;
use crate::zone::{Date, Zone};

/// The largest body, in bytes.
pub const BODY: usize = 16 * 1024;
/// The most dates that a question may be about.
pub const DATES: i64 = 366;

/// The words behind `?`.
#[derive(Clone, Debug)]
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Asked<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let asked = web::Query::<T>::from_query(request.query_string());
        ready(match asked {
            Ok(asked) => Ok(Self(asked.into_inner())),
            Err(actix_web::error::QueryPayloadError::Deserialize(error)) => {
                Err(unread("query", &error))
            }
            Err(error) => Err(Problem::Refused(error.to_string())),
        })
    }
}

/// No word at all.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// A body. An object and nothing else: a list would be taken for one whose fields come without their names.
pub struct Body<T>(pub T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Body<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let fields = serde_json::Map::deserialize(from)?;
        let body = T::deserialize(serde_json::Value::Object(fields));
        body.map(Self).map_err(D::Error::custom)
    }
}

/// How bodies are read.
pub(super) fn bodies() -> web::JsonConfig {
    web::JsonConfig::default()
        .limit(BODY)
        .error_handler(|error, _| {
            let problem = match error {
                JsonPayloadError::Overflow { .. }
                | JsonPayloadError::OverflowKnownLength { .. } => Problem::TooLarge(BODY),
                JsonPayloadError::ContentType => Problem::NotJson,
                JsonPayloadError::Deserialize(error) => unread("body", &error),
                error => unread("body", &error),
            };
            problem.into()
        })
}

/// What cannot be read. The reader's words repeat what it found, which may be a token in the wrong place.
fn unread(what: &str, error: &dyn fmt::Display) -> Problem {
    let text = error.to_string();
    Problem::Refused(match holds_token(&text) {
        true => format!(
            "{what}: a token is where none belongs; it goes into the field `token` of a bot to be connected"
        ),
        false => format!("{what}: {text}"),
    })
}

/// Which dates, of the bot's own time zone.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Dates {
    /// The last so many dates up to today; 1 is today alone. Not together with `from` and `to`.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 366, example = 7)]
    #[serde(default, deserialize_with = "days")]
    pub days: Option<i64>,
    /// The first date.
    #[param(value_type = Option<String>, format = Date, example = "2026-01-01")]
    #[serde(default, deserialize_with = "from")]
    pub from: Option<civil::Date>,
    /// The last date, itself included.
    #[param(value_type = Option<String>, format = Date, example = "2026-01-31")]
    #[serde(default, deserialize_with = "to")]
    pub to: Option<civil::Date>,
}

impl Dates {
    /// The dates that are meant; seven up to today if none are named.
    pub fn period(&self, bot: &Bot, now: i64) -> Result<Period, Problem> {
        let zone = bot.zone.clone();
        let today = zone.date(now);
        let refused = |text: &str| Err(Problem::Refused(text.to_owned()));
        if self.days.is_some() && (self.from.is_some() || self.to.is_some()) {
            return refused("days: give either days, or from and to");
        }
        if self.from.is_none() && self.to.is_none() {
            return Ok(Period::last(zone, now, self.days.unwrap_or(7)));
        }
        let Some(from) = self.from else {
            return refused("from: is needed with to");
        };
        let first = number(from);
        let last = self.to.map_or(today, number);
        match last - first + 1 {
            days if days < 1 => refused("to: must not be before from"),
            days if days > DATES => refused("from: 366 dates at most"),
            days => Ok(Period { zone, first, days }),
        }
    }
}

/// A time, or a date of the bot's time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Microseconds since 1970.
    Time(i64),
    /// A whole date.
    Date(Date),
}

impl Mark {
    /// Where it begins, in microseconds since 1970.
    #[must_use]
    pub fn begin(self, zone: &Zone) -> i64 {
        match self {
            Self::Time(micros) => micros,
            Self::Date(date) => zone.start(date) * 1_000_000,
        }
    }

    /// Where it ends: a date does with its last microsecond, a time is its own end.
    #[must_use]
    pub fn end(self, zone: &Zone) -> i64 {
        match self {
            Self::Time(micros) => micros,
            Self::Date(date) => zone.start(date + 1) * 1_000_000,
        }
    }
}

impl FromStr for Mark {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if let Some(date) = date(text) {
            return Ok(Self::Date(number(date)));
        }
        let time: Timestamp = text.parse().map_err(|_| ())?;
        Ok(Self::Time(time.as_microsecond()))
    }
}

/// Days since 1970.
fn number(date: civil::Date) -> Date {
    let epoch = civil::Date::constant(1970, 1, 1);
    let days = date.since((jiff::Unit::Day, epoch));
    days.map_or(0, |span| i64::from(span.get_days()))
}

/// Years that dates are asked of. Records and sums are of this century; zones count in it without surprises.
const YEARS: std::ops::RangeInclusive<i16> = 1970..=2199;

fn date(text: &str) -> Option<civil::Date> {
    let date: civil::Date = (text.len() == 10).then(|| text.parse().ok())??;
    YEARS.contains(&date.year()).then_some(date)
}

/// Reads a word by its name.
pub fn word<'de, D, T>(
    from: D,
    name: &str,
    wanted: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
{
    let text = Cow::<'de, str>::deserialize(from)?;
    match read(&text) {
        Some(value) => Ok(Some(value)),
        None => Err(D::Error::custom(format_args!("{name} must be {wanted}"))),
    }
}

/// Reads a whole number between two bounds.
pub fn bounded<'de, D: Deserializer<'de>>(
    from: D,
    name: &str,
    least: i64,
    most: i64,
) -> Result<Option<i64>, D::Error> {
    let read = |text: &str| {
        let number = text.parse().ok();
        number.filter(|number| (least..=most).contains(number))
    };
    word(
        from,
        name,
        &format!("a whole number from {least} to {most}"),
        read,
    )
}

/// See [`Dates`].
pub(super) fn days<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    bounded(from, "days", 1, DATES)
}

/// See [`Dates`].
pub(super) fn from<'de, D: Deserializer<'de>>(from: D) -> Result<Option<civil::Date>, D::Error> {
    word(from, "from", "a date such as 2026-01-31", date)
}

/// See [`Dates`].
pub(super) fn to<'de, D: Deserializer<'de>>(from: D) -> Result<Option<civil::Date>, D::Error> {
    word(from, "to", "a date such as 2026-01-31", date)
}
