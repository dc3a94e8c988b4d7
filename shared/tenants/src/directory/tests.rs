//! The directory between a registry and a Redis that count, fail and hang on demand.
//!
//! In: fakes of SQL and Redis. Out: pass or fail. Time is tokio's paused clock. The same things
//! with real parts are in `tests/it/tenants`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

// paced: the tests of this folder pause the clock

mod cached;
mod looked_up;
mod polled;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use gramtap_database::Error as SqlError;
use gramtap_telegram::BotId;
use tokio::time::sleep;

use super::*;
use crate::redis::RedisError;
use crate::{Code, RegistryError, model};

/// SQL.
#[derive(Default)]
struct Sql {
    tenants: Mutex<Vec<Tenant>>,
    clock: Mutex<u64>,
    lookups: AtomicUsize,
    keys: AtomicUsize,
    down: AtomicBool,
    hangs: AtomicBool,
    panics: AtomicBool,
}

impl Sql {
    fn put(&self, tenant: Tenant) {
        let mut tenants = self.tenants.lock().unwrap();
        tenants.retain(|known| known.id != tenant.id);
        let mut clock = self.clock.lock().unwrap();
        *clock = tenant.version.max(*clock);
        tenants.push(tenant);
    }

    fn lookups(&self) -> usize {
        self.lookups.load(Ordering::SeqCst)
    }

    async fn answer<T>(&self, answer: impl FnOnce() -> T) -> Result<T, RegistryError> {
        assert!(!self.panics.load(Ordering::SeqCst), "injected panic");
        if self.hangs.load(Ordering::SeqCst) {
            sleep(Duration::from_secs(3_600)).await;
        }
        sleep(Duration::from_millis(1)).await;
        match self.down.load(Ordering::SeqCst) {
            true => Err(SqlError::Timeout(Duration::ZERO).into()),
            false => Ok(answer()),
        }
    }
}

impl layers::Truth for Sql {
    fn lookup<'a>(&'a self, keys: &'a [Key]) -> layers::Answer<'a, Vec<Tenant>> {
        self.lookups.fetch_add(1, Ordering::SeqCst);
        self.keys.fetch_add(keys.len(), Ordering::SeqCst);
        Box::pin(self.answer(|| {
            let tenants = self.tenants.lock().unwrap();
            let named = |tenant: &&Tenant| {
                keys.contains(&Key::Code(tenant.code))
                    || tenant.bot.is_some_and(|bot| keys.contains(&Key::Bot(bot)))
            };
            tenants.iter().filter(named).cloned().collect()
        }))
    }

    fn clock(&self) -> layers::Answer<'_, u64> {
        Box::pin(self.answer(|| *self.clock.lock().unwrap()))
    }

    fn since(&self, version: u64, limit: u32) -> layers::Answer<'_, Vec<Tenant>> {
        Box::pin(self.answer(move || {
            let mut tenants = self.tenants.lock().unwrap().clone();
            tenants.retain(|tenant| tenant.version > version);
            tenants.sort_by_key(|tenant| tenant.version);
            tenants.truncate(limit as usize);
            tenants
        }))
    }
}

/// Redis.
#[derive(Default)]
struct Recalls {
    told: Mutex<Vec<Remembered>>,
    recalls: AtomicUsize,
    down: AtomicBool,
}

impl Memory for Recalls {
    fn recall<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<Vec<Tenant>, RedisError>> {
        self.recalls.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            if self.down.load(Ordering::SeqCst) {
                return Err(RedisError::Skipped);
            }
            let told = self.told.lock().unwrap();
            let named = told.iter().filter(|told| keys.contains(&told.key));
            Ok(named
                .filter_map(|told| told.tenant.as_deref().cloned())
                .collect())
        })
    }

    fn remember(&self, what: Vec<Remembered>) -> BoxFuture<'_, Result<(), RedisError>> {
        Box::pin(async move {
            if self.down.load(Ordering::SeqCst) {
                return Err(RedisError::Skipped);
            }
            let mut told = self.told.lock().unwrap();
            for new in what {
                let older = |old: &Remembered| old.key == new.key && old.version <= new.version;
                told.retain(|old| !older(old));
                if !told.iter().any(|old| old.key == new.key) {
                    told.push(new);
                }
            }
            Ok(())
        })
    }

    fn wants_all(&self) -> BoxFuture<'_, bool> {
        Box::pin(async { true })
    }

    fn has_all(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

/// A directory over fakes, with no refresher.
struct Set {
    sql: Arc<Sql>,
    redis: Arc<Recalls>,
    directory: Directory,
}

fn set() -> Set {
    set_of(cache::KEYS)
}

fn set_of(keys: usize) -> Set {
    let (sql, redis) = (Arc::new(Sql::default()), Arc::new(Recalls::default()));
    let (truth, memory) = (Arc::clone(&sql), Arc::clone(&redis));
    let inner = Inner::new(truth, Some(memory), keys);
    Set {
        sql,
        redis,
        directory: Directory(inner),
    }
}

fn bot(id: i64) -> Key {
    Key::Bot(BotId(id))
}

fn tenant(number: u32, bot: i64, version: u64) -> Tenant {
    model::tests::tenant(number, Some(bot), version)
}

fn found(lookup: &Lookup) -> &Tenant {
    lookup.found().unwrap_or_else(|| panic!("{lookup:?}"))
}
