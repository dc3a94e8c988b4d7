//! Whose fault an outage was: the same hour of other bots and of other methods.
//!
//! In: `sum_errors` and `sum_calls` of all bots in an hour. Out: [`Blame`], and of it a [`Verdict`]. Invariant: of other bots only numbers are told.
//! Zones whose hours begin at other minutes count by every hour that overlaps.

use std::collections::{BTreeMap, BTreeSet};

use gramtap_database::{Database, Error, Statement};
use gramtap_events::TenantId;

use super::number;
use crate::zone::HOUR;

const FAILED: Statement = Statement::new(
    "blame_failed",
    "SELECT s.tenant, g.origin, g.method, CAST(SUM(s.n) AS BIGINT) AS n
     FROM sum_errors AS s CROSS JOIN error_groups AS g
     WHERE s.hour > $1 AND s.hour < $2 AND g.tenant = s.tenant AND g.grp = s.grp AND g.class = 'outage'
     GROUP BY s.tenant, g.origin, g.method",
);
const OTHERS: Statement = Statement::new(
    "blame_others",
    "SELECT COUNT(DISTINCT tenant) AS n FROM sum_calls
     WHERE hour > $1 AND hour < $2 AND tenant <> $3 AND tenant <> $4",
);
const CALLED: Statement = Statement::new(
    "blame_called",
    "SELECT method, CAST(SUM(calls) AS BIGINT) AS calls FROM sum_calls
     WHERE hour > $1 AND hour < $2 AND tenant = $3 GROUP BY method",
);
pub(super) const STATEMENTS: [&Statement; 3] = [&FAILED, &OTHERS, &CALLED];

/// What else happened in an hour. Failures are those of class outage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blame {
    /// The second that the hour begins with.
    pub hour: i64,
    /// *Other bots*: those with at least one call in the hour.
    pub others: i64,
    /// *Other bots that failed*: by origin of their failures.
    pub others_failed: BTreeMap<String, i64>,
    /// *Failures of other bots*: by origin.
    pub failures: BTreeMap<String, i64>,
    /// *Calls*: of this bot in the hour, by method; polls among them.
    pub calls: BTreeMap<String, i64>,
    /// *Failures*: of this bot in the hour, by method and origin.
    pub failed: BTreeMap<(String, String), i64>,
}

/// Who failed, as far as the evidence tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Gramtap answered by itself.
    Gramtap,
    /// The bot hung up.
    Bot,
    /// Other bots lost their way to Telegram, too.
    Way,
    /// Other bots got such answers, too.
    Telegram,
    /// Only this bot, but with several methods.
    ThisBot,
    /// Only this method of this bot, while others passed.
    ThisCall,
    /// There is nothing to compare it with.
    Unclear,
}

/// What else happened in the hour that begins with a second.
pub async fn blame(database: &Database, bot: TenantId, hour: i64) -> Result<Blame, Error> {
    let (from, to) = ((hour - HOUR).into(), (hour + HOUR).into());
    let bounds = [from, to];
    let [from, to] = bounds.clone();
    let unattributed = TenantId::UNATTRIBUTED;
    let own = bot.as_str();
    let others = [from, to, own.into(), unattributed.as_str().into()];
    let mut blame = Blame {
        hour,
        others: number(database, &OTHERS, &others).await?,
        ..Blame::default()
    };
    let mut failing = BTreeSet::new();
    for row in database.fetch(&FAILED, &bounds).await? {
        let (tenant, origin): (String, String) = (row.get("tenant")?, row.get("origin")?);
        let n: i64 = row.get("n")?;
        if tenant == own {
            let key = (row.get("method")?, origin);
            *blame.failed.entry(key).or_default() += n;
        } else if tenant != unattributed.as_str() {
            *blame.failures.entry(origin.clone()).or_default() += n;
            failing.insert((origin, tenant));
        }
    }
    for (origin, _) in failing {
        *blame.others_failed.entry(origin).or_default() += 1;
    }
    let [from, to] = bounds;
    for row in database.fetch(&CALLED, &[from, to, own.into()]).await? {
        blame.calls.insert(row.get("method")?, row.get("calls")?);
    }
    Ok(blame)
}

