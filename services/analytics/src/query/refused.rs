//! Requests that were refused.
//!
//! In: `refused`. Out: [`Refusal`]s, the last heard of first. Invariant: rows of the days asked for alone, a bounded number of them.

use gramtap_database::{Database, Error, Row, Statement};

const LIST: Statement = Statement::new(
    "refused_list",
    "SELECT reason, bot, code, addr, agent, CAST(SUM(n) AS BIGINT) AS n, MIN(first_at) AS first_at, MAX(last_at) AS last_at
     FROM refused WHERE day >= $1 GROUP BY reason, bot, code, addr, agent
     ORDER BY MAX(last_at) DESC, reason, bot, code, addr, agent LIMIT $2",
);
const OF_BOT: Statement = Statement::new(
    "refused_of_bot",
    "SELECT reason, bot, code, addr, agent, CAST(SUM(n) AS BIGINT) AS n, MIN(first_at) AS first_at, MAX(last_at) AS last_at
     FROM refused WHERE day >= $1 AND reason <> '' AND (code = $3 OR bot = $4)
     GROUP BY reason, bot, code, addr, agent
     ORDER BY MAX(last_at) DESC, reason, bot, code, addr, agent LIMIT $2",
);
pub(super) const STATEMENTS: [&Statement; 2] = [&LIST, &OF_BOT];

/// Requests that were answered 404, alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why: `bot_unknown`, `code_unknown`, `bot_mismatch`; empty for all that came after a day's bound was reached.
    pub reason: String,
    /// The bot id in the path; 0 if none can be read.
    pub bot: i64,
    /// The code that was called; empty for the shared host.
    pub code: String,
    /// Where they came from.
    pub addr: String,
    /// Their `User-Agent`.
    pub agent: String,
    /// *Times*: minutes in which at least one came, per worker of ingress; it tells of the same bot, address and reason once a minute.
    pub n: i64,
    /// The first, in microseconds since 1970.
    pub first_at: i64,
    /// The last.
    pub last_at: i64,
}

/// What was refused since a day (UTC, days since 1970), `most` at most.
pub async fn refused(database: &Database, since: i64, most: i64) -> Result<Vec<Refusal>, Error> {
    let rows = database.fetch(&LIST, &[since.into(), most.into()]).await?;
    rows.iter().map(read).collect()
}

/// What was refused at the address of one bot, or of one bot id elsewhere, since a day; `most` at most.
pub async fn of_bot(
    database: &Database,
    code: &str,
    bot: Option<i64>,
    since: i64,
    most: i64,
) -> Result<Vec<Refusal>, Error> {
    // No bot id is below zero; 0 stands for those that cannot be read.
    let bot = bot.unwrap_or(-1);
    let values = [since.into(), most.into(), code.into(), bot.into()];
    let rows = database.fetch(&OF_BOT, &values).await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Refusal, Error> {
    Ok(Refusal {
        reason: row.get("reason")?,
        bot: row.get("bot")?,
        code: row.get("code")?,
        addr: row.get("addr")?,
        agent: row.get("agent")?,
        n: row.get("n")?,
        first_at: row.get("first_at")?,
        last_at: row.get("last_at")?,
    })
}
