//! How a bot is doing: the page that is shown first.
//!
//! In: `sum_labels`, `sum_calls`, `audience_dates`, `bot_users`. Out: [`Overview`]. Invariant: what is compared is compared by the same
//! definitions; a day's numbers are those of the hours that begin on it.

use gramtap_database::{Database, Error, Statement};
use gramtap_events::TenantId;

use super::{Period, between, share};
use crate::zone::Date;

/// By hour alone, because ninety days have ten times as many labels as hours. The names are those of [`OTHERS`].
const EVENTS: Statement = Statement::new(
    "overview_events",
    "SELECT hour,
        CAST(SUM(CASE WHEN label = 'call_unverified' THEN n ELSE 0 END) AS BIGINT) AS unverified,
        CAST(SUM(CASE WHEN label IN ('message_sent', 'message_edit_sent', 'message_deleted', 'callback_answered',
            'inline_answered', 'file_asked', 'file_downloaded', 'webhook_set', 'webhook_deleted', 'call_made', 'polled',
            'call_unverified', 'delivered', 'delivery_failed', 'target_reached', 'gap') THEN 0 ELSE n END) AS BIGINT) AS updates
     FROM sum_labels WHERE tenant = $1 AND kind = 'event' AND hour >= $2 AND hour < $3 GROUP BY hour",
);
const LOST: Statement = Statement::new(
    "overview_lost",
    "SELECT hour, n FROM sum_labels WHERE tenant = $1 AND kind = 'gap' AND hour >= $2 AND hour < $3",
);
const CALLS: Statement = Statement::new(
    "overview_calls",
    "SELECT hour, CAST(CASE WHEN method = 'getUpdates' THEN 1 ELSE 0 END AS BIGINT) AS polls, CAST(SUM(calls) AS BIGINT) AS calls,
        CAST(SUM(failed) AS BIGINT) AS failed, CAST(SUM(unexpected) AS BIGINT) AS unexpected
     FROM sum_calls WHERE tenant = $1 AND hour >= $2 AND hour < $3
     GROUP BY hour, CAST(CASE WHEN method = 'getUpdates' THEN 1 ELSE 0 END AS BIGINT)",
);
const AUDIENCE: Statement = Statement::new(
    "overview_audience",
    "SELECT date, active, fresh FROM audience_dates WHERE tenant = $1 AND date >= $2 AND date < $3",
);
/// By quarters of an hour, which dates of every zone are made of.
const BLOCKED: Statement = Statement::new(
    "overview_blocked",
    "SELECT signal_second / 900 AS quarter, COUNT(*) AS n FROM bot_users
     WHERE tenant = $1 AND blocked AND signal_second >= $2 AND signal_second < $3
     GROUP BY signal_second / 900",
);
pub(super) const STATEMENTS: [&Statement; 5] = [&EVENTS, &LOST, &CALLS, &AUDIENCE, &BLOCKED];

/// The method that polls.
pub(super) const POLL: &str = "getUpdates";

/// A bot in a period.
#[derive(Clone, Debug, PartialEq)]
pub struct Overview {
    /// The whole period.
    pub total: Figures,
    /// The period that it is compared with, [`Period::before`].
    pub before: Figures,
    /// Each date.
    pub days: Vec<Day>,
    /// Each date of the period that it is compared with.
    pub days_before: Vec<Day>,
    /// Each hour, in order, where anything happened; of periods of at most [`HOURLY`] days.
    pub hours: Vec<Hour>,
    /// The same of the period that it is compared with.
    pub hours_before: Vec<Hour>,
}

/// Days up to which hours are told.
pub const HOURLY: i64 = 2;

/// Traffic of some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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

/// Traffic and people of some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Traffic.
    pub traffic: Traffic,
    /// People.
    pub people: People,
}

impl Traffic {
    /// *Error rate*: errors whose class is not expected, as a share of calls; polls apart. None without calls.
    #[must_use]
    pub fn error_rate(&self) -> Option<f64> {
        share(self.errors, self.calls)
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.updates += other.updates;
        self.calls += other.calls;
        self.failed += other.failed;
        self.errors += other.errors;
        self.polls += other.polls;
        self.polls_failed += other.polls_failed;
        self.unverified += other.unverified;
        self.lost += other.lost;
    }
}

impl People {
    pub(crate) fn add(&mut self, other: Self) {
        self.active += other.active;
        self.fresh += other.fresh;
        self.returning += other.returning;
        self.blocked += other.blocked;
    }
}

/// A date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// Days since 1970-01-01, in the bot's time zone.
    pub date: Date,
    /// The second that it begins with.
    pub start: i64,
    /// Its numbers.
    pub figures: Figures,
}

/// An hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hour {
    /// The second that it begins with.
    pub start: i64,
    /// Its traffic.
    pub traffic: Traffic,
}

