//! The local cache of bots that are in the registry.
//!
//! In: states from SQL, Redis and `tenants.v1`, in any order, older ones among them. Out: the hot
//! path of every call. Invariant: of one tenant the newest state ever told stays; of the tenants
//! that had one bot id the connected one is served, else the last removed; a tenant is there under all
//! its keys, or under none. Only what the registry holds gets in, so strangers cannot push anything out; beyond [`KEYS`] what was not asked for
//! lately is dropped, whole tenants at a time.
//!
//! It is a map in shards rather than a general cache: a reader takes one read lock and one
//! reference, with no housekeeping on a worker's thread and no allocation, and a writer can compare
//! versions under the lock. Writers take turns.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::Key;
use crate::{Standing, Tenant};

/// Keys at most; a tenant has two to five. About 100 MB when full.
pub(super) const KEYS: usize = 1 << 19;
const SHARDS: usize = 64;
/// How many are looked at to find one to drop.
const SAMPLE: usize = 8;

pub(super) struct Cache {
    shards: Box<[RwLock<HashMap<Key, Slot>>]>,
    hasher: RandomState,
    /// Held while several shards are changed together.
    writer: Mutex<()>,
    /// Keys at most, in one shard.
    bound: usize,
    /// Something was dropped for want of room.
    spilled: AtomicBool,
    /// How many tenants there are.
    tenants: AtomicUsize,
}

/// What is known of a key.
struct Slot {
    /// The tenant that is served.
    served: Arc<Tenant>,
    /// Others that had the same bot id and might be served again. Nearly always empty.
    others: Vec<Arc<Tenant>>,
    /// It was asked for since somebody last looked for one to drop.
    used: AtomicBool,
}

/// What a state changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Applied {
    /// Nothing: as new or newer is known.
    Known,
    /// The keys that may now lead elsewhere.
    Changed(Vec<Key>),
}

impl Cache {
    pub(super) fn new(keys: usize) -> Self {
        let shards = (0..SHARDS).map(|_| RwLock::default());
        Self {
            shards: shards.collect(),
            hasher: RandomState::new(),
            writer: Mutex::default(),
            bound: (keys / SHARDS).max(2),
            spilled: AtomicBool::new(false),
            tenants: AtomicUsize::new(0),
        }
    }

    /// The tenant that a key leads to.
    pub(super) fn get(&self, key: &Key) -> Option<Arc<Tenant>> {
        let shard = self.shard(key).read();
        let shard = shard.unwrap_or_else(PoisonError::into_inner);
        let slot = shard.get(key)?;
        // Reading first keeps the line shared between workers.
        if !slot.used.load(Ordering::Relaxed) {
            slot.used.store(true, Ordering::Relaxed);
        }
        Some(Arc::clone(&slot.served))
    }

    /// Takes a state in, unless as new a one is known.
    pub(super) fn apply(&self, tenant: Tenant) -> Applied {
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let code = Key::Code(tenant.code);
        let known = self.get(&code).filter(|known| known.id == tenant.id);
        if known.as_ref().is_some_and(|known| !newer(&tenant, known)) {
            return Applied::Known;
        }
        let tenant = Arc::new(tenant);
        let mut keys: Vec<Key> = tenant.keys().collect();
        for key in &keys {
            self.put(*key, Arc::clone(&tenant), &tenant);
        }
        for before in known.iter().flat_map(|known| known.keys()) {
            if !keys.contains(&before) {
                keys.push(before);
                self.unbind(before, &tenant);
            }
        }
        Applied::Changed(keys)
    }

    /// Forgets the tenant that a key leads to.
    pub(super) fn forget(&self, key: &Key) {
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tenant) = self.get(key) {
            self.drop_tenant(&tenant);
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        for shard in &self.shards {
            shard
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .clear();
        }
        self.spilled.store(false, Ordering::Relaxed);
        self.tenants.store(0, Ordering::Relaxed);
    }

    /// Whether all that was ever applied is still there.
    pub(super) fn is_whole(&self) -> bool {
        !self.spilled.load(Ordering::Relaxed)
    }

    /// All tenants.
    pub(super) fn all(&self) -> Vec<Arc<Tenant>> {
        let mut all = Vec::new();
        for shard in &self.shards {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            let codes = shard.iter().filter(|(key, _)| matches!(key, Key::Code(_)));
            all.extend(codes.map(|(_, slot)| Arc::clone(&slot.served)));
        }
        all
    }

    /// How many tenants there are.
    pub(super) fn len(&self) -> usize {
        self.tenants.load(Ordering::Relaxed)
    }

