//! Who is signed in.
//!
//! In: an account that proved itself; ids from cookies. Out: rows of `sessions`; who somebody is. Invariant: a session ends 14 days
//! after it was last used and 30 days after it began, whatever is done with it; its id is new with each sign-in, and
//! SQL has its hash alone.

use gramtap_database::{Database, Error, Statement};

use super::cookie::Id;
use crate::zone::DAY;

/// Seconds a session lasts unused.
const UNUSED: i64 = 14 * DAY;
/// Seconds it lasts at most.
pub(super) const LONGEST: i64 = 30 * DAY;
/// Seconds between two notes that it is in use.
const NOTED: i64 = 300;
/// Bytes of a browser's name that are kept.
const AGENT: usize = 256;

const ADD: Statement = Statement::new(
    "session_add",
    "INSERT INTO sessions (hash, account, csrf, agent, created_second, seen_second, expires_second)
     VALUES ($1, $2, $3, $4, $5, $5, $6)",
);
const FIND: Statement = Statement::new(
    "session_find",
    "SELECT s.account, s.csrf, s.created_second, s.seen_second, a.name, a.owner
     FROM sessions AS s JOIN accounts AS a ON a.id = s.account
     WHERE s.hash = $1 AND s.expires_second > $2",
);
const NOTE: Statement = Statement::new(
    "session_note",
    "UPDATE sessions SET seen_second = $2, expires_second = $3 WHERE hash = $1",
);
const END: Statement = Statement::new("session_end", "DELETE FROM sessions WHERE hash = $1");
pub(super) const SWEEP: Statement = Statement::new(
    "session_sweep",
    "DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions WHERE expires_second < $1 LIMIT $2)",
);
pub(super) const STATEMENTS: [&Statement; 5] = [&ADD, &FIND, &NOTE, &END, &SWEEP];

/// A session that is not over.
#[derive(Clone, Debug)]
pub(in crate::serve) struct Session {
    /// Whose it is.
    pub(in crate::serve) account: String,
    /// What they are called.
    pub(in crate::serve) name: String,
    /// Whether they own the console.
    pub(in crate::serve) owner: bool,
    /// What their forms send back.
    pub(in crate::serve) csrf: String,
}

/// Begins one. Returns its id.
pub(in crate::serve) async fn begin(
    database: &Database,
    account: &str,
    agent: &str,
    now: i64,
) -> Result<Id, super::links::LinkError> {
    let id = super::random()?;
    let cut = (0..=AGENT.min(agent.len())).rfind(|at| agent.is_char_boundary(*at));
    let agent = &agent[..cut.unwrap_or(0)];
    let values = [
        super::hash(&id).into(),
        account.into(),
        super::secret()?.into(),
        agent.into(),
        now.into(),
        (now + UNUSED).into(),
    ];
    database.execute(&ADD, &values).await?;
    Ok(id)
}

/// The session with an id, unless it is over. Notes now and then that it is in use.
pub(in crate::serve) async fn find(
    database: &Database,
    id: &Id,
    now: i64,
) -> Result<Option<Session>, Error> {
    let hash = super::hash(id);
    let values = [hash.as_str().into(), now.into()];
    let Some(row) = database.first(&FIND, &values).await? else {
        return Ok(None);
    };
    let (created, seen): (i64, i64) = (row.get("created_second")?, row.get("seen_second")?);
    if now >= seen + NOTED {
        let expires = (now + UNUSED).min(created + LONGEST);
        let values = [hash.into(), now.into(), expires.into()];
        // A database that cannot be written keeps nobody from reading.
        if let Err(error) = database.execute(&NOTE, &values).await {
            tracing::warn!(%error, "the use of a session was not noted");
        }
    }
    Ok(Some(Session {
        account: row.get("account")?,
        name: row.get("name")?,
        owner: row.get::<Option<i64>>("owner")? == Some(1),
        csrf: row.get("csrf")?,
    }))
}

/// Ends one.
pub(in crate::serve) async fn end(database: &Database, id: &Id) -> Result<(), Error> {
    database.execute(&END, &[super::hash(id).into()]).await?;
    Ok(())
}
