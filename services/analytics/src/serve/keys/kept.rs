//! Keys as SQL has them.
//!
//! In: the page of keys; every request of a script. Out: [`Key`]s. Invariant: no secret is read or written, only its hash; a key that is
//! revoked or expired is never found again by what was presented; those are forgotten `FORGOTTEN` days later.

use std::collections::{BTreeMap, BTreeSet};

use gramtap_database::{Database, Error, Row, Statement};
use gramtap_events::TenantId;

use super::secret::Presented;
use crate::zone::DAY;

/// Days that a key is listed after its end.
const FORGOTTEN: i64 = 90;
/// Seconds between two notes that a key was used.
const USED: i64 = 60;

const MAKE: Statement = Statement::new(
    "key_make",
    "INSERT INTO api_keys (id, name, hash, scopes, every_bot, made_by, made_second, expires_second)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
);
const MAKE_BOT: Statement = Statement::new(
    "key_make_bot",
    "INSERT INTO api_key_bots (key_id, tenant) VALUES ($1, $2)",
);
macro_rules! keys_where {
    ($condition:literal) => {
        concat!(
            "SELECT id, name, hash, scopes, every_bot, made_by, made_second, used_second, expires_second, revoked_second
             FROM api_keys WHERE ",
            $condition
        )
    };
}
const FIND: Statement = Statement::new("key_find", keys_where!("id = $1"));
const FIND_BOTS: Statement = Statement::new(
    "key_find_bots",
    "SELECT tenant FROM api_key_bots WHERE key_id = $1",
);
const LIST: Statement = Statement::new(
    "key_list",
    keys_where!("TRUE ORDER BY made_second DESC, id"),
);
const LIST_BOTS: Statement =
    Statement::new("key_list_bots", "SELECT key_id, tenant FROM api_key_bots");
const REVOKE: Statement = Statement::new(
    "key_revoke",
    "UPDATE api_keys SET revoked_second = $2 WHERE id = $1 AND revoked_second IS NULL",
);
const NOTE: Statement = Statement::new(
    "key_note",
    "UPDATE api_keys SET used_second = $2 WHERE id = $1 AND (used_second IS NULL OR used_second <= $3)",
);
const FORGET: Statement = Statement::new(
    "key_forget",
    "DELETE FROM api_keys WHERE revoked_second < $1 OR expires_second < $1",
);
/// All statements, to be checked against both engines.
pub const STATEMENTS: [&Statement; 9] = [
    &MAKE, &MAKE_BOT, &FIND, &FIND_BOTS, &LIST, &LIST_BOTS, &REVOKE, &NOTE, &FORGET,
];

/// What a key allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// The list of bots and their numbers.
    Read,
    /// Single events and errors, as a page, as a file, live.
    Export,
    /// Connecting, changing and removing bots.
    Manage,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Read, Self::Export, Self::Manage];

    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Export => "export",
            Self::Manage => "manage",
        }
    }

    /// What it allows, for people.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::Read => "the list of bots and their numbers",
            Self::Export => "single events and errors: pages of them, files, live",
            Self::Manage => "connecting, changing and removing bots",
        }
    }

    /// Reads one.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }
}

/// A key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// What it is found by.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// What it allows.
    pub scopes: BTreeSet<Scope>,
    /// The bots that it may see. None: all, also those that are yet to come.
    pub bots: Option<BTreeSet<TenantId>>,
    /// The name of who made it.
    pub made_by: String,
    /// When, in seconds since 1970.
    pub made: i64,
    /// When it was last used, to the minute.
    pub used: Option<i64>,
    /// When it ends by itself.
    pub expires: Option<i64>,
    /// When it was revoked.
    pub revoked: Option<i64>,
}

/// What became of a key that was presented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It holds.
    Good(Key),
    /// There is none with this id and secret.
    Unknown,
    /// It held until it was revoked.
    Revoked,
    /// It held until it expired.
    Expired,
}

impl Key {
    /// Whether it may see a bot.
    #[must_use]
    pub fn sees(&self, bot: TenantId) -> bool {
        self.bots.as_ref().is_none_or(|bots| bots.contains(&bot))
    }