/// Origins that mean the same to who asks for the fault: an answer from Telegram's side, or none.
fn is_alike(left: &str, right: &str) -> bool {
    let side = |origin: &str| match origin {
        "edge" => "telegram".to_owned(),
        other => other.to_owned(),
    };
    side(left) == side(right)
}

impl Blame {
    /// Other bots that failed alike. A bot that failed in both ways that are alike is told twice at most.
    #[must_use]
    pub fn others_alike(&self, origin: &str) -> i64 {
        let alike = self
            .others_failed
            .iter()
            .filter(|(of, _)| is_alike(of, origin));
        alike.map(|(_, n)| *n).max().unwrap_or(0)
    }

    /// Methods of this bot other than `method` that failed alike, and those that did not fail.
    #[must_use]
    pub fn methods(&self, method: &str, origin: &str) -> (Vec<&str>, Vec<&str>) {
        let fails = |of: &str| {
            let mut failed = self.failed.keys();
            failed.any(|(failed, by)| failed == of && is_alike(by, origin))
        };
        let methods = self.calls.keys().map(String::as_str);
        methods.filter(|of| *of != method).partition(|of| fails(of))
    }

    /// Who failed, of a failure with this origin and method.
    #[must_use]
    pub fn verdict(&self, method: &str, origin: &str) -> Verdict {
        let (failing, passing) = self.methods(method, origin);
        match origin {
            "gramtap" => Verdict::Gramtap,
            "client" => Verdict::Bot,
            "network" if self.others_alike(origin) > 0 => Verdict::Way,
            _ if self.others_alike(origin) > 0 => Verdict::Telegram,
            _ if self.others > 0 && !failing.is_empty() => Verdict::ThisBot,
            _ if failing.is_empty() && !passing.is_empty() => Verdict::ThisCall,
            _ => Verdict::Unclear,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blame(others: i64, failing: &[(&str, i64)], own: &[(&str, &str)], calls: &[&str]) -> Blame {
        let names = |(origin, n): &(&str, i64)| ((*origin).to_owned(), *n);
        let failed =
            |(method, origin): &(&str, &str)| (((*method).to_owned(), (*origin).to_owned()), 3);
        Blame {
            hour: 0,
            others,
            others_failed: failing.iter().map(names).collect(),
            failures: BTreeMap::new(),
            calls: calls.iter().map(|it| ((*it).to_owned(), 9)).collect(),
            failed: own.iter().map(failed).collect(),
        }
    }

    #[test]
    fn the_fault_is_where_the_evidence_points() {
        let (send, get) = ("sendMessage", "getMe");
        let table: [(&str, Blame, Verdict); 10] = [
            ("gramtap", blame(9, &[], &[], &[]), Verdict::Gramtap),
            ("client", blame(9, &[], &[], &[]), Verdict::Bot),
            (
                "network",
                blame(9, &[("network", 2)], &[(send, "network")], &[send]),
                Verdict::Way,
            ),
            (
                "telegram",
                blame(9, &[("edge", 2)], &[(send, "telegram")], &[send]),
                Verdict::Telegram,
            ),
            // The failures of others are of another kind.
            (
                "edge",
                blame(
                    9,
                    &[("network", 2)],
                    &[(send, "edge"), (get, "edge")],
                    &[send, get],
                ),
                Verdict::ThisBot,
            ),
            (
                "edge",
                blame(9, &[], &[(send, "edge"), (get, "network")], &[send, get]),
                Verdict::ThisCall,
            ),
            (
                "edge",
                blame(0, &[], &[(send, "edge")], &[send, get]),
                Verdict::ThisCall,
            ),
            // Nobody to compare with.
            (
                "edge",
                blame(0, &[], &[(send, "edge"), (get, "edge")], &[send, get]),
                Verdict::Unclear,
            ),
            (
                "network",
                blame(3, &[], &[(send, "network")], &[send]),
                Verdict::Unclear,
            ),
            ("network", Blame::default(), Verdict::Unclear),
        ];
        for (place, (origin, blame, verdict)) in table.into_iter().enumerate() {
            assert_eq!(blame.verdict(send, origin), verdict, "row {place}");
        }
    }
}
