//! Follows `tenants.v1`, so that a process knows its bots without SQL.
//!
//! In: the bus, from the topic's beginning. Out: the local cache, and `confirm.rs`. Invariant: a
//! record never replaces a newer state. The bus away: asked again after a pause that doubles to [`SLOWEST`].

use std::sync::Arc;
use std::time::Duration;

use gramtap_bus::{Bus, ConsumeError, Event, Isolation, Offset, TopicPartition};
use gramtap_events::tenant::TenantState;
use gramtap_events::topics::TENANTS;
use tokio::time::sleep;

use super::Inner;
use crate::Tenant;

const QUICKEST: Duration = Duration::from_millis(500);
const SLOWEST: Duration = Duration::from_secs(30);

pub(super) async fn follow(inner: Arc<Inner>, bus: Bus) {
    let mut pause = QUICKEST;
    loop {
        let mut heard = false;
        let error = read(&inner, &bus, &mut heard).await;
        if heard {
            pause = QUICKEST;
        }
        tracing::warn!(%error, label = error.label(), retry_in = ?pause, "tenants cannot be followed");
        sleep(pause).await;
        pause = (pause * 2).min(SLOWEST);
    }
}

/// Reads until that fails for good.
async fn read(inner: &Arc<Inner>, bus: &Bus, heard: &mut bool) -> ConsumeError {
    let partitions = match bus.partitions(&TENANTS).await {
        Ok(count) => 0..count,
        Err(error) => return error,
    };
    let topic = &TENANTS;
    let from = partitions.map(|partition| (TopicPartition { topic, partition }, Offset::Beginning));
    let reader = match bus.assign(from.collect(), Isolation::Committed).await {
        Ok(reader) => reader,
        Err(error) => return error,
    };
    loop {
        match reader.next().await {
            Some(Ok(Event::Record(record))) => {
                *heard = true;
                heard_of(inner, record.payload.as_deref());
            }
            Some(Ok(_)) => {}
            Some(Err(error)) if error.retry() => {
                tracing::debug!(%error, "tenants are not heard of for now");
            }
            Some(Err(error)) => return error,
            None => return ConsumeError::Closed,
        }
    }
}

fn heard_of(inner: &Arc<Inner>, payload: Option<&[u8]>) {
    let Some(payload) = payload else { return };
    match serde_json::from_slice::<TenantState>(payload) {
        Ok(state) => {
            if let Some(tenant) = Tenant::from_state(state) {
                inner.hear(tenant);
            }
        }
        // One strange record must not keep the others from being read.
        Err(error) => tracing::warn!(%error, "a record of tenants cannot be read"),
    }
}
