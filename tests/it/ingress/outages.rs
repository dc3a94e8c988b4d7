//! Bots that go on calling while Kafka, Redis or Postgres is away.
//!
//! In: the load of `outages/load.rs`, on a process that uses real servers. Out: pass or fail.
//! `outages/kafka.rs`: the broker killed, frozen, not there at the start; `outages/registry.rs`:
//! Redis and Postgres gone, frozen, not there at the start. Invariant: every call is answered as if
//! nothing were away, and what is in Kafka afterwards is each call and each update once, in order.

mod kafka;
mod load;
mod registry;

use gramtap_events::TenantId;
use gramtap_tests::{DEADLINE, Ingress, Installation, Stores, calls, fresh_bot, updates};
use load::Load;
use std::time::Duration;
use tokio::time::{Instant, sleep};

use super::*;

/// What a gauge of the process says; one that was never set is 0.
async fn gauge(ingress: &Ingress, name: &str) -> i64 {
    let metrics = ingress.operator("/-/metrics").await.text();
    let value = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok();
    metrics.lines().find_map(value).unwrap_or_default()
}

/// Waits until nothing waits for the bus any more.
async fn settled(ingress: &Ingress) {
    let began = Instant::now();
    for name in ["gramtap_spool_records", "gramtap_bus_queue_records"] {
        while gauge(ingress, name).await != 0 {
            assert!(began.elapsed() < DEADLINE, "{name} does not go down");
            // paced: metrics have to be asked for, they wake nobody
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Ends the process in order, once nothing waits for the bus any more. What its number was.
async fn ended(ingress: Ingress) -> u32 {
    settled(&ingress).await;
    let pid = ingress.pid();
    ingress.stop().await;
    pid
}