    /// What it is at a time, in a word.
    #[must_use]
    pub fn state(&self, now: i64) -> &'static str {
        match (self.revoked, self.expires) {
            (Some(_), _) => "revoked",
            (None, Some(expires)) if expires <= now => "expired",
            _ => "active",
        }
    }
}

/// Keeps a new key.
pub async fn make(
    database: &Database,
    presented: &Presented,
    hash_key: &[u8; 32],
    key: &Key,
) -> Result<(), Error> {
    let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
    let mut transaction = database.begin().await?;
    let before = key.made - FORGOTTEN * DAY;
    transaction.execute(&FORGET, &[before.into()]).await?;
    let values = [
        key.id.as_str().into(),
        key.name.as_str().into(),
        presented.hash(hash_key).into(),
        scopes.join(" ").into(),
        key.bots.is_none().into(),
        key.made_by.as_str().into(),
        key.made.into(),
        key.expires.into(),
    ];
    transaction.execute(&MAKE, &values).await?;
    for bot in key.bots.iter().flatten() {
        let values = [key.id.as_str().into(), bot.as_str().into()];
        transaction.execute(&MAKE_BOT, &values).await?;
    }
    transaction.commit().await
}

/// Finds the key that was presented, at `now` (seconds since 1970).
pub async fn find(
    database: &Database,
    presented: &Presented,
    hash_key: &[u8; 32],
    now: i64,
) -> Result<Found, Error> {
    let id = [presented.id.as_str().into()];
    let Some(row) = database.first(&FIND, &id).await? else {
        return Ok(Found::Unknown);
    };
    if !presented.is(hash_key, &row.get::<String>("hash")?) {
        return Ok(Found::Unknown);
    }
    let mut key = key(&row)?;
    if let Some(bots) = &mut key.bots {
        for row in database.fetch(&FIND_BOTS, &id).await? {
            bots.extend(row.get::<String>("tenant")?.parse::<TenantId>());
        }
    }
    Ok(match key.state(now) {
        "revoked" => Found::Revoked,
        "expired" => Found::Expired,
        _ => Found::Good(key),
    })
}

/// All keys, the newest first.
pub async fn list(database: &Database) -> Result<Vec<Key>, Error> {
    let mut bots = BTreeMap::<String, BTreeSet<TenantId>>::new();
    for row in database.fetch(&LIST_BOTS, &[]).await? {
        let tenant = row.get::<String>("tenant")?.parse::<TenantId>();
        bots.entry(row.get("key_id")?).or_default().extend(tenant);
    }
    let rows = database.fetch(&LIST, &[]).await?;
    let mut keys = rows.iter().map(key).collect::<Result<Vec<_>, _>>()?;
    for key in &mut keys {
        if let Some(own) = &mut key.bots {
            *own = bots.remove(&key.id).unwrap_or_default();
        }
    }
    Ok(keys)
}

/// Ends a key. False: there is no such key that still holds.
pub async fn revoke(database: &Database, id: &str, now: i64) -> Result<bool, Error> {
    let changed = database.execute(&REVOKE, &[id.into(), now.into()]).await?;
    Ok(changed > 0)
}

/// Whether a use at `now` is to be noted.
#[must_use]
pub fn is_due(key: &Key, now: i64) -> bool {
    key.used.is_none_or(|used| used + USED <= now)
}

/// Notes that a key was used; of several who do so within a minute, one writes.
pub async fn note(database: &Database, id: &str, now: i64) -> Result<(), Error> {
    let values = [id.into(), now.into(), (now - USED).into()];
    database.execute(&NOTE, &values).await.map(drop)
}

fn key(row: &Row) -> Result<Key, Error> {
    let scopes: String = row.get("scopes")?;
    let every_bot: bool = row.get("every_bot")?;
    Ok(Key {
        id: row.get("id")?,
        name: row.get("name")?,
        scopes: scopes.split(' ').filter_map(Scope::named).collect(),
        bots: (!every_bot).then(BTreeSet::new),
        made_by: row.get("made_by")?,
        made: row.get("made_second")?,
        used: row.get("used_second")?,
        expires: row.get("expires_second")?,
        revoked: row.get("revoked_second")?,
    })
}
