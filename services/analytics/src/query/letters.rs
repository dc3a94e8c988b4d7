//! Dead letters: updates that were given up and are kept for somebody to replay.
//!
//! In: `dead_letters`. Out: [`Letter`]s, pages of them, how many there are by cause and kind. Invariant: nothing of a
//! body is in it; a filter means the same for a list and for a replay; a page goes on behind the last letter of the one before.

use gramtap_database::{Database, Error, Row, Statement, Value};
use gramtap_events::TenantId;

macro_rules! matching {
    ($head:literal, $tail:literal) => {
        concat!(
            $head,
            " FROM dead_letters WHERE tenant = $1 AND (CAST($2 AS TEXT) = '' OR cause = $2) AND (CAST($3 AS TEXT) = '' OR kind = $3)
             AND dead_at >= $4 AND dead_at < $5 AND (CAST($6 AS BIGINT) = 1 OR asked_at IS NULL OR failed IS NOT NULL) ",
            $tail
        )
    };
}

const LIST: Statement = Statement::new(
    "letters_list",
    matching!(
        "SELECT record, update_id, kind, lane, cause, attempts, received_at, first_at, last_at, dead_at, part, log_offset, asked_at,
            asked_by, asked_to, replayed_at, failed",
        "AND (dead_at < $7 OR (dead_at = $7 AND record < $8)) ORDER BY dead_at DESC, record DESC LIMIT $9"
    ),
);
const COUNT: Statement = Statement::new("letters_count", matching!("SELECT COUNT(*) AS n", ""));
const SORTS: Statement = Statement::new(
    "letters_sorts",
    "SELECT cause, kind, COUNT(*) AS n, CAST(SUM(CASE WHEN asked_at IS NULL OR failed IS NOT NULL THEN 0 ELSE 1 END) AS BIGINT) AS replayed
     FROM dead_letters WHERE tenant = $1 GROUP BY cause, kind ORDER BY COUNT(*) DESC, cause, kind",
);
const ONE: Statement = Statement::new(
    "letters_one",
    "SELECT record, update_id, kind, lane, cause, attempts, received_at, first_at, last_at, dead_at, part, log_offset, asked_at,
        asked_by, asked_to, replayed_at, failed FROM dead_letters WHERE tenant = $1 AND record = $2",
);
pub(super) const STATEMENTS: [&Statement; 4] = [&LIST, &COUNT, &SORTS, &ONE];

/// An update that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The record that it was taken in under.
    pub record: String,
    /// Telegram's number of it.
    pub update_id: Option<i64>,
    /// Its kind.
    pub kind: String,
    /// The queue that it waited in.
    pub lane: String,
    /// Gramtap's word: why it was given up.
    pub cause: String,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was taken in, in microseconds since 1970.
    pub received_at: i64,
    /// When the first attempt began.
    pub first_at: Option<i64>,
    /// When the last one began.
    pub last_at: Option<i64>,
    /// When it was given up.
    pub dead_at: i64,
    /// Where its record is: partition and offset of `inbox.dead.v1`.
    pub place: (i64, i64),
    /// When somebody asked to have it delivered.
    pub asked_at: Option<i64>,
    /// Who.
    pub asked_by: Option<String>,
    /// Where to, scheme and host, if not to the bot's webhook.
    pub asked_to: Option<String>,
    /// When it went into the inbox again.
    pub replayed_at: Option<i64>,
    /// Why it could not.
    pub failed: Option<String>,
}

/// Which letters are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Those that were given up for this cause.
    pub cause: Option<String>,
    /// Those of this kind.
    pub kind: Option<String>,
    /// Those that were given up from then on, in microseconds since 1970.
    pub from: Option<i64>,
    /// Those that were given up before.
    pub to: Option<i64>,
    /// Those that somebody has asked to have delivered, too.
    pub replayed: bool,
}

/// How many letters there are of one sort.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort {
    /// Why they were given up.
    pub cause: String,
    /// What they are.
    pub kind: String,
    /// *Dead letters*: updates that were given up and are kept, replayed ones among them.
    pub n: i64,
    /// Those that somebody has asked to have delivered.
    pub replayed: i64,
}

impl Filter {
    pub(crate) fn values(&self, bot: TenantId) -> Vec<Value> {
        vec![
            bot.as_str().into(),
            self.cause.as_deref().unwrap_or("").into(),
            self.kind.as_deref().unwrap_or("").into(),
            self.from.unwrap_or(0).into(),
            self.to.unwrap_or(i64::MAX).into(),
            i64::from(self.replayed).into(),
        ]
    }
}

/// A page of letters, the newest first. `behind`: the last one of the page before.
pub async fn list(
    database: &Database,
    bot: TenantId,
    filter: &Filter,
    behind: Option<(i64, &str)>,
    most: i64,
) -> Result<Vec<Letter>, Error> {
    let mut values = filter.values(bot);
    let (at, record) = behind.unwrap_or((i64::MAX, ""));
    values.extend([at.into(), record.into(), most.into()]);
    let rows = database.fetch(&LIST, &values).await?;
    rows.iter().map(letter).collect()
}

/// How many letters fit.
pub async fn count(database: &Database, bot: TenantId, filter: &Filter) -> Result<i64, Error> {
    super::number(database, &COUNT, &filter.values(bot)).await
}

/// What sorts there are, the most first.
pub async fn sorts(database: &Database, bot: TenantId) -> Result<Vec<Sort>, Error> {
    let rows = database.fetch(&SORTS, &[bot.as_str().into()]).await?;
    let read = |row: &Row| {
        Ok(Sort {
            cause: row.get("cause")?,
            kind: row.get("kind")?,
            n: row.get("n")?,
            replayed: row.get("replayed")?,
        })
    };
    rows.iter().map(read).collect()
}

/// One letter.
pub async fn one(
    database: &Database,
    bot: TenantId,
    record: &str,
) -> Result<Option<Letter>, Error> {
    let values = [bot.as_str().into(), record.into()];
    let row = database.first(&ONE, &values).await?;
    row.as_ref().map(letter).transpose()
}

fn letter(row: &Row) -> Result<Letter, Error> {
    Ok(Letter {
        record: row.get("record")?,
        update_id: row.get("update_id")?,
        kind: row.get("kind")?,
        lane: row.get("lane")?,
        cause: row.get("cause")?,
        attempts: row.get("attempts")?,
        received_at: row.get("received_at")?,
        first_at: row.get("first_at")?,
        last_at: row.get("last_at")?,
        dead_at: row.get("dead_at")?,
        place: (row.get("part")?, row.get("log_offset")?),
        asked_at: row.get("asked_at")?,
        asked_by: row.get("asked_by")?,
        asked_to: row.get("asked_to")?,
        replayed_at: row.get("replayed_at")?,
        failed: row.get("failed")?,
    })
}
