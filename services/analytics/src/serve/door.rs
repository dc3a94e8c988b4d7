//! The console's door: who may come in, and how somebody proves it.
//!
//! The way in: a link printed at the first start makes the owner (`door/links.rs`, `door/accounts.rs`) → a name and a
//! password (`door/password.rs` hashes, on a thread of its own; `door/tries.rs` bounds guessing) → a session
//! (`door/sessions.rs`) whose signed id is the browser's cookie (`door/cookie.rs`). `session.rs` looks it up with each request;
//! `sign_in.rs` and `welcome.rs` are the pages. Invariant: SQL holds no secret that opens anything: passwords are hashed by argon2id,
//! ids of sessions and links by SHA-256. SQL away: nobody comes in, and a page says why.

pub(super) mod accounts;
pub(super) mod cookie;
pub(super) mod links;
pub(super) mod password;
pub(super) mod sessions;
pub(super) mod tries;

use std::sync::{Mutex, MutexGuard, PoisonError};

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use gramtap_database::{Database, Error, Statement};
use sha2::{Digest, Sha256};

use password::Passwords;
use tries::Tries;

/// What the door remembers in this process.
#[derive(Debug, Default)]
pub struct Door {
    pub(super) passwords: Passwords,
    tries: Mutex<Tries>,
}

impl Door {
    pub(super) fn tries(&self) -> MutexGuard<'_, Tries> {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All statements, to be checked against both engines.
pub fn statements() -> impl Iterator<Item = &'static Statement> {
    let all: [&[&'static Statement]; 3] = [
        &accounts::STATEMENTS,
        &links::STATEMENTS,
        &sessions::STATEMENTS,
    ];
    all.into_iter().flatten().copied()
}

/// Deletes at most `most` sessions and as many links that are over at `now` (seconds since 1970). Returns how many were deleted;
/// while it is not zero, there may be more.
pub async fn sweep(database: &Database, now: i64, most: i64) -> Result<u64, Error> {
    let values = [now.into(), most.into()];
    let sessions = database.execute(&sessions::SWEEP, &values).await?;
    let links = database.execute(&links::SWEEP, &values).await?;
    Ok(sessions + links)
}

/// 128 random bits.
fn random() -> Result<[u8; 16], getrandom::Error> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits)?;
    Ok(bits)
}

/// 128 random bits as text.
fn secret() -> Result<String, getrandom::Error> {
    Ok(BASE64URL_NOPAD.encode(&random()?))
}

/// What SQL knows a secret by.
fn hash(secret: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(secret))
}
