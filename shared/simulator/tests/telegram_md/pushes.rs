//! §2.4, webhook delivery, row by row, through sockets.
//!
//! In: what people do, and an endpoint whose answers the test chooses, on a clock that it moves.
//! Out: the bytes that arrive, on which connection, in which order, and when they arrive again.

use std::time::Duration;

use gramtap_simulator::{DeliveryFilter, WebhookState};

use crate::endpoint::{Endpoint, OK};
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
    let seen = control
        .wait_for_deliveries(&DeliveryFilter::ended(), count, PATIENCE)
        .await;
    assert_eq!(seen.len(), count, "{seen:?}");
    control.webhook(BOT).unwrap()
}

#[tokio::test]
async fn row_request() {
    let stage = Stage::still().await;
    let endpoint = Endpoint::start().await;
    set(&stage, &endpoint, "").await;
    stage.control.say(BOT, USER, "hi").unwrap();
    let mut line = endpoint.line().await;
    let push = line.push().await;
    let update = push.update();
    assert_eq!(
        push.head,
        format!(
            "POST /hook HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: keep-alive\r\nAccept-Encoding: gzip, deflate\r\n\r\n",
            endpoint.address,
            push.body.len()
        )
    );
    assert_eq!(update["message"]["text"], "hi");
    let id = update["update_id"].as_i64().unwrap();
    assert!(
        push.body
            .starts_with(&format!("{{\"update_id\":{id},\n\"message\":{{"))
    );
    assert_eq!(stage.control.webhook(BOT).unwrap().in_flight, 1);
    line.answer(OK).await;
    let state = ended(&stage, 1).await;
    assert_eq!((state.pending_updates, state.connections), (0, 1));
    assert_eq!(state.next_attempt, None::<Duration>);
}
