//! Addresses that may not be called are not, and their updates are dead letters that say why.
//!
//! In: `../forwarder.rs`, the ways of writing them of `shared/outbound/src/guard/corpus.rs`. Out: pass or fail.

use std::collections::HashMap;

use gramtap_events::delivery::Verdict;
use gramtap_events::inbox::Dead;
use gramtap_outbound::guard::corpus::URLS;
use gramtap_tests::{
    Endpoint, Forwarder, Inboxes, Installation, Reaction, Stores, dead, deliveries, message, round,
    until,
};

use super::*;

/// Names that lead to where they may not, in every system.
const NAMES: &[(&str, &str)] = &[
    ("https://localhost/", "address_loopback"),
    ("https://LOCALHOST:8443/x", "address_loopback"),
    ("https://user:secret@localhost/", "address_loopback"),
];

#[tokio::test]
async fn no_way_into_an_inner_network_is_taken() {
    let installation = Installation::new(Stores::Embedded).await;
    let round = round(&installation, Stores::Embedded).await;
    let mut expected = HashMap::new();
    for (url, label) in URLS.iter().chain(NAMES) {
        // What is no address at all never becomes a webhook.
        let Ok(webhook) = Webhook::new(url) else {
            continue;
        };
        let label = match (*label, webhook.url().host_str()) {
            // A user and password are let through here, and do not hide the host.
            ("url_credentials", Some("127.0.0.1")) => "address_loopback",
            ("url_credentials", _) => continue,
            (label, _) => label,
        };
        let tenant = bot_at(&installation, url, 1).await;
        expected.insert(tenant.id, (*url, label));
    }
    assert!(expected.len() >= 60, "{}", expected.len());
    let (bus, inboxes) = (installation.open_bus(), Inboxes::new(&installation));
    for tenant in expected.keys() {
        inboxes.take(&bus, *tenant, &[message(1, 1, "text")]).await;
    }
    drop(bus);
    let more = [
        ("GRAMTAP_WEBHOOKS__ALLOW", "[]"),
        ("GRAMTAP_WEBHOOKS__PORTS", "[]"),
        ("GRAMTAP_WEBHOOKS__HTTP", "false"),
    ];
    let forwarder = Forwarder::start(&round, &installation, "ingress", &[], &more).await;
    let tenants: Vec<_> = expected.keys().copied().collect();
    let letters = until("a dead letter of each", async || {
        let letters = dead(&installation.observe_bus(), &tenants).await;
        (letters.len() >= tenants.len()).then_some(letters)
    })
    .await;
    forwarder.stop().await;
    assert_eq!(letters.len(), tenants.len());
    let mut cause: HashMap<_, _> = letters
        .iter()
        .map(|it: &Dead| (it.inbox.tenant, &*it.cause))
        .collect();
    let told = deliveries(&installation.open_bus(), &tenants).await;
    assert_eq!(told.len(), tenants.len(), "one attempt each");
    for delivery in told {
        let (url, label) = expected[&delivery.tenant];
        assert_eq!(cause.remove(&delivery.tenant), Some(label), "{url}");
        assert_eq!(
            (delivery.verdict, delivery.label.as_deref()),
            (Verdict::Refused, Some(label)),
            "{url}"
        );
        assert_eq!(delivery.status, None, "{url}");
    }
    installation.remove().await;
}

#[tokio::test]
async fn a_redirect_into_an_inner_network_is_not_followed() {
    let inner = Endpoint::start().await;
    let location = format!("302 Found\r\nLocation: http://{}/", inner.address());
    let outer = Endpoint::reacting(move |_| Reaction::status(&location)).await;
    let installation = Installation::new(Stores::Embedded).await;
    let round = round(&installation, Stores::Embedded).await;
    let tenant = bot(&installation, &outer).await;
    let bus = installation.open_bus();
    Inboxes::new(&installation)
        .take(&bus, tenant.id, &[message(1, 1, "text")])
        .await;
    drop(bus);
    let forwarder = Forwarder::start(&round, &installation, "ingress", &[&outer], &[]).await;
    outer.wait(3).await;
    forwarder.stop().await;
    assert_eq!(inner.pushed(), []);
    let told = deliveries(&installation.open_bus(), &[tenant.id]).await;
    assert!(told.len() >= 2 && labels(&told).iter().all(|it| *it == "endpoint_redirects"));
    installation.remove().await;
}
