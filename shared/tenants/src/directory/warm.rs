//! Tells Redis all that the local cache knows, once an hour for all processes together.
//!
//! In: the cache, once it is current. Out: Redis, which an ingress that starts without SQL asks.
//! Invariant: which process does it is agreed in Redis itself, so a Redis that lost its memory is
//! told again within [`LOOK`]; it is done in small steps, so that look-ups pass in between.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Inner;
use crate::redis::Remembered;

/// How often Redis is asked whether it wants to be told.
const LOOK: Duration = Duration::from_secs(5);
/// How often it is looked whether the cache is current by now.
const AGAIN: Duration = Duration::from_millis(500);
/// Bots that are told at once.
const STEP: usize = 100;
/// The pause between two steps.
const PACE: Duration = Duration::from_millis(20);

pub(super) async fn keep_warm(inner: Arc<Inner>) {
    let Some(memory) = inner.memory.clone() else {
        return;
    };
    loop {
        if !inner.health.is_current(Instant::now()) {
            sleep(AGAIN).await;
            continue;
        }
        if memory.wants_all().await && tell_all(&inner).await {
            memory.has_all().await;
        }
        sleep(LOOK).await;
    }
}

/// False if Redis did not take all of it.
async fn tell_all(inner: &Arc<Inner>) -> bool {
    let Some(memory) = &inner.memory else {
        return false;
    };
    let all = inner.cache.all();
    for step in all.chunks(STEP) {
        let mut told = Vec::with_capacity(2 * STEP);
        for tenant in step {
            for key in tenant.keys() {
                // What a bot id leads to may be another tenant, of a later version.
                let served = inner.cache.get(&key);
                let newest = served.as_ref().map_or(0, |served| served.version);
                told.push(Remembered {
                    key,
                    version: newest.max(tenant.version),
                    tenant: served,
                });
            }
        }
        if memory.remember(told).await.is_err() {
            return false;
        }
        sleep(PACE).await;
    }
    tracing::debug!(bots = all.len(), "redis was told all bots");
    true
}
