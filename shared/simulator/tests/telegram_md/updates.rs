//! §2.2, errors and conflicts of getUpdates and the webhook, through sockets.
//!
//! In: polls in every order, on a clock that the test moves. Out: who is answered, with what, and when.

use std::time::Duration;

use gramtap_simulator::{Clock, ConnectionState, Control, Filter, OpenConnection, SimulatorConfig};
use serde_json::Value;

use crate::endpoint::Endpoint;
use crate::wire::{BOT, Client, PATIENCE, Stage, USER, call};

const OTHER: &str = "409 Conflict: terminated by other getUpdates request; make sure that only one bot instance is running";
const ACTIVE: &str = "409 Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";

fn ids(updates: &Value) -> Vec<i64> {
    updates
        .as_array()
        .unwrap()
        .iter()
        .map(|update| update["update_id"].as_i64().unwrap())
        .collect()
}

/// Sends a poll and returns once it waits.
async fn park(stage: &Stage, form: &str) -> Client {
    let before = stage
        .control
        .requests(&Filter::default())
        .last()
        .map_or(0, |one| one.id);
    let mut client = stage.client().await;
    client.send(call("getUpdates", form)).await;
    let filter = Filter {
        after: Some(before),
        complete: true,
        ..Filter::method("getUpdates")
    };
    stage.control.wait_for_requests(&filter, 1, PATIENCE).await;
    // The body is noted just before the call is performed; a poll is listed when it waits.
    let waits = |control: &Control| {
        control
            .polls()
            .iter()
            .any(|poll| poll.request > before)
            .then_some(())
    };
    stage
        .control
        .wait_for(waits, PATIENCE)
        .await
        .expect("the poll waits");
    client
}

#[tokio::test]
async fn row_getupdates_while_another_waits() {
    let stage = Stage::still().await;
    let mut first = park(&stage, "timeout=50").await;
    let mut second = park(&stage, "timeout=50").await;
    assert_eq!(first.answer().await.failure(), OTHER);
    // Repeats within 3 s are held 3 s.
    let mut third = park(&stage, "timeout=50").await;
    stage.control.clock().advance(Duration::from_millis(2_999));
    let held = Filter {
        answered: true,
        ..Filter::method("getUpdates")
    };
    assert_eq!(stage.control.requests(&held).len(), 1);
    stage.control.clock().advance(Duration::from_millis(1));
    assert_eq!(second.answer().await.failure(), OTHER);
    stage.control.say(BOT, USER, "hi").unwrap();
    assert_eq!(third.answer().await.result()[0]["message"]["text"], "hi");
}

#[tokio::test]
async fn row_setwebhook_during_a_poll_and_getupdates_with_a_webhook() {
    let stage = Stage::still().await;
    // It takes the update and never answers.
    let endpoint = Endpoint::start().await;
    let order = format!("url={}&max_connections=5&secret_token=hush", endpoint.url());
    let mut poll = park(&stage, "timeout=50").await;
    let set = stage.call("setWebhook", &order).await;
    assert_eq!(
        set.text(),
        r#"{"ok":true,"result":true,"description":"Webhook was set"}"#
    );
    assert_eq!(
        poll.answer().await.failure(),
        "409 Conflict: terminated by setWebhook request"
    );
    stage.control.clock().advance(Duration::from_secs(3));
    assert_eq!(stage.call("getUpdates", "").await.failure(), ACTIVE);
    stage.control.say(BOT, USER, "hi").unwrap();
    let info = stage.call("getWebhookInfo", "").await.text();
    assert_eq!(
        info,
        format!(
            r#"{{"ok":true,"result":{{"url":"{}","has_custom_certificate":false,"pending_update_count":1,"max_connections":5,"ip_address":"127.0.0.1"}}}}"#,
            endpoint.url()
        )
    );
    let again = stage.call("setWebhook", &order).await;
    assert_eq!(again.json()["description"], "Webhook is already set");
    let deleted = stage
        .call("deleteWebhook", "drop_pending_updates=true")
        .await;
    assert_eq!(deleted.json()["description"], "Webhook was deleted");
    assert_eq!(
        stage.call("getUpdates", "").await.result(),
        Value::Array(vec![])
    );
}