    fn put(&self, key: Key, tenant: Arc<Tenant>, keep: &Tenant) {
        self.make_room(&key, keep);
        let shard = self.shard(&key).write();
        let mut shard = shard.unwrap_or_else(PoisonError::into_inner);
        match shard.get_mut(&key) {
            Some(slot) => slot.put(tenant),
            None => {
                shard.insert(key, Slot::new(tenant));
                if matches!(key, Key::Code(_)) {
                    self.tenants.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }

    /// The key no longer leads to the tenant.
    fn unbind(&self, key: Key, tenant: &Tenant) {
        let shard = self.shard(&key).write();
        let mut shard = shard.unwrap_or_else(PoisonError::into_inner);
        if shard.get_mut(&key).is_some_and(|slot| slot.remove(tenant)) {
            shard.remove(&key);
        }
    }

    fn make_room(&self, key: &Key, keep: &Tenant) {
        let victim = {
            let shard = self.shard(key).write();
            let shard = shard.unwrap_or_else(PoisonError::into_inner);
            if shard.len() < self.bound || shard.contains_key(key) {
                return;
            }
            let others = || shard.values().filter(|slot| slot.served.id != keep.id);
            let idle = others()
                .take(SAMPLE)
                .find(|slot| !slot.used.swap(false, Ordering::Relaxed));
            let victim = idle.or_else(|| others().next());
            victim.map(|slot| Arc::clone(&slot.served))
        };
        if let Some(victim) = victim {
            self.spilled.store(true, Ordering::Relaxed);
            self.drop_tenant(&victim);
        }
    }

    /// Drops a tenant under each of its keys.
    fn drop_tenant(&self, tenant: &Tenant) {
        let code = Key::Code(tenant.code);
        let shard = self.shard(&code).write();
        let dropped = shard.unwrap_or_else(PoisonError::into_inner).remove(&code);
        if dropped.is_some() {
            self.tenants.fetch_sub(1, Ordering::Relaxed);
        }
        for key in tenant.keys().filter(|key| *key != code) {
            self.unbind(key, tenant);
        }
    }

    fn shard(&self, key: &Key) -> &RwLock<HashMap<Key, Slot>> {
        let hash = self.hasher.hash_one(key);
        &self.shards[usize::try_from(hash % SHARDS as u64).unwrap_or_default()]
    }
}

impl Slot {
    fn new(tenant: Arc<Tenant>) -> Self {
        Self {
            served: tenant,
            others: Vec::new(),
            used: AtomicBool::new(false),
        }
    }

    /// Takes a tenant's newer state in, and serves the one that is to be served.
    fn put(&mut self, tenant: Arc<Tenant>) {
        self.others.retain(|other| other.id != tenant.id);
        let displaced = std::mem::replace(&mut self.served, tenant);
        if displaced.id != self.served.id {
            self.others.push(displaced);
        }
        self.choose();
        self.forget_the_gone();
    }

    /// One that is gone is served for nothing, but before a later one that leaves the slot is, it hides those that were removed
    /// earlier and still have their day.
    fn forget_the_gone(&mut self) {
        let latest = self.served.version;
        let is_gone = |other: &Tenant| other.standing_now() == Standing::Gone;
        let hidden = self.others.iter().filter(|other| !is_gone(other));
        let hidden = hidden.map(|other| other.version).min();
        let hides = |version| hidden.is_some_and(|hidden| version > hidden);
        self.others
            .retain(|other| !is_gone(other) || other.version > latest || hides(other.version));
    }

    /// Takes a tenant out. True if none is left.
    fn remove(&mut self, tenant: &Tenant) -> bool {
        self.others.retain(|other| other.id != tenant.id);
        if self.served.id != tenant.id {
            return false;
        }
        match self.others.pop() {
            Some(other) => self.served = other,
            None => return true,
        }
        self.choose();
        false
    }

    fn choose(&mut self) {
        for other in &mut self.others {
            if rank(other) > rank(&self.served) {
                std::mem::swap(other, &mut self.served);
            }
        }
    }
}

/// Of tenants that had one key the highest is served.
pub(super) fn rank(tenant: &Tenant) -> (bool, u64) {
    (tenant.deleted_at.is_none(), tenant.version)
}

/// Whether a state says more than the one known.
fn newer(tenant: &Tenant, known: &Tenant) -> bool {
    let fuller = tenant.created_at.is_some() && known.created_at.is_none();
    tenant.version > known.version || (tenant.version == known.version && fuller)
}
