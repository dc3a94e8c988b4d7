//! The directory: which bot a call belongs to. On the way of every call.
//!
//! The way of a look-up: [`Directory::cached`] (`directory/cache.rs`, `directory/unknown.rs`), and
//! where that does not know, [`Directory::find`] → one flight for each key (`directory/flight.rs`)
//! → Redis and SQL, many keys at once (`directory/resolve.rs`). The way of a change made elsewhere:
//! the next poll of SQL, each second, or a record of `tenants.v1` (`directory/refresh.rs`,
//! `directory/follow.rs`) → the cache; what only Redis or the topic has told is checked with SQL as
//! soon as it answers (`directory/confirm.rs`). [`Directory::start`] begins that.
//!
//! Invariant: what is known is served for as long as the process lives, whatever is away. The cache
//! holds the whole registry as far as its bound goes, so a start with SQL up needs no look-ups, and
//! a start without it is warmed by `tenants.v1` and Redis. Overloaded by junk: keys are asked for
//! in bounded batches; beyond that they wait for the next poll, which answers any number.

mod cache;
mod confirm;
mod flight;
mod follow;
mod health;
mod key;
mod layers;
mod refresh;
mod resolve;
mod unknown;
mod warm;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gramtap_bus::Bus;
use gramtap_telemetry::{Counter, CounterHandle};
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::redis::{Redis, Remembered};
use crate::{Registry, Tenant};
use cache::{Applied, Cache};
use confirm::Unconfirmed;
use flight::Flight;
use health::Health;
use layers::Truth;
use unknown::Unknown;

pub use key::{Key, Lookup};
pub(crate) use layers::Memory;
pub use refresh::Refreshing;

/// Finds bots. Cheap to clone; clones share one cache.
#[derive(Clone)]
pub struct Directory(Arc<Inner>);

pub(crate) struct Inner {
    cache: Cache,
    unknown: Unknown,
    unconfirmed: Unconfirmed,
    flight: Mutex<Flight>,
    health: Health,
    truth: Arc<dyn Truth>,
    memory: Option<Arc<dyn Memory>>,
    /// Where look-ups that leave the process run.
    runtime: Handle,
    local_found: CounterHandle,
    local_absent: CounterHandle,
}

impl Directory {
    /// Begins to serve and to follow the registry: SQL, and `tenants.v1` where there is a bus.
    /// Returns at once, whatever is away. What is started runs on the current thread.
    ///
    /// # Panics
    /// Outside an actix arbiter or `LocalSet`.
    #[must_use]
    pub fn start(
        registry: &Registry,
        redis: Option<Redis>,
        bus: Option<Bus>,
    ) -> (Self, Refreshing) {
        let memory = redis.map(|redis| Arc::new(redis) as Arc<dyn Memory>);
        let inner = Inner::new(Arc::new(registry.clone()), memory, cache::KEYS);
        let refreshing = refresh::start(&inner, registry, bus);
        (Self(inner), refreshing)
    }

    /// What is known of a key in this process: no waiting and no allocation. None: ask
    /// [`Directory::find`]. Never [`Lookup::Unreachable`].
    #[must_use]
    pub fn cached(&self, key: &Key) -> Option<Lookup> {
        let known = self.0.known(key);
        match &known {
            Some(Lookup::Found(_)) => self.0.local_found.inc(),
            Some(_) => self.0.local_absent.inc(),
            None => {}
        }
        known
    }

    /// Finds out about a key, within two seconds.
    pub async fn find(&self, key: Key) -> Lookup {
        match self.cached(&key) {
            Some(known) => known,
            None => resolve::resolve(&self.0, key).await,
        }
    }

    /// Takes in a change that this process made itself, so that it is seen at once.
    pub fn learn(&self, tenant: &Tenant) {
        self.0.take_in(tenant.clone());
    }
}

impl std::fmt::Debug for Directory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Directory({} bots)", self.0.cache.len())
    }
}

impl Inner {
    fn new(truth: Arc<dyn Truth>, memory: Option<Arc<dyn Memory>>, keys: usize) -> Arc<Self> {
        let local = |result| {
            let layer = "local";
            Counter::DirectoryLookups { layer, result }.handle()
        };
        Arc::new(Self {
            cache: Cache::new(keys),
            unknown: Unknown::new(Instant::now()),
            unconfirmed: Unconfirmed::default(),
            flight: Mutex::default(),
            health: Health::new(),
            truth,
            memory,
            runtime: Handle::current(),
            local_found: local("found"),
            local_absent: local("absent"),
        })
    }

    /// What the caches say.
    fn known(&self, key: &Key) -> Option<Lookup> {
        if let Some(tenant) = self.cache.get(key) {
            return Some(Lookup::of(key, tenant));
        }
        let unknown = self.unknown.contains(key, Instant::now());
        unknown.then_some(Lookup::Absent)
    }

    /// What a whole registry says.
    fn of(&self, key: &Key) -> Lookup {
        let tenant = self.cache.get(key);
        tenant.map_or(Lookup::Absent, |tenant| Lookup::of(key, tenant))
    }

    /// Takes in what SQL tells.
    fn take_in(&self, tenant: Tenant) -> Applied {
        self.unconfirmed.done(tenant.code, tenant.version);
        self.apply(tenant)
    }

    /// Takes in what another than SQL tells; it will be checked.
    fn hear(&self, tenant: Tenant) {
        let (code, version) = (tenant.code, tenant.version);
        if let Applied::Changed(_) = self.apply(tenant) {
            self.unconfirmed.add(code, version);
        }
    }

    /// Takes in a state, and forgets that its keys were unknown.
    fn apply(&self, tenant: Tenant) -> Applied {
        let applied = self.cache.apply(tenant);
        if let Applied::Changed(keys) = &applied {
            let now = Instant::now();
            for key in keys {
                self.unknown.forget(key, now);
            }
        }
        applied
    }

    /// What Redis is to remember of keys that a change of this version touched.
    fn to_remember(&self, keys: &[Key], version: u64) -> Vec<Remembered> {
        let remember = |key: &Key| Remembered {
            key: *key,
            version,
            tenant: self.cache.get(key),
        };
        keys.iter().map(remember).collect()
    }

    fn count(&self, layer: &'static str, lookup: &Lookup) {
        let result = lookup.label();
        Counter::DirectoryLookups { layer, result }.inc();
    }

    fn flight(&self) -> MutexGuard<'_, Flight> {
        self.flight.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
