//! Whether a bot has come.
//!
//! In: `first_calls`, `sum_labels`. Out: [`Connection`]. Invariant: a call counts as good only if Telegram has accepted the token.

use gramtap_database::{Database, Error, Row, Statement};
use gramtap_events::TenantId;

const FIRST: Statement = Statement::new(
    "connection_first",
    "SELECT standing, at, method, code, addr, agent, took_us FROM first_calls WHERE tenant = $1",
);
const LAST: Statement = Statement::new(
    "connection_last",
    "SELECT MAX(hour) AS hour FROM sum_labels WHERE tenant = $1 AND kind = 'event'",
);
pub(super) const STATEMENTS: [&Statement; 2] = [&FIRST, &LAST];

/// The first calls of a bot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// *First good call*: the first call whose token Telegram accepted.
    pub good: Option<FirstCall>,
    /// *Refused token*: the last call whose token Telegram did not accept.
    pub refused: Option<FirstCall>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstCall {
    /// When it came, in microseconds since 1970.
    pub at: i64,
    /// What it asked for.
    pub method: String,
    /// Telegram's error code.
    pub code: Option<i64>,
    /// Where it came from. Empty: not known.
    pub addr: String,
    /// Its `User-Agent`. Empty: none.
    pub agent: String,
    /// How long it took, in microseconds.
    pub took_us: i64,
}

/// What is known of a bot's first calls.
pub async fn connection(database: &Database, bot: TenantId) -> Result<Connection, Error> {
    let mut connection = Connection::default();
    for row in database.fetch(&FIRST, &[bot.as_str().into()]).await? {
        match row.get::<String>("standing")?.as_str() {
            "good" => connection.good = Some(read(&row)?),
            _ => connection.refused = Some(read(&row)?),
        }
    }
    Ok(connection)
}

/// The second that the last hour begins with in which anything was heard of a bot.
pub async fn last_hour(database: &Database, bot: TenantId) -> Result<Option<i64>, Error> {
    let row = database.first(&LAST, &[bot.as_str().into()]).await?;
    row.map_or(Ok(None), |row| row.get("hour"))
}

fn read(row: &Row) -> Result<FirstCall, Error> {
    Ok(FirstCall {
        at: row.get("at")?,
        method: row.get("method")?,
        code: row.get("code")?,
        addr: row.get("addr")?,
        agent: row.get("agent")?,
        took_us: row.get("took_us")?,
    })
}
