//! The control API over HTTP.
//!
//! In: orders as anyone would send them with curl. Out: what they change, and refusals that say why.

use gramtap_simulator::{Simulator, SimulatorConfig};

use crate::wire::{BOT, Client, Stage, get, post};

#[tokio::test]
async fn the_control_api_may_have_its_own_address() {
    let config = SimulatorConfig {
        control_listen: Some(([127, 0, 0, 1], 0).into()),
        tls_listen: None,
        ..SimulatorConfig::default()
    };
    let stage = Stage::with(config).await;
    let address = stage.simulator.control_addr().unwrap();
    assert_eq!(
        stage.simulator.control_url(),
        format!("http://{address}/simulator")
    );
    let mut control = Client::connect(address).await;
    assert!(
        control
            .ask(get("/simulator/"))
            .await
            .text()
            .starts_with("The simulator's control API.")
    );
    assert!(
        control
            .ask(get("/simulator/ca.pem"))
            .await
            .text()
            .starts_with("-----BEGIN CERTIFICATE-----")
    );
    // There is no control API where bots are served, and no bots where it is.
    assert_eq!(
        stage.client().await.ask(get("/simulator/")).await.failure(),
        "404 Not Found"
    );
    let lost = control.ask(get("/bot123:abc/getMe")).await;
    assert_eq!(lost.failure(), "404 Not Found");
    let nothing = SimulatorConfig {
        listen: None,
        tls_listen: None,
        ..SimulatorConfig::default()
    };
    assert!(Simulator::start(nothing).await.is_err());
}

#[tokio::test]
async fn orders_over_http() {
    let stage = Stage::still().await;
    let mut control = stage.client().await;
    let order =
        |path: &str, body: &str| post(&format!("/simulator/{path}"), "application/json", body);
    for (path, body, expected) in [
        (
            "chats",
            r#"{"id":-1001,"type":"supergroup","title":"T"}"#,
            r#"{"ok":true}"#,
        ),
        (
            "standing",
            r#"{"bot":123,"chat":-1001,"standing":"left"}"#,
            r#"{"ok":true}"#,
        ),
        (
            "say",
            r#"{"bot":123,"user":7,"text":"hi"}"#,
            r#"{"told":true,"message_id":1}"#,
        ),
        (
            "edit",
            r#"{"bot":123,"user":7,"message_id":1,"text":"ho"}"#,
            r#"{"told":true,"message_id":1}"#,
        ),
        ("block", r#"{"bot":123,"user":7}"#, r#"{"told":true}"#),
        ("unblock", r#"{"bot":123,"user":7}"#, r#"{"told":true}"#),
        (
            "inline_query",
            r#"{"bot":123,"user":7,"query":"q"}"#,
            r#"{"told":true,"query_id":"30064771073"}"#,
        ),
        (
            "set_bot",
            r#"{"bot":123,"user":7,"chat":-1001,"standing":"administrator"}"#,
            r#"{"told":true}"#,
        ),
        (
            "join",
            r#"{"bot":123,"user":7,"chat":-1001}"#,
            r#"{"told":true,"message_id":1}"#,
        ),
        (
            "sample",
            r#"{"bot":123,"user":7,"kind":"chat_boost"}"#,
            r#"{"told":true}"#,
        ),
        (
            "updates",
            r#"{"bot":123,"update":{"message": {"x" :1}}}"#,
            r#"{"told":true}"#,
        ),
        (
            "backlog",
            r#"{"bot":123,"count":3,"size":0}"#,
            r#"{"ok":true}"#,
        ),
        ("clock", r#"{"advance_ms":60000}"#, r#"{"ok":true}"#),
        ("connections", r#"{"close_after":null}"#, r#"{"ok":true}"#),
    ] {
        assert_eq!(
            control.ask(order(path, body)).await.text(),
            expected,
            "{path}"
        );
    }
    let bots = control.ask(get("/simulator/bots")).await.json();
    assert_eq!(
        (&bots[0]["id"], &bots[0]["pending_updates"]),
        (&BOT.into(), &11.into()),
        "the inline query has expired"
    );
    let messages = control
        .ask(get("/simulator/messages?bot=123&chat=7"))
        .await
        .json();
    assert_eq!(messages[0]["text"], "ho");
    let file = control
        .ask(order("files", r#"{"name":"a.txt","text":"content"}"#))
        .await
        .json();
    let path = file["file_path"].as_str().unwrap();
    assert_eq!(
        control
            .ask(get(&format!("/file/bot123:abc/{path}")))
            .await
            .text(),
        "content"
    );
    let raw = control.ask(get("/simulator/requests/1/raw")).await.text();
    assert_eq!(raw, get(&format!("/file/bot123:abc/{path}")));
    assert_eq!(
        control.ask(get("/simulator/connections")).await.json()[0]["state"],
        "waiting"
    );
    assert_eq!(
        control.ask(order("reset", "")).await.text(),
        r#"{"ok":true}"#
    );
    assert_eq!(control.ask(get("/simulator/bots")).await.text(), "[]");
    for (path, body) in [
        ("bots", r#"{"token":"nonsense"}"#),
        ("sample", r#"{"bot":123}"#),
        ("users", "{"),
    ] {
        assert_eq!(
            control.ask(order(path, body)).await.status,
            400,
            "{path} {body}"
        );
    }
}
