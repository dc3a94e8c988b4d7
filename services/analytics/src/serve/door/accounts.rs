//! Accounts: so far one, the owner's.
//!
//! In: names and hashed passwords of `welcome.rs`, names of `sign_in.rs`. Out: rows of `accounts`. Invariant: there is one owner at
//! most, however many links are used at once; a new password ends every session of the account.

use gramtap_database::{Database, Error, Statement, Transaction};

use super::links::{self, Link, LinkError};

const OWNER: Statement = Statement::new(
    "account_owner",
    "SELECT id, name FROM accounts WHERE owner = 1",
);
const BY_LOGIN: Statement = Statement::new(
    "account_by_login",
    "SELECT id, password FROM accounts WHERE login = $1",
);
const ADD_OWNER: Statement = Statement::new(
    "account_add_owner",
    "INSERT INTO accounts (id, name, login, password, owner, created_second) VALUES ($1, $2, $3, $4, 1, $5)
     ON CONFLICT DO NOTHING",
);
const RENEW: Statement = Statement::new(
    "account_renew",
    "UPDATE accounts SET name = $2, login = $3, password = $4 WHERE id = $1",
);
const END_SESSIONS: Statement = Statement::new(
    "account_end_sessions",
    "DELETE FROM sessions WHERE account = $1",
);
pub(super) const STATEMENTS: [&Statement; 5] =
    [&OWNER, &BY_LOGIN, &ADD_OWNER, &RENEW, &END_SESSIONS];

/// Characters of a name at most.
pub(in crate::serve) const LONGEST_NAME: usize = 64;

/// An account that somebody says is theirs.
#[derive(Debug)]
pub(in crate::serve) struct Claimed {
    pub(in crate::serve) id: String,
    /// The hash of its password.
    pub(in crate::serve) password: String,
}

/// What a name is found by.
pub(in crate::serve) fn login(name: &str) -> String {
    name.trim().to_lowercase()
}

/// The owner's name, if there is an owner.
pub(in crate::serve) async fn owner(database: &Database) -> Result<Option<String>, Error> {
    let row = database.first(&OWNER, &[]).await?;
    row.map(|row| row.get("name")).transpose()
}

/// The account with a name.
pub(in crate::serve) async fn find(
    database: &Database,
    login: &str,
) -> Result<Option<Claimed>, Error> {
    let Some(row) = database.first(&BY_LOGIN, &[login.into()]).await? else {
        return Ok(None);
    };
    Ok(Some(Claimed {
        id: row.get("id")?,
        password: row.get("password")?,
    }))
}

/// Uses a link up: makes the owner, or gives the owner this name and password. Returns the account's id; none if the link
/// is used, too old, or of no use any more.
pub(in crate::serve) async fn claim(
    database: &Database,
    secret: &str,
    (name, password): (&str, &str),
    now: i64,
) -> Result<Option<String>, LinkError> {
    let mut transaction = database.begin().await?;
    let Some(link) = links::take(&mut transaction, secret, now).await? else {
        transaction.rollback().await?;
        return Ok(None);
    };
    let id = match known(&mut transaction).await? {
        None => {
            let id = super::secret()?;
            let login = login(name);
            let values = [id.as_str(), name, &login, password];
            let mut values = values.map(Into::into).to_vec();
            values.push(now.into());
            // Another link may make the owner at the same time.
            let made = transaction.execute(&ADD_OWNER, &values).await? == 1;
            made.then_some(id)
        }
        Some(id) if link == Link::Recover => {
            let values = [id.as_str(), name, &login(name), password].map(Into::into);
            transaction.execute(&RENEW, &values).await?;
            transaction
                .execute(&END_SESSIONS, &[id.as_str().into()])
                .await?;
            Some(id)
        }
        Some(_) => None,
    };
    match id {
        Some(_) => transaction.commit().await?,
        None => transaction.rollback().await?,
    }
    Ok(id)
}

/// The owner's account; if there is none, one is made that no password opens.
pub(in crate::serve) async fn guest(database: &Database, now: i64) -> Result<String, LinkError> {
    let mut transaction = database.begin().await?;
    let id = match known(&mut transaction).await? {
        Some(id) => id,
        None => {
            let id = super::secret()?;
            let mut values = [id.as_str(), "guest", "guest", ""].map(Into::into).to_vec();
            values.push(now.into());
            transaction.execute(&ADD_OWNER, &values).await?;
            id
        }
    };
    transaction.commit().await?;
    Ok(id)
}

async fn known(transaction: &mut Transaction) -> Result<Option<String>, Error> {
    let row = transaction.first(&OWNER, &[]).await?;
    row.map(|row| row.get("id")).transpose()
}
