//! §2.4, webhook delivery: request, connections, concurrency, ordering, through sockets.
//!
//! In: what people do, and an endpoint whose answers the test chooses, on a clock that it moves.
//! Out: the bytes that arrive, on which connection, and in which order.

use std::time::Duration;

use gramtap_simulator::{Control, DeliveryFilter, User, WebhookState};
use serde_json::Value;

use crate::endpoint::{Endpoint, Line, OK};
use crate::wire::{BOT, PATIENCE, Stage, USER};

/// Sets the endpoint as the bot's webhook.
pub(crate) async fn set(stage: &Stage, endpoint: &Endpoint, more: &str) {
    let form = format!("url={}{more}", endpoint.url());
    let answer = stage.call("setWebhook", &form).await;
    assert_eq!(answer.json()["description"], "Webhook was set");
}

/// Waits until so many attempts have ended; gives how the webhook stands then.
pub(crate) async fn ended(stage: &Stage, count: usize) -> WebhookState {
    let control = &stage.control;
    let all = DeliveryFilter::ended();
    let seen = control.wait_for_deliveries(&all, count, PATIENCE).await;
    assert_eq!(seen.len(), count, "{seen:?}");
    control.webhook(BOT).unwrap()
}

/// Waits until the webhook stands as wanted.
async fn stands(stage: &Stage, fits: impl Fn(&WebhookState) -> bool) -> WebhookState {
    let seen = |control: &Control| control.webhook(BOT).ok().filter(&fits);
    let seen = stage.control.wait_for(seen, PATIENCE).await;
    seen.unwrap_or_else(|| panic!("{:?}", stage.control.webhook(BOT)))
}

/// A stage on a clock that stands, with a webhook that has taken its first update.
pub(crate) async fn working(more: &str) -> (Stage, Endpoint, Line) {
    let stage = Stage::still().await;
    let endpoint = Endpoint::start().await;
    set(&stage, &endpoint, more).await;
    stage.control.say(BOT, USER, "first").unwrap();
    let mut line = endpoint.line().await;
    assert_eq!(line.push().await.text(), "first");
    line.answer(OK).await;
    ended(&stage, 1).await;
    (stage, endpoint, line)
}

/// So many other users, each with something to say.
fn crowd(stage: &Stage, count: i64) {
    for user in 100..100 + count {
        stage.control.add_user(User::new(user, "Bob"));
        stage
            .control
            .say(BOT, user, &format!("from {user}"))
            .unwrap();
    }
}

pub(crate) async fn info(stage: &Stage) -> Value {
    stage.call("getWebhookInfo", "").await.result()
}

#[tokio::test]
async fn row_request() {
    let stage = Stage::still().await;
    let endpoint = Endpoint::start().await;
    set(&stage, &endpoint, "").await;
    stage.control.say(BOT, USER, "hi").unwrap();
    let mut line = endpoint.line().await;
    let push = line.push().await;
    assert_eq!(
        push.head,
        format!(
            "POST /hook HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: keep-alive\r\nAccept-Encoding: gzip, deflate\r\n\r\n",
            endpoint.address,
            push.body.len()
        )
    );
    assert_eq!(push.text(), "hi");
    let id = push.update()["update_id"].as_i64().unwrap();
    assert!(
        push.body
            .starts_with(&format!("{{\"update_id\":{id},\n\"message\":{{"))
    );
    assert_eq!(stage.control.webhook(BOT).unwrap().in_flight, 1);
    line.answer(OK).await;
    let state = ended(&stage, 1).await;
    assert_eq!(
        (state.pending_updates, state.connections, state.next_attempt),
        (0, 1, None)
    );
    let noted = stage
        .control
        .deliveries(&DeliveryFilter::default())
        .remove(0);
    assert_eq!(noted.request, [push.head, push.body].concat());
    assert_eq!(
        (
            noted.update_id,
            noted.kind.as_str(),
            noted.queue.to_string()
        ),
        (id, "message", "chat:7".to_owned())
    );
    assert_eq!(
        (noted.status, noted.error, noted.attempt),
        (Some(200), None, 1)
    );
    assert_eq!(noted.head, OK);
}

#[tokio::test]
async fn row_request_with_secret_and_password() {
    let stage = Stage::still().await;
    let endpoint = Endpoint::start().await;
    let url = format!("http://ann:AAcanary@{}?key=a%2526b", endpoint.address);
    let form = format!("url={url}&secret_token=AAcanary_s3cret-1");
    stage.call("setWebhook", &form).await.result();
    stage.control.say(BOT, USER, "hi").unwrap();
    let mut line = endpoint.line().await;
    let push = line.push().await;
    assert_eq!(
        push.head,
        format!(
            "POST /?key=a%26b HTTP/1.1\r\nHost: {}\r\nAuthorization: Basic YW5uOkFBY2FuYXJ5\r\n\
             X-Telegram-Bot-Api-Secret-Token: AAcanary_s3cret-1\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: keep-alive\r\nAccept-Encoding: gzip, deflate\r\n\r\n",
            endpoint.address,
            push.body.len()
        )
    );
    line.answer(OK).await;
    ended(&stage, 1).await;
    let shown = format!(
        "{:?} {:?}",
        stage.control.deliveries(&DeliveryFilter::default()),
        stage.control.webhook(BOT)
    );
    assert!(
        !shown.contains("AAcanary") && shown.contains("200"),
        "{shown}"
    );
}

