//! Keeps the local cache as the registry is: the directory's refresher, a kept actor.
//!
//! In: SQL, asked each second for what changed since; `tenants.v1` (`follow.rs`). Out: the cache,
//! Redis, the outbox's publisher (`outbox.rs`), the hourly round of Redis (`warm.rs`).
//! Invariant: versions are taken in order and none is skipped, so the cache is the registry as of
//! the last poll. Dead: it is built anew and reads everything again; look-ups go on meanwhile.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, WrapFuture};
use gramtap_actors::{Kept, Policy};
use gramtap_bus::Bus;
use gramtap_telemetry::Gauge;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::cache::Applied;
use super::{Inner, confirm, follow, warm};
use crate::outbox::Publisher;
use crate::{Registry, RegistryError};

/// How often SQL is asked what changed.
const POLL: Duration = Duration::from_secs(1);
/// Bots that are read at once.
const PAGE: u32 = 1_000;

/// What follows the registry. Dropped, it ends; the directory then serves what it knows.
pub struct Refreshing(Kept<Refresher>);

impl Refreshing {
    /// Waits until the refresher has died more often than it should.
    pub async fn exhausted(&self) {
        self.0.exhausted().await;
    }

    /// Ends it, and waits until it has ended.
    pub async fn stop(self) {
        self.0.stop().await;
    }
}

struct Refresher {
    inner: Arc<Inner>,
    registry: Registry,
    bus: Option<Bus>,
}

impl Actor for Refresher {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.spawn(poll(Arc::clone(&self.inner)).into_actor(self));
        context.spawn(warm::keep_warm(Arc::clone(&self.inner)).into_actor(self));
        if let Some(bus) = &self.bus {
            context.spawn(follow::follow(Arc::clone(&self.inner), bus.clone()).into_actor(self));
            let publisher = Publisher::new(&self.registry, Arc::new(bus.clone()));
            context.spawn(publisher.run().into_actor(self));
        }
    }
}

// === impl Refresher ===

pub(super) fn start(inner: &Arc<Inner>, registry: &Registry, bus: Option<Bus>) -> Refreshing {
    let (inner, registry) = (Arc::clone(inner), registry.clone());
    Refreshing(gramtap_actors::keep(
        "directory",
        Policy::default(),
        move || Refresher {
            inner: Arc::clone(&inner),
            registry: registry.clone(),
            bus: bus.clone(),
        },
    ))
}

async fn poll(inner: Arc<Inner>) {
    let mut ticks = interval(POLL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut seen = Seen::default();
    loop {
        ticks.tick().await;
        let asked = Instant::now();
        match catch_up(&inner, &mut seen).await {
            Ok(()) => {
                if inner.health.answered() {
                    tracing::info!("registry answers again");
                }
                if inner.cache.is_whole() {
                    inner.health.is_whole(asked);
                } else {
                    inner.health.is_partial();
                }
                Gauge::RegistryTenants.set(i64::try_from(inner.cache.len()).unwrap_or(i64::MAX));
            }
            Err(error) => {
                if inner.health.failed(Instant::now()) {
                    tracing::warn!(%error, label = error.label(), "registry cannot be asked");
                }
            }
        }
    }
}

/// How far the registry was read.
#[derive(Default)]
pub(super) struct Seen {
    version: u64,
    /// The first reading is done: what comes now are changes.
    once: bool,
}

/// Takes in all that changed since, and checks what others have told.
pub(super) async fn catch_up(inner: &Arc<Inner>, seen: &mut Seen) -> Result<(), RegistryError> {
    let clock = inner.truth.clock().await?;
    if clock < seen.version {
        // Only an older copy of the database can do that.
        tracing::warn!(
            seen = seen.version,
            clock,
            "registry went back in time, reading it anew"
        );
        inner.cache.clear();
        *seen = Seen::default();
    }
    while seen.version < clock {
        let tenants = inner.truth.since(seen.version, PAGE).await?;
        let Some(last) = tenants.last().map(|tenant| tenant.version) else {
            // What had these versions was forgotten for good.
            seen.version = clock;
            break;
        };
        let mut changes = Vec::new();
        for tenant in tenants {
            let version = tenant.version;
            if let Applied::Changed(keys) = inner.take_in(tenant) {
                changes.extend(inner.to_remember(&keys, version));
            }
        }
        if let Some(memory) = inner.memory.as_ref().filter(|_| seen.once) {
            // Counted where it fails; the hourly round makes up for it.
            memory.remember(changes).await.ok();
        }
        seen.version = last;
    }
    seen.once = true;
    confirm::confirm(inner).await
}