#[tokio::test]
async fn row_two_setwebhooks() {
    let config = SimulatorConfig {
        clock: Clock::manual(),
        webhook_verify: Duration::from_secs(10),
        ..SimulatorConfig::default()
    };
    let stage = Stage::with(config).await;
    let mut first = stage.client().await;
    first
        .send(call("setWebhook", "url=https://a.example"))
        .await;
    stage
        .control
        .wait_for_requests(
            &Filter {
                complete: true,
                ..Filter::method("setWebhook")
            },
            1,
            PATIENCE,
        )
        .await;
    let waits = |control: &Control| {
        let waiting = |one: &OpenConnection| one.state == ConnectionState::Waiting;
        control.connections().iter().any(waiting).then_some(())
    };
    stage
        .control
        .wait_for(waits, PATIENCE)
        .await
        .expect("it waits to be verified");
    assert_eq!(
        stage.call("getUpdates", "timeout=0").await.failure(),
        ACTIVE
    );
    assert_eq!(
        stage
            .call("setWebhook", "url=https://b.example")
            .await
            .failure(),
        "429 Too Many Requests: retry after 1"
    );
    stage.control.clock().advance(Duration::from_secs(3));
    let mut second = stage.client().await;
    second
        .send(call("setWebhook", "url=https://b.example"))
        .await;
    assert_eq!(
        first.answer().await.failure(),
        "409 Conflict: terminated by other setWebhook"
    );
    stage.control.clock().advance(Duration::from_secs(10));
    assert_eq!(
        second.answer().await.json()["description"],
        "Webhook was set"
    );
}

#[tokio::test]
async fn row_same_offset_again() {
    let stage = Stage::still().await;
    stage.call("getUpdates", "offset=1").await;
    let mut again = park(&stage, "offset=1&timeout=1").await;
    stage.control.clock().advance(Duration::from_secs(2));
    assert_eq!(stage.control.polls().len(), 1);
    stage.control.clock().advance(Duration::from_secs(1));
    assert_eq!(again.answer().await.result(), Value::Array(vec![]));

    for _ in 0..3 {
        stage.control.say(BOT, USER, "hi").unwrap();
    }
    let count = async |form: &str| ids(&stage.call("getUpdates", form).await.result()).len();
    assert_eq!(count("offset=0").await, 3);
    assert_eq!(count("offset=0").await, 1, "the same offset within 0.5 s");
    stage.control.clock().advance(Duration::from_millis(500));
    assert_eq!(count("offset=0").await, 3);
}