#[tokio::test]
async fn row_ordering_and_reuse_of_connections() {
    let (stage, endpoint, mut one) = working("").await;
    stage.control.say(BOT, USER, "second").unwrap();
    stage.control.say(BOT, USER, "third").unwrap();
    assert_eq!(one.push().await.text(), "second");
    // Another chat goes beside it, on a connection of its own; the third message waits.
    crowd(&stage, 1);
    let mut two = endpoint.line().await;
    assert_eq!(two.push().await.text(), "from 100");
    let state = stage.control.webhook(BOT).unwrap();
    let queues: Vec<_> = state
        .queues
        .iter()
        .map(|one| (one.queue.to_string(), one.updates))
        .collect();
    let queue = |name: &str, updates| (name.to_owned(), updates);
    assert_eq!(queues, [queue("chat:7", 2), queue("chat:100", 1)]);
    assert_eq!((state.in_flight, state.next_attempt), (2, None));
    one.answer("HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\n")
        .await;
    assert_eq!(one.push().await.text(), "second", "the third still waits");
    one.answer(OK).await;
    assert_eq!(one.push().await.text(), "third");
    one.answer(OK).await;
    two.answer(OK).await;
    let state = ended(&stage, 5).await;
    assert_eq!((state.pending_updates, state.connections), (0, 2));
    assert!(!endpoint.rings().await, "no third connection");
}

#[tokio::test]
async fn row_concurrency() {
    let (stage, endpoint, mut one) = working("&max_connections=2").await;
    crowd(&stage, 3);
    one.push().await;
    let mut two = endpoint.line().await;
    two.push().await;
    let state = stands(&stage, |state| state.in_flight == 2).await;
    let waits = state.queues.iter().filter(|one| one.next_attempt.is_some());
    assert_eq!((state.connections, waits.count()), (2, 1));
    two.answer(OK).await;
    assert_eq!(two.push().await.text(), "from 102");
    assert!(!endpoint.rings().await);
}

#[tokio::test]
async fn row_pace_of_new_connections() {
    let stage = Stage::still().await;
    let endpoint = Endpoint::start().await;
    set(&stage, &endpoint, "").await;
    crowd(&stage, 15);
    // Nothing has succeeded yet: one connection, whoever waits.
    let mut line = endpoint.line().await;
    line.push().await;
    assert_eq!(stage.control.webhook(BOT).unwrap().connections, 1);
    line.answer(OK).await;
    // Ten within half a second, the first among them.
    let state = stands(&stage, |state| state.in_flight == 10).await;
    assert_eq!((state.connections, state.pending_updates), (10, 14));
    stage.control.clock().advance(Duration::from_millis(499));
    assert_eq!(info(&stage).await["pending_update_count"], 14);
    assert_eq!(stage.control.webhook(BOT).unwrap().connections, 10);
    stage.control.clock().advance(Duration::from_millis(1));
    stands(&stage, |state| {
        state.connections == 14 && state.in_flight == 14
    })
    .await;
}

#[tokio::test]
async fn row_getwebhookinfo() {
    let stage = Stage::still().await;
    let endpoint = Endpoint::start().await;
    let more = "&max_connections=7&allowed_updates=[\"message\",\"poll\"]";
    set(&stage, &endpoint, more).await;
    for text in ["a", "b"] {
        stage.control.say(BOT, USER, text).unwrap();
    }
    let mut line = endpoint.line().await;
    line.push().await;
    let expected = serde_json::json!({
        "url": endpoint.url(), "has_custom_certificate": false, "pending_update_count": 2,
        "max_connections": 7, "ip_address": "127.0.0.1", "allowed_updates": ["message", "poll"],
    });
    assert_eq!(info(&stage).await, expected);
    line.answer("HTTP/1.1 403 Wrong secret\r\nContent-Length: 0\r\n\r\n")
        .await;
    line.push().await;
    let seen = info(&stage).await;
    assert_eq!(
        seen["last_error_message"],
        "Wrong response from the webhook: 403 Wrong secret"
    );
    assert_eq!(seen["last_error_date"], stage.control.clock().unix());
    line.answer(OK).await;
    line.push().await;
    assert_eq!(info(&stage).await["pending_update_count"], 1);
    // What went wrong last stays to be seen.
    assert_eq!(
        info(&stage).await["last_error_date"],
        stage.control.clock().unix()
    );
}

#[tokio::test]
async fn row_answer_head_connections() {
    // It says that it closes: the next update comes on a new one.
    let (stage, endpoint, mut line) = working("").await;
    stage.control.say(BOT, USER, "a").unwrap();
    line.push().await;
    line.answer("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        .await;
    assert!(line.closed().await);
    stage.control.say(BOT, USER, "b").unwrap();
    let mut line = endpoint.line().await;
    assert_eq!(line.push().await.text(), "b");
    line.answer(OK).await;
    ended(&stage, 3).await;
    // It just closes while nothing is on the way: no failure.
    drop(line);
    stands(&stage, |state| state.connections == 0).await;
    stage.control.say(BOT, USER, "c").unwrap();
    let mut line = endpoint.line().await;
    assert_eq!(line.push().await.text(), "c");
    line.answer(OK).await;
    ended(&stage, 4).await;
    assert!(info(&stage).await.get("last_error_message").is_none());
    // Idle for 60 s, the simulator closes.
    stage.control.clock().advance(Duration::from_secs(60));
    assert!(line.closed().await);
}
