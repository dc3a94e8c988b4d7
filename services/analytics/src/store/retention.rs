//! Deletes what is old.
//!
//! In: the clock, how long to keep what. Out: fewer rows. Invariant: every table that grows with time has a step; a step deletes a bounded number of rows
//! in one statement, so no batch waits long for it. Cut off at any moment: the next sweep goes on. A user who is forgotten and
//! comes back counts as new; `fold_offsets`, `fold_zones` and `fold_clock` do not grow and are never deleted from.

use gramtap_database::Statement;
use serde::Deserialize;

use super::{Store, StoreError};
use crate::zone::DAY;

/// Days that things are kept.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keep {
    /// Sums by hour, and which labels and groups of errors there were.
    pub sums: i64,
    /// Latency by hour.
    pub latency: i64,
    /// Addresses of pollers, and requests that were refused.
    pub pollers: i64,
    /// Examples of errors, and whom they hit.
    pub errors: i64,
    /// Users, after they were last seen, and on which days they were.
    pub users: i64,
    /// Numbers of active and new users by date.
    pub audience: i64,
    /// Attempts to deliver, and dead letters: no longer than their topics keep records.
    pub deliveries: i64,
    /// Who did what.
    pub audit: i64,
    /// Where hours begin in the topics: longer than these keep records.
    pub marks: i64,
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            sums: 400,
            latency: 100,
            pollers: 30,
            errors: 90,
            users: 400,
            audience: 1_830,
            deliveries: 14,
            audit: 400,
            marks: 60,
        }
    }
}

impl Keep {
    /// Each by its name, in days.
    #[must_use]
    pub fn days(&self) -> [(&'static str, i64); 9] {
        [
            ("sums", self.sums),
            ("latency", self.latency),
            ("pollers", self.pollers),
            ("errors", self.errors),
            ("users", self.users),
            ("audience", self.audience),
            ("deliveries", self.deliveries),
            ("audit", self.audit),
            ("marks", self.marks),
        ]
    }
}

/// What a table's column of time counts, since 1970.
enum Unit {
    Day,
    Second,
    Micro,
}

struct Step {
    statement: Statement,
    age: fn(&Keep) -> i64,
    unit: Unit,
}

/// A row: the statement's name, the table, its primary key, its column of time and what that counts, how long it is kept.
macro_rules! steps {
    ($($name:literal: $table:literal by $key:literal, $time:literal in $unit:ident, kept $keep:ident;)*) => {
        static STEPS: &[Step] = &[$(Step {
            statement: Statement::new(
                $name,
                concat!(
                    "DELETE FROM ", $table, " WHERE (", $key, ") IN (SELECT ", $key, " FROM ", $table,
                    " WHERE ", $time, " < $1 LIMIT $2)"
                ),
            ),
            age: |keep| keep.$keep,
            unit: Unit::$unit,
        }),*];
    };
}

steps! {
    "retain_labels": "sum_labels" by "tenant, kind, hour, label", "hour / 86400" in Day, kept sums;
    "retain_calls": "sum_calls" by "tenant, hour, method", "hour" in Second, kept sums;
    "retain_latency": "sum_latency" by "tenant, hour, method, side", "hour" in Second, kept latency;
    "retain_pollers": "sum_pollers" by "tenant, hour, addr, agent", "hour" in Second, kept pollers;
    "retain_errors": "sum_errors" by "tenant, hour, grp", "hour" in Second, kept sums;
    "retain_groups": "error_groups" by "tenant, grp", "last_at" in Micro, kept sums;
    "retain_hits": "error_hits" by "tenant, grp, who, day, hash", "day" in Day, kept errors;
    "retain_examples": "error_examples" by "tenant, grp, error_id", "at" in Micro, kept errors;
    "retain_day_labels": "day_labels" by "tenant, kind, day, label", "day" in Day, kept sums;
    "retain_users": "bot_users" by "tenant, user_id", "last_day" in Day, kept users;
    "retain_user_days": "bot_user_days" by "tenant, day, user_id", "day" in Day, kept users;
    "retain_audience": "audience_dates" by "tenant, date", "date" in Day, kept audience;
    "retain_refused": "refused" by "day, reason, bot, code, addr, agent", "day" in Day, kept pollers;
    "retain_deliveries": "sum_deliveries" by "tenant, hour, verdict, label, status, made", "hour" in Second, kept sums;
    "retain_attempts": "delivery_attempts" by "tenant, record", "at" in Micro, kept deliveries;
    "retain_waiting": "delivery_waiting" by "tenant, inbox_record", "expires_at" in Micro, kept deliveries;
    "retain_letters": "dead_letters" by "tenant, record", "dead_at" in Micro, kept deliveries;
    "retain_audit": "audit_log" by "id", "at" in Micro, kept audit;
    "retain_marks": "fold_marks" by "topic, part, hour", "hour" in Second, kept marks;
}

/// First calls are kept for as long as the bot is.
const FORGOTTEN: Statement = Statement::new(
    "retain_firsts",
    "DELETE FROM first_calls WHERE tenant IN (
        SELECT tenant FROM first_calls WHERE tenant NOT IN (SELECT id FROM tenants) LIMIT $1
    )",
);

pub(super) fn statements() -> impl Iterator<Item = &'static Statement> {
    STEPS.iter().map(|step| &step.statement).chain([&FORGOTTEN])
}

impl Store {
    /// Deletes at most `most` rows of each table that are older than they are kept at `now` (seconds since 1970). Returns how many
    /// were deleted; while it is not zero, there may be more.
    pub async fn sweep(&self, keep: &Keep, now: i64, most: i64) -> Result<u64, StoreError> {
        let mut deleted = 0;
        for step in STEPS {
            let before = now.div_euclid(DAY) - (step.age)(keep);
            let before = match step.unit {
                Unit::Day => before,
                Unit::Second => before * DAY,
                Unit::Micro => before * DAY * 1_000_000,
            };
            let values = [before.into(), most.into()];
            deleted += self.database.execute(&step.statement, &values).await?;
        }
        let values = [most.into()];
        Ok(deleted + self.database.execute(&FORGOTTEN, &values).await?)
    }
}
