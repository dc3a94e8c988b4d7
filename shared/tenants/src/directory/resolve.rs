//! Asks Redis and SQL for keys that the local cache does not know, many at once.
//!
//! In: batches of `flight.rs`. Out: answers to all that wait for them, the local cache, Redis.
//! Invariant: SQL is asked by one batch at a time, at the pace of `flight.rs`: whatever strangers
//! send, it costs 40 small queries a second at most for each kind of key, and each key gets a true answer; keys beyond
//! that get it from the next poll of the whole registry. What Redis remembers is served at once and
//! then checked with SQL. It runs as a task that ends when nobody waits; if it dies, those that wait
//! learn it, and the next look-up starts another.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::cache::{self, Applied};
use super::flight::Joined;
use super::{Inner, Key, Lookup};
use crate::Tenant;
use crate::redis::Remembered;
use crate::registry::statements::FLOOD;

/// How long a look-up waits for its answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// How long SQL may take for a batch.
const SQL: Duration = Duration::from_millis(800);

/// Finds out about a key. Never waits longer than [`PATIENCE`].
pub(super) async fn resolve(inner: &Arc<Inner>, key: Key) -> Lookup {
    let joined = inner.flight().join(key);
    let answer = match joined {
        Joined::Waiting(answer) => answer,
        Joined::First(answer) => {
            start(inner);
            answer
        }
        Joined::Full => return polled(inner, key).await,
    };
    match timeout(PATIENCE, answer).await {
        Ok(Ok(lookup)) => lookup,
        // The task died, or the time is up.
        Ok(Err(_)) | Err(_) => {
            inner.count("local", &Lookup::Unreachable);
            Lookup::Unreachable
        }
    }
}

/// What the next poll of the registry says of a key: it costs nothing however many wait for it.
async fn polled(inner: &Inner, key: Key) -> Lookup {
    let whole = inner.health.whole_since(Instant::now());
    let lookup = match timeout(PATIENCE, whole).await {
        Ok(()) => inner.of(&key),
        Err(_) => Lookup::Unreachable,
    };
    inner.count("local", &lookup);
    lookup
}

fn start(inner: &Arc<Inner>) {
    // Sockets belong to the runtime that they are made on: always the same one.
    let _runtime = inner.runtime.enter();
    let ending = Ending {
        inner: Arc::clone(inner),
        well: false,
    };
    drop(gramtap_actors::spawn("directory_resolve", async move {
        run(&ending.inner).await;
        ending.finish();
    }));
}

/// Tells those that wait, if the task ends before its work does.
struct Ending {
    inner: Arc<Inner>,
    well: bool,
}

impl Ending {
    fn finish(mut self) {
        self.well = true;
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if !self.well {
            self.inner.flight().abandon();
        }
    }
}

async fn run(inner: &Arc<Inner>) {
    loop {
        let pause = inner.flight().pause(Instant::now());
        if !pause.is_zero() {
            sleep(pause).await;
        }
        let batch = inner.flight().next(FLOOD, Instant::now());
        let Some(batch) = batch else { return };
        ask(inner, &batch).await;
    }
}

async fn ask(inner: &Arc<Inner>, batch: &[Key]) {
    let recalled = recall(inner, batch).await;
    let asked = match inner.health.may_ask(Instant::now()) {
        true => Some(timeout(SQL, inner.truth.lookup(batch)).await),
        false => None,
    };
    match asked {
        Some(Ok(Ok(tenants))) => {
            if inner.health.answered() {
                tracing::info!("registry answers again");
            }
            settle(inner, batch, &recalled, tenants).await;
        }
        Some(Ok(Err(error))) => {
            // What is wrong with one key must not keep others from being asked for.
            if !error.retry() {
                tracing::error!(%error, label = error.label(), "registry cannot answer");
            } else if inner.health.failed(Instant::now()) {
                tracing::warn!(%error, label = error.label(), "registry cannot be asked");
            }
            answer_all(inner, batch, "sql", || Lookup::Unreachable);
        }
        Some(Err(_)) => {
            if inner.health.failed(Instant::now()) {
                tracing::warn!(label = "timeout", "registry cannot be asked");
            }
            answer_all(inner, batch, "sql", || Lookup::Unreachable);
        }
        None => answer_all(inner, batch, "local", || Lookup::Unreachable),
    }
}

/// What Redis remembers is answered now. Returns the keys of that.
async fn recall(inner: &Arc<Inner>, batch: &[Key]) -> Vec<Key> {
    let Some(memory) = &inner.memory else {
        return Vec::new();
    };
    // Failures are counted where they happen; SQL is asked all the same.
    let tenants = memory.recall(batch).await.unwrap_or_default();
    let mut told = Vec::new();
    for tenant in tenants {
        let code = Key::Code(tenant.code);
        inner.hear(tenant);
        told.extend(inner.cache.get(&code));
    }
    let mut recalled = Vec::new();
    for key in batch {
        if let Some(tenant) = served(inner, key, &told) {
            recalled.push(*key);
            answer(inner, key, "redis", &Lookup::of(key, tenant));
        }
    }
    recalled
}

/// Takes in what SQL holds, and answers the rest.
async fn settle(inner: &Arc<Inner>, batch: &[Key], recalled: &[Key], mut tenants: Vec<Tenant>) {
    tenants.sort_by_key(|tenant| tenant.version);
    for key in recalled {
        if !tenants.iter().any(|tenant| has(tenant, key)) {
            // Redis remembers what does not exist.
            inner.cache.forget(key);
        }
    }
    let (mut told, mut remembered) = (Vec::new(), Vec::new());
    for tenant in tenants {
        let (code, version) = (Key::Code(tenant.code), tenant.version);
        if let Applied::Changed(keys) = inner.take_in(tenant) {
            remembered.extend(inner.to_remember(&keys, version));
        }
        told.extend(inner.cache.get(&code));
    }
    let now = Instant::now();
    for key in batch {
        let tenant = served(inner, key, &told);
        let lookup = tenant.map_or(Lookup::Absent, |tenant| Lookup::of(key, tenant));
        if lookup == Lookup::Absent {
            inner.unknown.insert(*key, now);
        }
        answer(inner, key, "sql", &lookup);
    }
    remember(inner, remembered).await;
}

/// What a key leads to after an answer was taken in. A cache that is full may have dropped a part of the answer for the rest of it.
fn served(inner: &Inner, key: &Key, told: &[Arc<Tenant>]) -> Option<Arc<Tenant>> {
    let told = || told.iter().filter(|tenant| has(tenant, key));
    let known = inner.cache.get(key);
    known.or_else(|| told().max_by_key(|tenant| cache::rank(tenant)).cloned())
}

async fn remember(inner: &Arc<Inner>, remembered: Vec<Remembered>) {
    if let Some(memory) = &inner.memory
        && !remembered.is_empty()
    {
        // Counted where it fails; the hourly round makes up for it.
        memory.remember(remembered).await.ok();
    }
}

fn answer_all(inner: &Inner, batch: &[Key], layer: &'static str, lookup: impl Fn() -> Lookup) {
    for key in batch {
        // It may have become known in the meantime.
        let lookup = inner.known(key).unwrap_or_else(&lookup);
        answer(inner, key, layer, &lookup);
    }
}

fn answer(inner: &Inner, key: &Key, layer: &'static str, lookup: &Lookup) {
    let waiters = inner.flight().land(key);
    for waiter in waiters {
        inner.count(layer, lookup);
        // A caller that left needs no answer.
        waiter.send(lookup.clone()).ok();
    }
}

fn has(tenant: &Tenant, key: &Key) -> bool {
    tenant.keys().any(|its| its == *key)
}
