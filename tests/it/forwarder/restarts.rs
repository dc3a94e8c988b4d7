//! A forwarder that is killed, and one that takes its place.
//!
//! In: `../forwarder.rs`. Out: pass or fail.

use std::sync::Arc;

use gramtap_tests::{
    Endpoint, Forwarder, Inboxes, Installation, Pushed, Reaction, Stores, deliveries_until,
    message, round,
};
use tokio::sync::Semaphore;

use super::*;

const UPDATES: i64 = 30;

#[tokio::test]
async fn what_was_delivered_is_not_delivered_again_after_a_kill_on_the_embedded_log() {
    killed(Stores::Embedded).await;
}

#[tokio::test]
async fn what_was_delivered_is_not_delivered_again_after_a_kill_on_kafka() {
    killed(Stores::Servers).await;
}

/// Killed with most of it delivered and recorded, and one under way.
async fn killed(stores: Stores) {
    let permits = Arc::new(Semaphore::new(0));
    let given = Arc::clone(&permits);
    let endpoint = Endpoint::reacting(move |pushed: &Pushed| match pushed.text().as_str() {
        "held" => Reaction::Wait(Arc::clone(&permits)),
        _ => Reaction::fine(),
    })
    .await;
    let installation = Installation::new(stores).await;
    let round = round(&installation, stores).await;
    let tenant = bot(&installation, &endpoint).await;
    let bus = installation.open_bus();
    let mut updates = vec![message(0, 1_000, "held")];
    updates.extend((1..UPDATES).map(|id| message(id, id % 3 + 1, "x")));
    updates.push(message(UPDATES, 1_000, "behind"));
    Inboxes::new(&installation)
        .take(&bus, tenant.id, &updates)
        .await;
    drop(bus);
    let first = Forwarder::start(&round, &installation, "ingress", &[&endpoint], &[]).await;
    let quick = usize::try_from(UPDATES - 1).unwrap();
    let all = |found: &[Delivery]| delivered(found) == quick;
    deliveries_until(&installation.observe_bus(), tenant.id, all).await;
    endpoint.wait(quick + 1).await;
    // Less than a second has gone by since most of it: not all of it is committed.
    first.kill().await;

    given.add_permits(10);
    let second = Forwarder::start(&round, &installation, "ingress", &[&endpoint], &[]).await;
    let all = |found: &[Delivery]| delivered(found) == updates.len();
    deliveries_until(&installation.observe_bus(), tenant.id, all).await;
    second.stop().await;
    // And once more, in order: all of it is committed.
    let third = Forwarder::start(&round, &installation, "ingress", &[&endpoint], &[]).await;
    third.stop().await;
    let pushed = endpoint.pushed();
    for id in 0..=UPDATES {
        let copies = pushed.iter().filter(|it| it.update()["update_id"] == id);
        let marks = copies.map(|it| it.header("gramtap-redelivered"));
        // The one that was under way may have been taken by the bot or not, which is said.
        let expected: &[Option<&str>] = match id {
            0 => &[None, Some("maybe")],
            _ => &[None],
        };
        assert_eq!(marks.collect::<Vec<_>>(), expected, "{id}");
    }
    assert_eq!(pushed.last().unwrap().text(), "behind");
    installation.remove().await;
}
