//! Who polls, and whether pollers are in each other's way.
//!
//! In: `sum_pollers`, the errors of polls. Out: [`Polls`]. Invariant: what is said of rivals is said of the newest polls, so that a
//! fight that is over is not shown as one; only clients that poll through Gramtap can be named.

use std::collections::BTreeMap;

use gramtap_database::{Database, Error, Statement};
use gramtap_events::TenantId;

use super::between;
use crate::zone::HOUR;

const POLLERS: Statement = Statement::new(
    "polls_pollers",
    "SELECT addr, agent, CAST(SUM(polls) AS BIGINT) AS polls, CAST(SUM(conflicts) AS BIGINT) AS conflicts,
        MIN(first_at) AS first_at, MAX(last_at) AS last_at
     FROM sum_pollers WHERE tenant = $1 AND hour > $2 AND hour <= $3 GROUP BY addr, agent",
);
const REASONS: Statement = Statement::new(
    "polls_reasons",
    "SELECT g.advice, CAST(SUM(s.n) AS BIGINT) AS n, MAX(g.last_at) AS last_at FROM sum_errors AS s
     CROSS JOIN error_groups AS g
     WHERE s.tenant = $1 AND s.hour > $2 AND s.hour <= $3
        AND g.tenant = $1 AND g.grp = s.grp AND g.method = 'getUpdates' AND g.code = 409
     GROUP BY g.advice",
);
pub(super) const STATEMENTS: [&Statement; 2] = [&POLLERS, &REASONS];

/// The advice of a poll that was ended by another one.
const RIVALS: &str = "two_pollers";
/// Pollers that were both seen this short a time before the newest poll are there together: longer than any poll waits.
const TOGETHER: i64 = 120_000_000;

/// How a bot polls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Polls {
    /// *Polls*: calls of getUpdates, empty ones and failed ones among them.
    pub polls: i64,
    /// *Conflicts*: polls that were answered 409: ended by another poller, or refused because a webhook is set.
    pub conflicts: i64,
    /// Conflicts by the key of their advice, which tells these apart.
    pub reasons: Vec<(String, i64)>,
    /// Who polled, the latest first.
    pub pollers: Vec<Poller>,
    /// Who is in whose way now.
    pub rivals: Rivals,
}

/// A client that polls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poller {
    /// Its address.
    pub addr: String,
    /// Its `User-Agent`, which names the library.
    pub agent: String,
    /// Its polls.
    pub polls: i64,
    /// Those that were answered 409: the one with more of them loses.
    pub conflicts: i64,
    /// Its first poll in these hours, in microseconds since 1970.
    pub first_at: i64,
    /// Its last.
    pub last_at: i64,
}

/// Who is in whose way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rivals {
    /// Nobody, as far as the newest polls tell.
    #[default]
    None,
    /// Two or more clients poll through Gramtap at once: the first of the pollers.
    Through {
        /// How many.
        clients: usize,
    },
    /// One client polls through Gramtap, and another one, which Gramtap does not see, ends its polls.
    Beside,
}

/// How a bot polled in the last `hours` up to `now` (seconds since 1970), which may begin a part of an hour earlier.
pub async fn polls(
    database: &Database,
    bot: TenantId,
    now: i64,
    hours: i64,
) -> Result<Polls, Error> {
    let from = now - (hours + 1) * HOUR;
    let mut polls = Polls::default();
    for row in between(database, &POLLERS, bot, from, now).await? {
        let poller = Poller {
            addr: row.get("addr")?,
            agent: row.get("agent")?,
            polls: row.get("polls")?,
            conflicts: row.get("conflicts")?,
            first_at: row.get("first_at")?,
            last_at: row.get("last_at")?,
        };
        polls.polls += poller.polls;
        polls.conflicts += poller.conflicts;
        polls.pollers.push(poller);
    }
    polls.pollers.sort_by(|left, right| {
        (right.last_at, &left.addr, &left.agent).cmp(&(left.last_at, &right.addr, &right.agent))
    });
    let mut reasons = BTreeMap::new();
    let mut fought = None;
    for row in between(database, &REASONS, bot, from, now).await? {
        let advice: String = row.get("advice")?;
        if advice == RIVALS {
            fought = row.get::<Option<i64>>("last_at")?;
        }
        reasons.insert(advice, row.get("n")?);
    }
    polls.reasons = reasons.into_iter().collect();
    polls.rivals = rivals(&polls.pollers, fought);
    Ok(polls)
}

/// Judges the pollers, the latest first, and the last time that one ended another's poll.
fn rivals(pollers: &[Poller], fought: Option<i64>) -> Rivals {
    let Some(newest) = pollers.first().map(|poller| poller.last_at) else {
        return Rivals::None;
    };
    if fought.is_none_or(|at| at + TOGETHER < newest) {
        return Rivals::None;
    }
    let together = |poller: &&Poller| poller.last_at + TOGETHER >= newest;
    match pollers.iter().filter(together).count() {
        0 | 1 => Rivals::Beside,
        clients => Rivals::Through { clients },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    fn poller(last_at: i64) -> Poller {
        Poller {
            addr: format!("10.0.0.{last_at}"),
            agent: String::new(),
            polls: 1,
            conflicts: 0,
            first_at: 0,
            last_at: last_at * SECOND,
        }
    }

    #[test]
    fn only_a_fight_that_goes_on_is_one() {
        let two = [poller(1_000), poller(950)];
        let gone = [poller(1_000), poller(100)];
        for (pollers, fought, expected) in [
            (&[][..], Some(1_000), Rivals::None),
            (&two, None, Rivals::None),
            (&two, Some(100), Rivals::None),
            (&two, Some(990), Rivals::Through { clients: 2 }),
            (&gone, Some(990), Rivals::Beside),
            (&two[..1], Some(1_050), Rivals::Beside),
        ] {
            let fought = fought.map(|at| at * SECOND);
            assert_eq!(rivals(pollers, fought), expected, "{pollers:?} {fought:?}");
        }
    }
}
