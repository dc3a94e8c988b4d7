//! Links that let somebody in once.
//!
//! In: the start of a process, `gramtap console link`. Out: a link to print; rows of `owner_links`. Invariant: a link is 128 random
//! bits of which SQL has the hash alone, is good once and for a day; one that makes the owner is good only while there is none. A guest's is good as often as one likes.

use gramtap_database::{Database, Error, Statement, Transaction};

use super::accounts;
use crate::serve::site::system_clock;
use crate::zone::DAY;

const ADD: Statement = Statement::new(
    "link_add",
    "INSERT INTO owner_links (hash, kind, expires_second, used) VALUES ($1, $2, $3, FALSE)",
);
const FIND: Statement = Statement::new(
    "link_find",
    "SELECT kind FROM owner_links WHERE hash = $1 AND NOT used AND expires_second > $2",
);
const TAKE: Statement = Statement::new(
    "link_take",
    "UPDATE owner_links SET used = TRUE WHERE hash = $1 AND NOT used AND expires_second > $2 RETURNING kind",
);
pub(super) const SWEEP: Statement = Statement::new(
    "link_sweep",
    "DELETE FROM owner_links WHERE hash IN (SELECT hash FROM owner_links WHERE expires_second < $1 LIMIT $2)",
);
pub(super) const STATEMENTS: [&Statement; 4] = [&ADD, &FIND, &TAKE, &SWEEP];

/// What a link does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::serve) enum Link {
    /// Makes the owner.
    First,
    /// Gives the owner a new name and password.
    Recover,
    /// Lets whoever has it in, as often as it is used, without a name and password: of the demo alone.
    Guest,
}

impl Link {
    fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Recover => "recover",
            Self::Guest => "guest",
        }
    }

    fn read(text: &str) -> Self {
        match text {
            "recover" => Self::Recover,
            "guest" => Self::Guest,
            _ => Self::First,
        }
    }
}

/// Why there is no link.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// SQL.
    #[error(transparent)]
    Database(#[from] Error),
    /// The system gives no randomness.
    #[error("the system gives no random bytes: {0}")]
    Random(#[from] getrandom::Error),
}

/// A link that makes the owner; none if there is one already. `url` is the console's address.
pub async fn owner_link(database: &Database, url: &str) -> Result<Option<String>, LinkError> {
    match accounts::owner(database).await? {
        None => Ok(Some(add(database, url, Link::First).await?)),
        Some(_) => Ok(None),
    }
}

/// A link that makes the owner, or gives the owner a new name and password. For whoever can reach the database anyway.
pub async fn new_link(database: &Database, url: &str) -> Result<String, LinkError> {
    let kind = match accounts::owner(database).await? {
        None => Link::First,
        Some(_) => Link::Recover,
    };
    add(database, url, kind).await
}

/// A link that signs in whoever has it. For an installation that only shows what it could be: everybody who sees the link owns it.
pub async fn guest_link(database: &Database, url: &str) -> Result<String, LinkError> {
    add(database, url, Link::Guest).await
}

async fn add(database: &Database, url: &str, kind: Link) -> Result<String, LinkError> {
    let secret = super::secret()?;
    let values = [
        super::hash(secret.as_bytes()).into(),
        kind.as_str().into(),
        (system_clock() + DAY).into(),
    ];
    database.execute(&ADD, &values).await?;
    Ok(format!("{}/welcome/{secret}", url.trim_end_matches('/')))
}

/// What a link does, if it is good.
pub(in crate::serve) async fn find(
    database: &Database,
    secret: &str,
    now: i64,
) -> Result<Option<Link>, Error> {
    let values = [super::hash(secret.as_bytes()).into(), now.into()];
    let Some(row) = database.first(&FIND, &values).await? else {
        return Ok(None);
    };
    let link = Link::read(&row.get::<String>("kind")?);
    let late = link == Link::First && accounts::owner(database).await?.is_some();
    Ok((!late).then_some(link))
}

/// Uses a link up.
pub(super) async fn take(
    transaction: &mut Transaction,
    secret: &str,
    now: i64,
) -> Result<Option<Link>, Error> {
    let values = [super::hash(secret.as_bytes()).into(), now.into()];
    let row = transaction.first(&TAKE, &values).await?;
    let kind: Option<String> = row.map(|row| row.get("kind")).transpose()?;
    Ok(kind.map(|kind| Link::read(&kind)))
}
