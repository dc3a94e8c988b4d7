//! What failed, whom it hit, and what to do about it.
//!
//! In: `sum_errors`, `error_groups`, `error_hits`, `error_examples`; the catalogue of advice. Out: [`ErrorGroup`]s, and all of one
//! in [`ErrorDetail`]. Invariant: a group's number is that of its failed calls in the period; numbers of chats and users are of the
//! days (UTC) that the period touches.

use std::collections::BTreeMap;

use gramtap_database::{Database, Error, Row, Statement};
use gramtap_events::TenantId;
use gramtap_telegram::advice::{self, Advice};

use super::{Period, between};
use crate::fold::sketch::Sketch;
use crate::zone::DAY;

const LIST: Statement = Statement::new(
    "errors_list",
    "SELECT s.grp, s.n, g.template, g.method, g.code, g.origin, g.class, g.advice, g.first_at, g.last_at
     FROM (SELECT grp, CAST(SUM(n) AS BIGINT) AS n FROM sum_errors
           WHERE tenant = $1 AND hour >= $2 AND hour < $3 GROUP BY grp) AS s
     CROSS JOIN error_groups AS g WHERE g.tenant = $1 AND g.grp = s.grp",
);
const ONE: Statement = Statement::new(
    "errors_one",
    "SELECT grp, template, method, code, origin, class, advice, first_at, last_at, CAST(0 AS BIGINT) AS n
     FROM error_groups WHERE tenant = $1 AND grp = $2",
);
const HOURS: Statement = Statement::new(
    "errors_hours",
    "SELECT hour, n FROM sum_errors WHERE tenant = $1 AND hour >= $2 AND hour < $3 AND grp = $4",
);
const HITS: Statement = Statement::new(
    "errors_hits",
    "SELECT DISTINCT who, hash FROM error_hits WHERE tenant = $1 AND grp = $2 AND day >= $3 AND day <= $4",
);
const EXAMPLES: Statement = Statement::new(
    "errors_examples",
    "SELECT error_id, at, description, chat_id, user_id, update_id, addr, agent FROM error_examples
     WHERE tenant = $1 AND grp = $2",
);
pub(super) const STATEMENTS: [&Statement; 5] = [&LIST, &ONE, &HOURS, &HITS, &EXAMPLES];

/// Errors that differ in nothing a reader could act on.
#[derive(Clone, Debug)]
pub struct ErrorGroup {
    /// Its id, 16 hexadecimal digits; empty for all errors that came after a day's bound of different groups was reached.
    pub group: String,
    /// The description with numbers, ids and names replaced.
    pub template: String,
    /// The method.
    pub method: String,
    /// Telegram's `error_code`, or the HTTP status.
    pub code: Option<i64>,
    /// Who failed: telegram, edge, network, gramtap, client.
    pub origin: String,
    /// How much it matters: expected, bug, config, capacity, outage.
    pub class: String,
    /// What it means and what to do. None: the record is of a later version.
    pub advice: Option<&'static Advice>,
    /// *Errors*: failed calls of this group in the period, polls among them.
    pub n: i64,
    /// When the first was ever seen here, in microseconds since 1970.
    pub first_at: i64,
    /// When the last was seen.
    pub last_at: i64,
}

/// One group in full.
#[derive(Clone, Debug)]
pub struct ErrorDetail {
    /// The group.
    pub group: ErrorGroup,
    /// Errors by hour, where there were any: the second it begins with, and the number.
    pub hours: Vec<(i64, i64)>,
    /// *Chats hit*: different chats that these calls were meant for.
    pub chats: Hit,
    /// *Users hit*: different users that these calls were meant for, where the chat was private.
    pub users: Hit,
    /// The newest ones, whenever they were, the newest first.
    pub examples: Vec<Example>,
}

/// How many were hit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hit {
    /// The number; within about 6 % if it is an estimate.
    pub n: i64,
    /// Whether it is one.
    pub estimate: bool,
}

