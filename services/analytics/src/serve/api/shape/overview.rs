//! How a bot is doing, as JSON. See `query/overview.rs`. Pure.
//!
//! In: an answer. Out: the same, for scripts. Invariant: names and definitions are those inside.

use serde::Serialize;
use utoipa::ToSchema;

use super::{date, second};
use crate::query::overview as inside;

/// A bot in a period.
#[derive(Serialize, ToSchema)]
pub struct Overview {
    /// The whole period.
    pub total: Figures,
    /// The period that it is compared with.
    pub before: Figures,
    /// Each date.
    pub days: Vec<Day>,
    /// Each hour, in order, where anything happened; of periods of at most 2 days.
    pub hours: Vec<Hour>,
    /// The same of the period that it is compared with.
    pub hours_before: Vec<Hour>,
}

/// Traffic and people of some time.
#[derive(Serialize, ToSchema)]
pub struct Figures {
    /// Traffic.
    pub traffic: Traffic,
    /// People.
    pub people: People,
}

/// Traffic of some time.
#[derive(Serialize, ToSchema)]
pub struct Traffic {
    /// *Updates*: what Telegram told the bot, each once, in the hour of its own date.
    pub updates: i64,
    /// *Calls*: what the bot asked Telegram with a token that Telegram accepts, in the hour of its receipt; polls apart.
    pub calls: i64,
    /// *Failed*: calls that were answered with an error or not at all, expected ones (such as a user who has blocked the
    /// bot) among them.
    pub failed: i64,
    /// *Errors*: failed calls whose class is not expected.
    pub errors: i64,
    /// *Error rate*: errors whose class is not expected, as a share of calls; polls apart. None without calls.
    #[schema(minimum = 0.0)]
    pub error_rate: Option<f64>,
    /// *Polls*: calls of getUpdates.
    pub polls: i64,
    /// *Failed polls*: polls that were answered with an error or not at all.
    pub polls_failed: i64,
    /// *Unverified calls*: with a token that Telegram has never accepted. Anybody can make them; they count nowhere else.
    pub unverified: i64,
    /// *Lost*: records of calls and updates that Gramtap saw and could not keep.
    pub lost: i64,
}

/// People of some time.
#[derive(Serialize, ToSchema)]
pub struct People {
    /// *Active users*: different users with at least one update whose own date falls on the day in the bot's time zone, a block of
    /// the bot being an update, too; bots and Telegram's service accounts excluded. Of several days: the sum of the days.
    pub active: i64,
    /// *New users*: those whose first active day ever seen here it is.
    pub fresh: i64,
    /// *Returning users*: active on the day and on an earlier one.
    pub returning: i64,
    /// *Blocked*: users who blocked the bot in that time, by an update or by a refused call, and have shown no sign since.
    pub blocked: i64,
}

/// A date.
#[derive(Serialize, ToSchema)]
pub struct Day {
    /// The date, in the bot's time zone.
    #[schema(format = Date)]
    pub date: String,
    /// When it begins, UTC.
    #[schema(format = DateTime)]
    pub start: String,
    /// Its numbers.
    pub figures: Figures,
}

/// An hour.
#[derive(Serialize, ToSchema)]
pub struct Hour {
    /// When it begins, UTC.
    #[schema(format = DateTime)]
    pub start: String,
    /// Its traffic.
    pub traffic: Traffic,
}

impl From<inside::Overview> for Overview {
    fn from(overview: inside::Overview) -> Self {
        Self {
            total: overview.total.into(),
            before: overview.before.into(),
            days: overview.days.into_iter().map(Day::from).collect(),
            hours: overview.hours.into_iter().map(Hour::from).collect(),
            hours_before: overview.hours_before.into_iter().map(Hour::from).collect(),
        }
    }
}

impl From<inside::Figures> for Figures {
    fn from(figures: inside::Figures) -> Self {
        Self {
            traffic: figures.traffic.into(),
            people: figures.people.into(),
        }
    }
}

impl From<inside::Traffic> for Traffic {
    fn from(traffic: inside::Traffic) -> Self {
        Self {
            updates: traffic.updates,
            calls: traffic.calls,
            failed: traffic.failed,
            errors: traffic.errors,
            error_rate: traffic.error_rate(),
            polls: traffic.polls,
            polls_failed: traffic.polls_failed,
            unverified: traffic.unverified,
            lost: traffic.lost,
        }
    }
}

impl From<inside::People> for People {
    fn from(people: inside::People) -> Self {
        Self {
            active: people.active,
            fresh: people.fresh,
            returning: people.returning,
            blocked: people.blocked,
        }
    }
}

impl From<inside::Day> for Day {
    fn from(day: inside::Day) -> Self {
        Self {
            date: date(day.date),
            start: second(day.start),
            figures: day.figures.into(),
        }
    }
}

impl From<inside::Hour> for Hour {
    fn from(hour: inside::Hour) -> Self {
        Self {
            start: second(hour.start),
            traffic: hour.traffic.into(),
        }
    }
}
