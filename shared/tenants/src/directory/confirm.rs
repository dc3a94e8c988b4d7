//! Checks with SQL what only Redis or `tenants.v1` has told.
//!
//! In: states that came from there. Out: the cache, after SQL has been asked for their codes.
//! Invariant: once SQL answers, nothing is served that it does not hold: a Redis or a topic may
//! outlive the database that it was filled from, or remember what a restored one never knew. While
//! SQL is away what was told is served.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Inner, Key};
use crate::registry::statements::BATCH;
use crate::{Code, RegistryError, Tenant};

/// States to check, by code, with their version.
#[derive(Default)]
pub(super) struct Unconfirmed(Mutex<HashMap<Code, u64>>);

impl Unconfirmed {
    /// Told by another than SQL.
    pub(super) fn add(&self, code: Code, version: u64) {
        self.lock().insert(code, version);
    }

    /// SQL has told of this version, or was asked about it.
    pub(super) fn done(&self, code: Code, version: u64) {
        let mut unconfirmed = self.lock();
        if unconfirmed.get(&code).is_some_and(|told| *told <= version) {
            unconfirmed.remove(&code);
        }
    }

    fn some(&self) -> Vec<(Code, u64)> {
        let unconfirmed = self.lock();
        let some = unconfirmed.iter().take(BATCH);
        some.map(|(code, version)| (*code, *version)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Code, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Checks all that there is to check.
pub(super) async fn confirm(inner: &Arc<Inner>) -> Result<(), RegistryError> {
    loop {
        let told = inner.unconfirmed.some();
        if told.is_empty() {
            return Ok(());
        }
        let keys: Vec<Key> = told.iter().map(|(code, _)| Key::Code(*code)).collect();
        let held = inner.truth.lookup(&keys).await?;
        for (code, version) in told {
            let held = held.iter().find(|tenant| tenant.code == code);
            settle(inner, code, version, held);
            inner.unconfirmed.done(code, version);
        }
    }
}

fn settle(inner: &Inner, code: Code, version: u64, held: Option<&Tenant>) {
    let key = Key::Code(code);
    let served = inner.cache.get(&key);
    // What has changed since it was told was told by SQL.
    let as_told = served.is_some_and(|served| served.version == version);
    if as_told && held.is_none_or(|held| held.version < version) {
        tracing::warn!(%code, version, "the registry does not hold what redis or the bus told");
        inner.cache.forget(&key);
    }
    if let Some(held) = held {
        inner.take_in(held.clone());
    }
}
