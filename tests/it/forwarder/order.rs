//! Updates reach their bots in the order in which they were taken in, queues beside each other.
//!
//! In: `../forwarder.rs`. Out: pass or fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gramtap_tests::{
    Endpoint, Forwarder, Inboxes, Installation, Pushed, Reaction, Stores, deliveries,
    deliveries_until, message, round,
};
use tokio::sync::{Barrier, Semaphore};

use super::*;

const CHATS: i64 = 5;
const EACH: i64 = 8;

#[tokio::test]
async fn queues_keep_their_order_and_go_beside_each_other_on_the_embedded_log() {
    in_order(Stores::Embedded).await;
}

#[tokio::test]
async fn queues_keep_their_order_and_go_beside_each_other_on_kafka() {
    in_order(Stores::Servers).await;
}

async fn in_order(stores: Stores) {
    // The first of each chat is answered once those of all chats are there.
    let all = Arc::new(Barrier::new(usize::try_from(CHATS).unwrap()));
    let endpoint = Endpoint::reacting(move |pushed: &Pushed| match pushed.text().as_str() {
        "0" => Reaction::Meet(Arc::clone(&all)),
        _ => Reaction::fine(),
    })
    .await;
    let installation = Installation::new(stores).await;
    let round = round(&installation, stores).await;
    let tenant = bot(&installation, &endpoint).await;
    let bus = installation.open_bus();
    let mut updates = Vec::new();
    for number in 0..EACH {
        updates.extend(
            (0..CHATS).map(|chat| message(number * CHATS + chat, chat + 1, &number.to_string())),
        );
    }
    Inboxes::new(&installation)
        .take(&bus, tenant.id, &updates)
        .await;
    drop(bus);
    let forwarder = Forwarder::start(&round, &installation, "ingress", &[&endpoint], &[]).await;
    let pushed = endpoint.wait(updates.len()).await;
    for chat in 0..CHATS {
        let of_chat = |it: &&Pushed| it.update()["message"]["chat"]["id"] == chat + 1;
        let texts: Vec<String> = pushed.iter().filter(of_chat).map(Pushed::text).collect();
        let expected: Vec<String> = (0..EACH).map(|number| number.to_string()).collect();
        assert_eq!(texts, expected, "{chat}");
    }
    let all = |found: &[Delivery]| found.len() >= updates.len();
    deliveries_until(&installation.observe_bus(), tenant.id, all).await;
    forwarder.stop().await;
    assert_eq!(endpoint.pushed().len(), updates.len());

    let told = deliveries(&installation.open_bus(), &[tenant.id]).await;
    assert_eq!(
        (told.len(), delivered(&told)),
        (updates.len(), updates.len())
    );
    let host = format!("http://{}", endpoint.address());
    assert!(told.iter().all(|one| {
        let first = one.attempt == 1 && one.status == Some(200) && one.label.is_none();
        first && one.endpoint.as_deref() == Some(&host) && one.took_us > 0
    }));
    let found = installation.canaries(&[SECRET, "with=AAcanary"]).await;
    assert_eq!(found, Vec::<String>::new());
    installation.remove().await;
}

#[tokio::test]
async fn a_bot_gets_no_more_at_a_time_than_its_webhook_takes() {
    static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    let permits = Arc::new(Semaphore::new(0));
    let given = Arc::clone(&permits);
    let endpoint = Endpoint::reacting(move |_: &Pushed| {
        let now = UNDER_WAY.fetch_add(1, Ordering::SeqCst) + 1;
        MOST.fetch_max(now, Ordering::SeqCst);
        Reaction::Wait(Arc::clone(&permits))
    })
    .await;
    let installation = Installation::new(Stores::Embedded).await;
    let round = round(&installation, Stores::Embedded).await;
    let url = format!("http://{}/", endpoint.address());
    let tenant = bot_at(&installation, &url, 2).await;
    let bus = installation.open_bus();
    let updates: Vec<_> = (0..10).map(|id| message(id, id + 1, "x")).collect();
    Inboxes::new(&installation)
        .take(&bus, tenant.id, &updates)
        .await;
    drop(bus);
    let forwarder = Forwarder::start(&round, &installation, "ingress", &[&endpoint], &[]).await;
    for answered in 0..updates.len() {
        endpoint.wait((answered + 2).min(updates.len())).await;
        UNDER_WAY.fetch_sub(1, Ordering::SeqCst);
        given.add_permits(1);
    }
    let all = |found: &[Delivery]| delivered(found) == updates.len();
    deliveries_until(&installation.observe_bus(), tenant.id, all).await;
    forwarder.stop().await;
    assert_eq!(MOST.load(Ordering::SeqCst), 2);
    installation.remove().await;
}
