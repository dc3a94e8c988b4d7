//! The real `gramtap-forwarder` process between the bus and bots' webhooks.
//!
//! In: the harness of `tests/src`; for half of it Kafka, Redis and Postgres (deploy/dev/services). Out: pass or fail. `answers.rs`: methods in what bots answer; `order.rs`: updates reach their
//! bots as they were taken in; `failing.rs`: endpoints that fail, ask for time, sleep; `restarts.rs`: a forwarder that is killed; `guard.rs`:
//! addresses that may not be called; `replays.rs`: what is asked for again; `headers.rs`: the request is the one that ingress makes when it relays. Invariant: each test has an
//! installation and endpoints of its own; what is taken in is written before the forwarder starts, as the embedded log has one process.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod answers;
mod failing;
mod guard;
mod headers;
mod order;
mod replays;
mod restarts;

use gramtap_events::delivery::{Delivery, Verdict};
use gramtap_tenants::{NewTenant, Tenant, Webhook};
use gramtap_tests::{Endpoint, Installation};

const SECRET: &str = "AAcanary-of-the-secret-header";

/// Connects a bot whose webhook is an endpoint.
async fn bot(installation: &Installation, endpoint: &Endpoint) -> Tenant {
    let url = format!("http://{}/a%20path?with=AAcanary", endpoint.address());
    bot_at(installation, &url, Webhook::CONNECTIONS.into()).await
}

/// Connects a bot with any webhook.
async fn bot_at(installation: &Installation, url: &str, connections: u32) -> Tenant {
    let registry = installation.registry();
    let tenant = registry.add(&NewTenant::default()).await.unwrap();
    let webhook = Webhook::new(url).unwrap();
    let mut webhook = webhook.with_connections(connections).unwrap();
    webhook.secret = Some(SECRET.to_owned().into());
    let set = registry.set_webhook(tenant.code, &webhook, None).await;
    set.unwrap().0
}

fn delivered(found: &[Delivery]) -> usize {
    let is_delivered = |one: &&Delivery| one.verdict == Verdict::Delivered;
    found.iter().filter(is_delivered).count()
}

/// The labels of attempts that failed, in order.
fn labels(found: &[Delivery]) -> Vec<&str> {
    found
        .iter()
        .filter_map(|one| one.label.as_deref())
        .collect()
}
