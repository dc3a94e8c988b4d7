//! Endpoints that fail, ask for time, or say nothing: their own updates wait, those of others do not.
//!
//! In: `../forwarder.rs`. Out: pass or fail.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use gramtap_bus::Message;
use gramtap_bus::message::LARGEST;
use gramtap_events::Moment;
use gramtap_events::inbox::{Inbox, ROOM};
use gramtap_tests::{
    Endpoint, Forwarder, Inboxes, Installation, Pushed, Reaction, Stores, dead_until,
    deliveries_until, message, parked_until, put, round,
};
use serde_json::{Value, json};

use super::*;

/// Fails the first times that it sees a text which says how often.
fn failing_first() -> impl Fn(&Pushed) -> Reaction + Send + Sync + 'static {
    let seen = Mutex::new(HashMap::<String, u32>::new());
    move |pushed: &Pushed| {
        let text = pushed.text();
        let mut seen = seen.lock().unwrap();
        let times = seen.entry(text.clone()).or_default();
        *times += 1;
        match text.split_once(' ') {
            Some(("fails", count)) if *times <= count.parse().unwrap() => {
                Reaction::status("500 Internal Server Error")
            }
            Some(("breaks", count)) if *times <= count.parse().unwrap() => Reaction::Close,
            Some(("waits", _)) if *times <= 1 => {
                Reaction::status("429 Too Many Requests\r\nRetry-After: 1")
            }
            _ => Reaction::fine(),
        }
    }
}

#[tokio::test]
async fn what_fails_is_tried_again_in_its_order_on_the_embedded_log() {
    tried_again(Stores::Embedded).await;
}

#[tokio::test]
async fn what_fails_is_tried_again_in_its_order_on_kafka() {
    tried_again(Stores::Servers).await;
}

async fn tried_again(stores: Stores) {
    let endpoint = Endpoint::reacting(failing_first()).await;
    let installation = Installation::new(stores).await;
    let round = round(&installation, stores).await;
    let tenant = bot(&installation, &endpoint).await;
    let bus = installation.open_bus();
    let updates = [
        message(1, 1, "fails 2"),
        message(2, 2, "breaks 1"),
        message(3, 3, "waits 1"),
        message(4, 1, "second"),
        message(5, 2, "second"),
        message(6, 3, "second"),
        message(7, 1, "third"),
    ];
    Inboxes::new(&installation)
        .take(&bus, tenant.id, &updates)
        .await;
    drop(bus);
    let forwarder = Forwarder::start(&round, &installation, "ingress", &[&endpoint], &[]).await;
    let all = |found: &[Delivery]| delivered(found) == updates.len();
    let told = deliveries_until(&installation.observe_bus(), tenant.id, all).await;
    forwarder.stop().await;
    let of = |chat: i64| {
        let pushed = endpoint.pushed().into_iter();
        let of_chat = pushed.filter(|it| it.update()["message"]["chat"]["id"] == chat);
        of_chat.map(|it| it.text()).collect::<Vec<_>>()
    };
    assert_eq!(of(1), ["fails 2", "fails 2", "fails 2", "second", "third"]);
    assert_eq!(of(2), ["breaks 1", "breaks 1", "second"]);
    assert_eq!(of(3), ["waits 1", "waits 1", "second"]);
    let of = |id: i64| {
        let found = told.iter().filter(|one| one.update_id == Some(id));
        found.cloned().collect::<Vec<_>>()
    };
    assert_eq!(labels(&of(1)), ["endpoint_fails", "endpoint_fails"]);
    assert_eq!(labels(&of(2)), ["endpoint_broke_off"]);
    assert_eq!(labels(&of(3)), ["endpoint_busy"]);
    let attempts: Vec<u32> = of(1).iter().map(|one| one.attempt).collect();
    assert_eq!(attempts, [1, 2, 3]);
    // At once, then after two seconds; or as the endpoint asks.
    let [first, second, third] = of(1).try_into().unwrap();
    assert!(first.next_at.unwrap() <= second.at);
    assert!(second.next_at.unwrap() <= third.at);
    assert!(third.at.since(second.at) >= Duration::from_secs(2));
    let [asked, after] = of(3).try_into().unwrap();
    assert_eq!(asked.status, Some(429));
    assert!(after.at.since(asked.at) >= Duration::from_secs(1));
    installation.remove().await;
}