#[tokio::test]
async fn row_client_gone() {
    let stage = Stage::still().await;
    let client = park(&stage, "timeout=50").await;
    drop(client);
    let left = stage
        .control
        .wait_for_requests(
            &Filter {
                left: true,
                ..Filter::default()
            },
            1,
            PATIENCE,
        )
        .await;
    assert_eq!(left.len(), 1);
    // The poll is still there, and loses against the next one as if its client were.
    assert_eq!(stage.control.polls().len(), 1);
    let mut next = park(&stage, "timeout=50").await;
    assert_eq!(stage.control.polls().len(), 1);
    stage.control.clock().advance(Duration::from_secs(50));
    assert_eq!(next.answer().await.text(), r#"{"ok":true,"result":[]}"#);
}

#[tokio::test]
async fn row_reply_size_and_offsets() {
    let stage = Stage::start().await;
    stage.control.backlog(BOT, 12, 500_000).unwrap();
    let cut = stage.call("getUpdates", "").await;
    assert!(
        cut.body.len() < 4 << 20 && ids(&cut.result()).len() == 8,
        "{}",
        cut.body.len()
    );

    let stage = Stage::start().await;
    stage.control.backlog(BOT, 5, 0).unwrap();
    let all = ids(&stage.call("getUpdates", "").await.result());
    assert_eq!(all.len(), 5);
    assert!(all.windows(2).all(|pair| pair[1] == pair[0] + 1));
    let asked = async |form: String| ids(&stage.call("getUpdates", &form).await.result());
    assert_eq!(asked(format!("offset={}&limit=2", all[1])).await, all[1..3]);
    // Far from anything known: from the head of the queue, nothing confirmed.
    assert_eq!(asked(format!("offset={}", all[4] + 1_000)).await, all[1..]);
    assert_eq!(asked("offset=-2".to_owned()).await, all[3..]);
    assert_eq!(
        asked("offset=0".to_owned()).await,
        all[3..],
        "what was before a negative offset is confirmed"
    );
    assert_eq!(
        asked(format!("offset={}", all[4] + 1)).await,
        Vec::<i64>::new()
    );
}

#[tokio::test]
async fn a_backlog_of_100_updates_of_40_kb_is_one_answer() {
    let stage = Stage::start().await;
    stage.control.backlog(BOT, 100, 40_000).unwrap();
    let answer = stage.call("getUpdates", "limit=100").await;
    assert_eq!(ids(&answer.result()).len(), 100);
    assert!(
        (3_990_000..4_010_000).contains(&answer.body.len()),
        "{}",
        answer.body.len()
    );
}

#[tokio::test]
async fn allowed_updates_are_remembered() {
    let stage = Stage::start().await;
    stage
        .call(
            "getUpdates",
            "offset=1&allowed_updates=[\"callback_query\"]",
        )
        .await;
    assert!(!stage.control.say(BOT, USER, "not asked for").unwrap().told);
    let info = stage.call("getWebhookInfo", "").await.result();
    assert_eq!(
        info["allowed_updates"],
        serde_json::json!(["callback_query"])
    );
    // Anything but a list changes nothing; an empty list is the default.
    stage
        .call("getUpdates", "offset=2&allowed_updates=null")
        .await;
    assert!(!stage.control.say(BOT, USER, "not asked for").unwrap().told);
    stage
        .call("getUpdates", "offset=3&allowed_updates=[]")
        .await;
    assert!(stage.control.say(BOT, USER, "asked for").unwrap().told);
    assert!(
        !stage.control.inject(BOT, r#"{"chat_member":{}}"#).unwrap(),
        "only if asked for by name"
    );
    assert!(
        stage
            .control
            .inject(BOT, r#"{"update_id":1,"hologram":{}}"#)
            .unwrap(),
        "newer than any list"
    );
}

#[tokio::test]
async fn row_server_stopping() {
    let stage = Stage::still().await;
    let mut poll = park(&stage, "timeout=50").await;
    stage.control.reset();
    assert_eq!(
        poll.answer().await.failure(),
        "500 Internal Server Error: restart"
    );
}

#[tokio::test]
async fn row_close_and_logout() {
    let stage = Stage::still().await;
    assert_eq!(
        stage.call("close", "").await.failure(),
        "429 Too Many Requests: retry after 600"
    );
    stage.control.clock().advance(Duration::from_secs(601));
    assert_eq!(stage.call("close", "").await.result(), Value::Bool(true));
    assert_eq!(stage.call("close", "").await.status, 429);
    let mut poll = park(&stage, "timeout=50").await;
    assert_eq!(stage.call("logOut", "").await.result(), Value::Bool(true));
    assert_eq!(poll.answer().await.failure(), "400 Logged out");
    assert_eq!(stage.call("getMe", "").await.failure(), "400 Logged out");
}

#[tokio::test]
async fn updates_expire() {
    let stage = Stage::still().await;
    stage
        .control
        .act(&gramtap_simulator::Act::InlineQuery {
            bot: BOT,
            user: USER,
            query: "q".to_owned(),
            offset: String::new(),
        })
        .unwrap();
    stage.control.say(BOT, USER, "stays a day").unwrap();
    stage.control.clock().advance(Duration::from_secs(30));
    let left = stage.call("getUpdates", "").await.result();
    assert_eq!(
        (left.as_array().unwrap().len(), &left[0]["message"]["text"]),
        (1, &"stays a day".into())
    );
    stage.control.clock().advance(Duration::from_secs(86_400));
    assert_eq!(
        stage.call("getUpdates", "").await.result(),
        Value::Array(vec![])
    );
}