/// One error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Its `error_id`, which is the `event_id` of its call.
    pub error_id: String,
    /// When, in microseconds since 1970.
    pub at: i64,
    /// The description that the privacy mode lets through.
    pub description: Option<String>,
    /// The chat it was meant for.
    pub chat_id: Option<i64>,
    /// The user it was meant for.
    pub user_id: Option<i64>,
    /// The update that it answered, where that is known.
    pub update_id: Option<i64>,
    /// The address of who called.
    pub addr: Option<String>,
    /// The `User-Agent` of who called.
    pub agent: Option<String>,
}

/// The groups of errors of a period, those that matter first: unexpected ones before expected ones, by number.
pub async fn errors(
    database: &Database,
    bot: TenantId,
    period: &Period,
) -> Result<Vec<ErrorGroup>, Error> {
    let rows = between(database, &LIST, bot, period.from(), period.to()).await?;
    let mut groups = rows.iter().map(group).collect::<Result<Vec<_>, _>>()?;
    groups.sort_by(|left, right| {
        let key = |group: &ErrorGroup| (group.class == "expected", -group.n);
        key(left)
            .cmp(&key(right))
            .then_with(|| left.group.cmp(&right.group))
    });
    Ok(groups)
}

/// One group in full. None: there is no such group.
pub async fn error(
    database: &Database,
    bot: TenantId,
    id: &str,
    period: &Period,
) -> Result<Option<ErrorDetail>, Error> {
    let key = [bot.as_str().into(), id.into()];
    let Some(row) = database.first(&ONE, &key).await? else {
        return Ok(None);
    };
    let mut group = group(&row)?;
    let (from, to) = (period.from(), period.to());
    let values = [bot.as_str().into(), from.into(), to.into(), id.into()];
    let mut hours = Vec::new();
    for row in database.fetch(&HOURS, &values).await? {
        hours.push((row.get("hour")?, row.get("n")?));
    }
    hours.sort_unstable();
    group.n = hours.iter().map(|(_, n): &(i64, i64)| n).sum();
    let days = [from.div_euclid(DAY), (to - 1).div_euclid(DAY)].map(Into::into);
    let [first, last] = days;
    let values = [bot.as_str().into(), id.into(), first, last];
    let mut hits = BTreeMap::<String, Sketch>::new();
    for row in database.fetch(&HITS, &values).await? {
        hits.entry(row.get("who")?)
            .or_default()
            .add_hash(row.get("hash")?);
    }
    let hit = |who: &str| {
        let hit = |sketch: &Sketch| Hit {
            n: sketch.count(),
            estimate: sketch.is_estimate(),
        };
        hits.get(who).map_or_else(Hit::default, hit)
    };
    let mut examples = Vec::new();
    for row in database.fetch(&EXAMPLES, &key).await? {
        examples.push(example(&row)?);
    }
    examples.sort_by(|left, right| (right.at, &right.error_id).cmp(&(left.at, &left.error_id)));
    let (chats, users) = (hit("chat"), hit("user"));
    Ok(Some(ErrorDetail {
        group,
        hours,
        chats,
        users,
        examples,
    }))
}

fn group(row: &Row) -> Result<ErrorGroup, Error> {
    let advice: String = row.get("advice")?;
    Ok(ErrorGroup {
        group: row.get("grp")?,
        template: row.get("template")?,
        method: row.get("method")?,
        code: row.get("code")?,
        origin: row.get("origin")?,
        class: row.get("class")?,
        advice: advice::named(&advice),
        n: row.get("n")?,
        first_at: row.get("first_at")?,
        last_at: row.get("last_at")?,
    })
}

fn example(row: &Row) -> Result<Example, Error> {
    Ok(Example {
        error_id: row.get("error_id")?,
        at: row.get("at")?,
        description: row.get("description")?,
        chat_id: row.get("chat_id")?,
        user_id: row.get("user_id")?,
        update_id: row.get("update_id")?,
        addr: row.get("addr")?,
        agent: row.get("agent")?,
    })
}