/// How a bot is doing in a period, against the one before.
pub async fn overview(
    database: &Database,
    bot: TenantId,
    period: &Period,
) -> Result<Overview, Error> {
    let before = period.before();
    let (hours, hours_before) = tokio::try_join!(
        traffic(database, bot, period),
        traffic(database, bot, &before)
    )?;
    let (days, days_before) = tokio::try_join!(
        days(database, bot, period, &hours),
        days(database, bot, &before, &hours_before)
    )?;
    let shown = |hours| {
        if period.days <= HOURLY {
            hours
        } else {
            Vec::new()
        }
    };
    Ok(Overview {
        total: total(&days),
        before: total(&days_before),
        days,
        days_before,
        hours: shown(hours),
        hours_before: shown(hours_before),
    })
}

/// The sum of some dates.
pub(crate) fn total(days: &[Day]) -> Figures {
    let mut total = Figures::default();
    for Figures { traffic, people } in days.iter().map(|day| day.figures) {
        total.traffic.add(traffic);
        total.people.add(people);
    }
    total
}

/// The dates that are over: all but the last, which is today or may be.
pub(crate) fn finished<T>(days: &[T]) -> &[T] {
    days.split_last().map_or(&[], |(_, finished)| finished)
}

/// The numbers of each date.
pub(super) async fn days(
    database: &Database,
    bot: TenantId,
    period: &Period,
    hours: &[Hour],
) -> Result<Vec<Day>, Error> {
    let people = people(database, bot, period).await?;
    let day = |(date, people)| Day {
        date,
        start: period.zone.start(date),
        figures: Figures {
            people,
            ..Figures::default()
        },
    };
    let mut days: Vec<Day> = (period.first..).zip(people).map(day).collect();
    for hour in hours {
        if let Some(day) = period
            .place(hour.start)
            .and_then(|place| days.get_mut(place))
        {
            day.figures.traffic.add(hour.traffic);
        }
    }
    Ok(days)
}

/// The people of each date, in order.
pub async fn people(
    database: &Database,
    bot: TenantId,
    period: &Period,
) -> Result<Vec<People>, Error> {
    let mut people: Vec<People> = (period.first..period.end())
        .map(|_| People::default())
        .collect();
    for row in between(database, &AUDIENCE, bot, period.first, period.end()).await? {
        let place = usize::try_from(row.get::<i64>("date")? - period.first);
        if let Some(people) = place.ok().and_then(|place| people.get_mut(place)) {
            (people.active, people.fresh) = (row.get("active")?, row.get("fresh")?);
            people.returning = people.active - people.fresh;
        }
    }
    for row in between(database, &BLOCKED, bot, period.from(), period.to()).await? {
        let second = row.get::<i64>("quarter")? * 900;
        if let Some(people) = period.place(second).and_then(|place| people.get_mut(place)) {
            people.blocked += row.get::<i64>("n")?;
        }
    }
    Ok(people)
}

/// The traffic of each hour in which there was any.
pub(super) async fn traffic(
    database: &Database,
    bot: TenantId,
    period: &Period,
) -> Result<Vec<Hour>, Error> {
    // An hour belongs to the date that it begins on.
    let (from, to) = (period.from(), period.to());
    let mut hours = std::collections::BTreeMap::<i64, Traffic>::new();
    for row in between(database, &EVENTS, bot, from, to).await? {
        let traffic = hours.entry(row.get("hour")?).or_default();
        traffic.unverified += row.get::<i64>("unverified")?;
        traffic.updates += row.get::<i64>("updates")?;
    }
    for row in between(database, &LOST, bot, from, to).await? {
        hours.entry(row.get("hour")?).or_default().lost += row.get::<i64>("n")?;
    }
    for row in between(database, &CALLS, bot, from, to).await? {
        let traffic = hours.entry(row.get("hour")?).or_default();
        let (calls, failed): (i64, i64) = (row.get("calls")?, row.get("failed")?);
        if row.get::<i64>("polls")? == 1 {
            traffic.polls += calls;
            traffic.polls_failed += failed;
        } else {
            traffic.calls += calls;
            traffic.failed += failed;
            traffic.errors += row.get::<i64>("unexpected")?;
        }
    }
    Ok(hours
        .into_iter()
        .map(|(start, traffic)| Hour { start, traffic })
        .collect())
}

/// Events that are no updates but calls, losses, or Gramtap's own.
const OTHERS: [&str; 16] = [
    "message_sent",
    "message_edit_sent",
    "message_deleted",
    "callback_answered",
    "inline_answered",
    "file_asked",
    "file_downloaded",
    "webhook_set",
    "webhook_deleted",
    "call_made",
    "polled",
    "call_unverified",
    "delivered",
    "delivery_failed",
    "target_reached",
    "gap",
];

/// Whether an event is an update; what is none is a call or a loss.
pub(super) fn is_update(event: &str) -> bool {
    !OTHERS.contains(&event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_leaves_out_what_is_no_update() {
        let quoted = EVENTS.sql.split_once(" IN (").map(|(_, rest)| rest);
        let quoted = quoted.and_then(|rest| rest.split_once(')'));
        let names = quoted.map_or("", |(names, _)| names).split(',');
        let names: Vec<&str> = names.map(|name| name.trim().trim_matches('\'')).collect();
        assert_eq!(names, OTHERS);
    }
}
