//! The course of errors: by class, and of some groups.
//!
//! In: `sum_errors`, `error_groups`, `sum_calls`. Out: [`Classes`] and the hours of groups. Invariant: a class's number is the sum of those of
//! its groups in `errors.rs`.

use std::collections::BTreeMap;

use gramtap_database::{Database, Error, Statement, Value};
use gramtap_events::TenantId;

use super::{Period, between};

const CLASSES: Statement = Statement::new(
    "trend_classes",
    "SELECT s.hour, g.class, CAST(SUM(s.n) AS BIGINT) AS n FROM sum_errors AS s CROSS JOIN error_groups AS g
     WHERE s.tenant = $1 AND s.hour >= $2 AND s.hour < $3 AND g.tenant = $1 AND g.grp = s.grp
     GROUP BY s.hour, g.class",
);
const GROUPS: Statement = Statement::new(
    "trend_groups",
    "SELECT grp, hour, n FROM sum_errors WHERE tenant = $1 AND hour >= $2 AND hour < $3
     AND grp IN ($4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)",
);
const METHODS: Statement = Statement::new(
    "trend_methods",
    "SELECT method, CAST(SUM(calls) AS BIGINT) AS calls FROM sum_calls
     WHERE tenant = $1 AND hour >= $2 AND hour < $3 GROUP BY method",
);
pub(super) const STATEMENTS: [&Statement; 3] = [&CLASSES, &GROUPS, &METHODS];

/// Groups that are asked for at a time.
pub const BATCH: usize = 20;

/// Errors by class, and the hour that they were counted in: the second it begins with.
pub type Classes = BTreeMap<String, Vec<(i64, i64)>>;

/// Errors of a period by class and hour, where there were any.
pub async fn classes(
    database: &Database,
    bot: TenantId,
    period: &Period,
) -> Result<Classes, Error> {
    let mut classes = Classes::new();
    for row in between(database, &CLASSES, bot, period.from(), period.to()).await? {
        let class = classes.entry(row.get("class")?).or_default();
        class.push((row.get("hour")?, row.get("n")?));
    }
    for hours in classes.values_mut() {
        hours.sort_unstable();
    }
    Ok(classes)
}

/// Errors of some groups by hour, where there were any. Costs a question for every [`BATCH`] groups.
pub async fn groups(
    database: &Database,
    bot: TenantId,
    period: &Period,
    groups: &[&str],
) -> Result<BTreeMap<String, Vec<(i64, i64)>>, Error> {
    let mut told = BTreeMap::<String, Vec<(i64, i64)>>::new();
    for batch in groups.chunks(BATCH) {
        let mut values: Vec<Value> = vec![
            bot.as_str().into(),
            period.from().into(),
            period.to().into(),
        ];
        let filled = batch.iter().chain(batch.iter().cycle()).take(BATCH);
        values.extend(filled.map(|group| Value::from(*group)));
        for row in database.fetch(&GROUPS, &values).await? {
            let hours = told.entry(row.get("grp")?).or_default();
            hours.push((row.get("hour")?, row.get("n")?));
        }
    }
    for hours in told.values_mut() {
        hours.sort_unstable();
    }
    Ok(told)
}

/// Calls of a period by method, failed ones and polls among them.
pub async fn methods(
    database: &Database,
    bot: TenantId,
    period: &Period,
) -> Result<BTreeMap<String, i64>, Error> {
    let mut methods = BTreeMap::new();
    for row in between(database, &METHODS, bot, period.from(), period.to()).await? {
        methods.insert(row.get("method")?, row.get("calls")?);
    }
    Ok(methods)
}