fn pressed(update_id: i64, user: i64) -> Value {
    json!({"update_id": update_id, "callback_query": {
        "id": "1", "from": {"id": user, "is_bot": false, "first_name": "Ann"}, "chat_instance": "1", "data": "x",
    }})
}

#[tokio::test]
async fn what_has_expired_is_a_dead_letter() {
    let statuses = [
        ("404 Not Found", "endpoint_not_found"),
        ("410 Gone", "endpoint_gone"),
        (
            "302 Found\r\nLocation: http://127.0.0.1:1/",
            "endpoint_redirects",
        ),
        ("400 Bad Request", "endpoint_refuses"),
        ("503 Service Unavailable", "endpoint_busy"),
    ];
    let endpoint = Endpoint::reacting(move |pushed: &Pushed| {
        let user = pushed.update()["callback_query"]["from"]["id"].as_u64();
        let which = usize::try_from(user.unwrap()).unwrap();
        Reaction::status(statuses[which - 1].0)
    })
    .await;
    let installation = Installation::new(Stores::Embedded).await;
    let round = round(&installation, Stores::Embedded).await;
    let tenant = bot(&installation, &endpoint).await;
    let (bus, inboxes) = (installation.open_bus(), Inboxes::new(&installation));
    // A press of a button has 150 s; these have few left, or none.
    let ago = |seconds| Moment::from(Moment::now().time() - Duration::from_secs(seconds));
    let count = i64::try_from(statuses.len()).unwrap();
    for user in 1..=count {
        put(
            &bus,
            &inboxes.record(tenant.id, &pressed(user, user), "", ago(145)),
        )
        .await;
    }
    put(
        &bus,
        &inboxes.record(tenant.id, &pressed(99, 99), "", ago(151)),
    )
    .await;
    drop(bus);
    let forwarder = Forwarder::start(&round, &installation, "ingress", &[&endpoint], &[]).await;
    let looked = installation.observe_bus();
    let dead = dead_until(&looked, tenant.id, statuses.len() + 1).await;
    forwarder.stop().await;
    for (user, (_, label)) in (1..).zip(statuses) {
        let mut of = dead.iter().filter(|it| it.inbox.update_id == Some(user));
        let letter = of.next().unwrap();
        assert!(of.next().is_none());
        assert_eq!(letter.cause, "expired");
        assert!(letter.tried.attempts >= 1 && letter.tried.last_at.is_some());
        let of = |one: &&Delivery| one.update_id == Some(user);
        let over = |found: &[Delivery]| {
            let mut found = found.iter().filter(of);
            found.any(|one| one.verdict == Verdict::Expired)
        };
        let told = deliveries_until(&looked, tenant.id, over).await;
        // The last one expires while the endpoint is left alone after its failures, without an attempt.
        let tried = told.iter().filter(of).filter(|one| one.attempt > 0);
        let tried: Vec<Delivery> = tried.cloned().collect();
        assert!(labels(&tried).iter().all(|it| *it == label), "{told:?}");
        let attempts = usize::try_from(letter.tried.attempts).unwrap();
        assert_eq!(tried.len(), attempts);
    }
    let untried = dead
        .iter()
        .find(|it| it.inbox.update_id == Some(99))
        .unwrap();
    assert_eq!((untried.tried.attempts, &*untried.cause), (0, "expired"));
    assert!(
        endpoint
            .pushed()
            .iter()
            .all(|it| it.update()["update_id"] != 99)
    );
    installation.remove().await;
}

