//! Deletes what is old.
//!
//! In: the clock, how long to keep what. Out: fewer rows. Invariant: every table that grows with time has a step; a step deletes a bounded number of rows
//! in one statement, so no batch waits long for it. Cut off at any moment: the next sweep goes on. A user who is forgotten and
//! comes back counts as new; `fold_offsets`, `fold_zones` and `fold_clock` do not grow and are never deleted from.

use gramtap_database::Statement;

use super::{Store, StoreError};
use crate::zone::DAY;

/// Days that things are kept.
#[derive(Clone, Copy, Debug)]
pub struct Keep {
    /// Sums by hour, and which labels and groups of errors there were.
    pub sums: i64,
    /// Latency by hour.
    pub latency: i64,
    /// Addresses of pollers.
    pub pollers: i64,
    /// Examples of errors, and whom they hit.
    pub errors: i64,
    /// Users, after they were last seen, and on which days they were.
    pub users: i64,
    /// Numbers of active and new users by date.
    pub audience: i64,
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
            marks: 60,
        }
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

static STEPS: [Step; 13] = [
    Step {
        statement: Statement::new(
            "retain_labels",
            "DELETE FROM sum_labels WHERE (tenant, kind, hour, label) IN (
                SELECT tenant, kind, hour, label FROM sum_labels WHERE hour < $1 LIMIT $2)",
        ),
        age: |keep| keep.sums,
        unit: Unit::Second,
    },
    Step {
        statement: Statement::new(
            "retain_calls",
            "DELETE FROM sum_calls WHERE (tenant, hour, method) IN (
                SELECT tenant, hour, method FROM sum_calls WHERE hour < $1 LIMIT $2)",
        ),
        age: |keep| keep.sums,
        unit: Unit::Second,
    },
    Step {
        statement: Statement::new(
            "retain_latency",
            "DELETE FROM sum_latency WHERE (tenant, hour, method, side, bucket) IN (
                SELECT tenant, hour, method, side, bucket FROM sum_latency WHERE hour < $1 LIMIT $2)",
        ),
        age: |keep| keep.latency,
        unit: Unit::Second,
    },
    Step {
        statement: Statement::new(
            "retain_pollers",
            "DELETE FROM sum_pollers WHERE (tenant, hour, addr, agent) IN (
                SELECT tenant, hour, addr, agent FROM sum_pollers WHERE hour < $1 LIMIT $2)",
        ),
        age: |keep| keep.pollers,
        unit: Unit::Second,
    },
    Step {
        statement: Statement::new(
            "retain_errors",
            "DELETE FROM sum_errors WHERE (tenant, hour, grp) IN (
                SELECT tenant, hour, grp FROM sum_errors WHERE hour < $1 LIMIT $2)",
        ),
        age: |keep| keep.sums,
        unit: Unit::Second,
    },
    Step {
        statement: Statement::new(
            "retain_groups",
            "DELETE FROM error_groups WHERE (tenant, grp) IN (
                SELECT tenant, grp FROM error_groups WHERE last_at < $1 LIMIT $2)",
        ),
        age: |keep| keep.sums,
        unit: Unit::Micro,
    },
    Step {
        statement: Statement::new(
            "retain_hits",
            "DELETE FROM error_hits WHERE (tenant, grp, who, day, hash) IN (
                SELECT tenant, grp, who, day, hash FROM error_hits WHERE day < $1 LIMIT $2)",
        ),
        age: |keep| keep.errors,
        unit: Unit::Day,
    },
    Step {
        statement: Statement::new(
            "retain_examples",
            "DELETE FROM error_examples WHERE (tenant, grp, error_id) IN (
                SELECT tenant, grp, error_id FROM error_examples WHERE at < $1 LIMIT $2)",
        ),
        age: |keep| keep.errors,
        unit: Unit::Micro,
    },
    Step {
        statement: Statement::new(
            "retain_day_labels",
            "DELETE FROM day_labels WHERE (tenant, kind, day, label) IN (
                SELECT tenant, kind, day, label FROM day_labels WHERE day < $1 LIMIT $2)",
        ),
        age: |keep| keep.sums,
        unit: Unit::Day,
    },
    Step {
        statement: Statement::new(
            "retain_users",
            "DELETE FROM bot_users WHERE (tenant, user_id) IN (
                SELECT tenant, user_id FROM bot_users WHERE last_day < $1 LIMIT $2)",
        ),
        age: |keep| keep.users,
        unit: Unit::Day,
    },
    Step {
        statement: Statement::new(
            "retain_user_days",
            "DELETE FROM bot_user_days WHERE (tenant, user_id, day) IN (
                SELECT tenant, user_id, day FROM bot_user_days WHERE day < $1 LIMIT $2)",
        ),
        age: |keep| keep.users,
        unit: Unit::Day,
    },
    Step {
        statement: Statement::new(
            "retain_audience",
            "DELETE FROM audience_dates WHERE (tenant, date) IN (
                SELECT tenant, date FROM audience_dates WHERE date < $1 LIMIT $2)",
        ),
        age: |keep| keep.audience,
        unit: Unit::Day,
    },
    Step {
        statement: Statement::new(
            "retain_marks",
            "DELETE FROM fold_marks WHERE (topic, part, hour) IN (
                SELECT topic, part, hour FROM fold_marks WHERE hour < $1 LIMIT $2)",
        ),
        age: |keep| keep.marks,
        unit: Unit::Second,
    },
];
pub(super) static STATEMENTS: [&Statement; 13] = [
    &STEPS[0].statement,
    &STEPS[1].statement,
    &STEPS[2].statement,
    &STEPS[3].statement,
    &STEPS[4].statement,
    &STEPS[5].statement,
    &STEPS[6].statement,
    &STEPS[7].statement,
    &STEPS[8].statement,
    &STEPS[9].statement,
    &STEPS[10].statement,
    &STEPS[11].statement,
    &STEPS[12].statement,
];

impl Store {
    /// Deletes at most `most` rows of each table that are older than they are kept at `now` (seconds since 1970). Returns how many
    /// were deleted; while it is not zero, there may be more.
    pub async fn sweep(&self, keep: &Keep, now: i64, most: i64) -> Result<u64, StoreError> {
        let mut deleted = 0;
        for step in &STEPS {
            let before = now.div_euclid(DAY) - (step.age)(keep);
            let before = match step.unit {
                Unit::Day => before,
                Unit::Second => before * DAY,
                Unit::Micro => before * DAY * 1_000_000,
            };
            let values = [before.into(), most.into()];
            deleted += self.database.execute(&step.statement, &values).await?;
        }
        Ok(deleted)
    }
}
