//! §2.4, webhook delivery: what is pushed, and what becomes of it when the webhook changes.
//!
//! In: setWebhook, deleteWebhook, resets, between and during pushes. Out: which updates arrive
//! where, and what is left to getUpdates.

use std::time::Duration;

use gramtap_simulator::{
    Act, Clock, ConnectionState, Control, DeliveryFilter, Environment, OpenConnection,
    SimulatorConfig, User,
};

use crate::endpoint::{Endpoint, Line, OK};
use crate::pushes::{ended, info, set, working};
use crate::wire::{BOT, PATIENCE, Stage, TOKEN, USER, call};

#[tokio::test]
async fn every_kind_of_update_is_pushed_if_it_is_asked_for() {
    let stage = Stage::still().await;
    let endpoint = Endpoint::start().await;
    let kinds = gramtap_telegram::update::KNOWN;
    let list = serde_json::to_string(kinds).unwrap();
    set(
        &stage,
        &endpoint,
        &format!("&max_connections=1&allowed_updates={list}"),
    )
    .await;
    let mut line = None;
    for kind in kinds {
        let (bot, user) = (BOT, USER);
        let act = Act::Sample {
            bot,
            user,
            kind: (*kind).to_owned(),
        };
        assert!(stage.control.act(&act).unwrap().told, "{kind}");
        // A sample may bring another update along; its own is the last.
        loop {
            let line = match &mut line {
                Some(line) => line,
                none => none.insert(endpoint.line().await),
            };
            let push = line.push().await;
            line.answer(OK).await;
            if push.update().get(kind).is_some() {
                break;
            }
        }
    }
    stage.control.say(BOT, USER, "and one").unwrap();
    assert_eq!(line.unwrap().push().await.text(), "and one");
}

#[tokio::test]
async fn updates_not_asked_for_are_not_pushed() {
    let (stage, _endpoint, mut line) = working("&allowed_updates=[\"message\"]").await;
    let (bot, user) = (BOT, USER);
    let query = Act::InlineQuery {
        bot,
        user,
        query: String::new(),
        offset: String::new(),
    };
    assert!(!stage.control.act(&query).unwrap().told);
    stage.control.say(BOT, USER, "asked for").unwrap();
    assert_eq!(line.push().await.text(), "asked for");
}

#[tokio::test]
async fn a_deleted_webhook_leaves_what_waits_to_getupdates() {
    let (stage, _endpoint, mut line) = working("").await;
    for text in ["in flight", "behind"] {
        stage.control.say(BOT, USER, text).unwrap();
    }
    assert_eq!(line.push().await.text(), "in flight");
    stage.call("deleteWebhook", "").await.result();
    assert!(line.closed().await);
    let updates = stage.call("getUpdates", "").await.result();
    let texts: Vec<_> = updates
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["message"]["text"])
        .collect();
    assert_eq!(texts, ["in flight", "behind"]);
    let state = ended(&stage, 2).await;
    assert_eq!(
        (state.set, state.connections, state.queues.len()),
        (false, 0, 0)
    );
    let broken = stage.control.deliveries(&DeliveryFilter::ended()).remove(1);
    assert!(broken.error.unwrap().starts_with("broken off") && broken.status.is_none());
}

#[tokio::test]
async fn a_new_webhook_gets_what_waits_unless_it_is_dropped() {
    let (stage, _endpoint, mut line) = working("").await;
    stage.control.say(BOT, USER, "moves").unwrap();
    line.push().await;
    stage.control.clock().advance(Duration::from_secs(1));
    let second = Endpoint::start().await;
    set(&stage, &second, "").await;
    assert!(line.closed().await);
    let mut line = second.line().await;
    assert_eq!(line.push().await.text(), "moves");
    stage.control.clock().advance(Duration::from_secs(1));
    let third = Endpoint::start().await;
    set(&stage, &third, "&drop_pending_updates=true").await;
    assert_eq!(info(&stage).await["pending_update_count"], 0);
    stage.control.say(BOT, USER, "new").unwrap();
    assert_eq!(third.line().await.push().await.text(), "new");
}

#[tokio::test]
async fn a_reset_or_a_removed_bot_ends_its_pushes() {
    let (stage, _endpoint, mut line) = working("").await;
    stage.control.say(BOT, USER, "in flight").unwrap();
    line.push().await;
    stage.control.reset();
    assert!(line.closed().await);
    assert!(
        stage
            .control
            .deliveries(&DeliveryFilter::default())
            .is_empty()
    );

    let (stage, _endpoint, mut line) = working("").await;
    stage.control.remove_bot(BOT).unwrap();
    assert!(line.closed().await);
}

#[tokio::test]
async fn the_test_environment_pushes_on_its_own() {
    let stage = Stage::still().await;
    let test = stage.control.environment(Environment::Test);
    test.add_bot_token(TOKEN).unwrap();
    test.add_user(User::new(USER, "Ann"));
    let endpoint = Endpoint::start().await;
    let order = call("test/setWebhook", &format!("url={}", endpoint.url()));
    stage.client().await.ask(order).await.result();
    stage.control.say(BOT, USER, "elsewhere").unwrap();
    test.say(BOT, USER, "here").unwrap();
    let mut line = endpoint.line().await;
    assert_eq!(line.push().await.text(), "here");
    let body = r#"{"method":"sendMessage","chat_id":7,"text":"there"}"#;
    line.answer(format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ))
    .await;
    let seen = test
        .wait_for_deliveries(&DeliveryFilter::ended(), 1, PATIENCE)
        .await;
    assert_eq!((seen.len(), seen[0].environment), (1, Environment::Test));
    assert_eq!(
        (
            test.messages(BOT, USER).len(),
            stage.control.messages(BOT, USER).len()
        ),
        (2, 1)
    );
    assert!(
        stage
            .control
            .deliveries(&DeliveryFilter::default())
            .is_empty()
    );
}

#[tokio::test]
async fn a_webhook_that_is_being_replaced_gets_nothing_more() {
    let stage = Stage::with(SimulatorConfig {
        clock: Clock::manual(),
        webhook_verify: Duration::from_secs(10),
        ..SimulatorConfig::default()
    })
    .await;
    let (old, new) = (Endpoint::start().await, Endpoint::start().await);
    let waits = |control: &Control| {
        let waiting = |one: &OpenConnection| one.state == ConnectionState::Waiting;
        control.connections().iter().any(waiting).then_some(())
    };
    let mut line = None;
    for endpoint in [&old, &new] {
        let mut client = stage.client().await;
        let order = call("setWebhook", &format!("url={}", endpoint.url()));
        client.send(order).await;
        let seen = stage.control.wait_for(waits, PATIENCE).await;
        seen.expect("it waits to be verified");
        if let Some(mut line) = line.take() {
            assert!(Line::closed(&mut line).await, "the old one is left at once");
        } else {
            stage.control.say(BOT, USER, "hi").unwrap();
        }
        stage.control.clock().advance(Duration::from_secs(10));
        client.answer().await.result();
        let mut first = endpoint.line().await;
        assert_eq!(first.push().await.text(), "hi");
        line = Some(first);
    }
}