#[tokio::test]
async fn the_largest_update_is_parked_and_buried_on_the_embedded_log() {
    parked_and_buried(Stores::Embedded).await;
}

#[tokio::test]
async fn the_largest_update_is_parked_and_buried_on_kafka() {
    parked_and_buried(Stores::Servers).await;
}

async fn parked_and_buried(stores: Stores) {
    let endpoint = Endpoint::reacting(|_: &Pushed| {
        Reaction::status("503 Service Unavailable\r\nRetry-After: 3600")
    })
    .await;
    let installation = Installation::new(stores).await;
    let round = round(&installation, stores).await;
    let tenant = bot(&installation, &endpoint).await;
    let (bus, inboxes) = (installation.open_bus(), Inboxes::new(&installation));
    let record = |text: &str| {
        let update = message(1, 1, text);
        inboxes.record(tenant.id, &update, SECRET, Moment::now())
    };
    let room = |record: &Inbox| LARGEST - ROOM - Message::of(record).unwrap().size();
    // Three bytes are four characters of a sealed text.
    let largest = record(&"x".repeat(room(&record("")) / 4 * 3 - 4));
    assert!(room(&largest) < 16);
    put(&bus, &largest).await;
    drop(bus);
    let forwarder = Forwarder::start(&round, &installation, "ingress", &[&endpoint], &[]).await;
    let looked = installation.observe_bus();
    let parked = parked_until(&looked, tenant.id, 1).await;
    assert_eq!((&parked[0].inbox, parked[0].tried.attempts), (&largest, 1));
    // Of the ways to its end the shortest.
    let registry = installation.registry();
    let dropped = registry.drop_waiting(tenant.code, Moment::now()).await;
    dropped.unwrap();
    let dead = dead_until(&looked, tenant.id, 1).await;
    forwarder.stop().await;
    assert_eq!((&*dead[0].cause, &dead[0].inbox), ("dropped", &largest));
    installation.remove().await;
}

#[tokio::test]
async fn an_endpoint_asleep_delays_no_other_bot() {
    let asleep = Endpoint::reacting(|_: &Pushed| Reaction::Sleep).await;
    let awake = Endpoint::start().await;
    let installation = Installation::new(Stores::Embedded).await;
    let round = round(&installation, Stores::Embedded).await;
    let slow = bot(&installation, &asleep).await;
    let quick = bot(&installation, &awake).await;
    let (bus, inboxes) = (installation.open_bus(), Inboxes::new(&installation));
    let updates: Vec<_> = (0..60).map(|id| message(id, id % 50 + 1, "x")).collect();
    inboxes.take(&bus, slow.id, &updates).await;
    inboxes.take(&bus, quick.id, &updates).await;
    drop(bus);
    let endpoints = [&asleep, &awake];
    let more = [
        ("GRAMTAP_FORWARDER__DEADLINE", "3s"),
        ("GRAMTAP_FORWARDER__DRAIN_TIMEOUT", "1s"),
        // As many as the sleeper may take, and some.
        ("GRAMTAP_FORWARDER__IN_FLIGHT", "45"),
    ];
    let forwarder = Forwarder::start(&round, &installation, "ingress", &endpoints, &more).await;
    let looked = installation.observe_bus();
    let all = |found: &[Delivery]| delivered(found) == updates.len();
    let quickly = deliveries_until(&looked, quick.id, all).await;
    let first = |found: &[Delivery]| !found.is_empty();
    let slowly = deliveries_until(&looked, slow.id, first).await;
    forwarder.stop().await;
    assert_eq!(slowly[0].label.as_deref(), Some("endpoint_timeout"));
    assert!(slowly[0].took_us >= 3_000_000, "{}", slowly[0].took_us);
    // All of the one's were begun before the first of the other's was given up.
    let given_up = slowly[0].at.plus(Duration::from_micros(slowly[0].took_us));
    assert!(quickly.iter().all(|one| one.at < given_up));
    installation.remove().await;
}
