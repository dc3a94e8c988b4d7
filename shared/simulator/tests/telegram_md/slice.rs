//! The thinnest way through: getMe, sendMessage, a long poll, and what the control API shows of it.
//!
//! In: one bot and one user. Out: answers, updates, requests as they arrived.

use gramtap_simulator::Filter;

use crate::wire::{BOT, PATIENCE, Stage, TOKEN, USER, call, get};

#[tokio::test]
async fn a_call_is_answered_and_shown_as_it_arrived() {
    let stage = Stage::start().await;
    let mut client = stage.client().await;
    let request = format!(
        "POST /bot{TOKEN}/sendMessage HTTP/1.1\r\nhOsT: x\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n\
         1F;x=y\r\n{{\"chat_id\":7,\"text\":\"\\u0416 hi\"\r\n1\r\n}}\r\n0\r\n\r\n"
    );
    let answer = client.ask(&request).await;
    let result = answer.result();
    assert_eq!(
        (
            &result["text"],
            &result["chat"]["id"],
            &result["from"]["is_bot"]
        ),
        (&"Ж hi".into(), &USER.into(), &true.into())
    );

    let me = client.ask(get(&format!("/bot{TOKEN}/getMe"))).await;
    assert_eq!(me.result()["username"], "bot123_bot");

    let seen = stage.control.requests(&Filter::method("sendMessage"));
    assert_eq!(seen.len(), 1);
    assert_eq!(
        [&seen[0].head[..], &seen[0].body].concat(),
        request.as_bytes()
    );
    assert_eq!(
        (seen[0].bot, seen[0].status, seen[0].complete),
        (Some(BOT), Some(200), true)
    );
    assert_eq!(seen[0].headers[0], ("hOsT".to_owned(), "x".to_owned()));
}

#[tokio::test]
async fn a_poll_waits_for_what_a_user_says() {
    let stage = Stage::start().await;
    let mut client = stage.client().await;
    client.send(call("getUpdates", "timeout=50")).await;
    let parked = stage
        .control
        .wait_for_requests(
            &Filter {
                complete: true,
                ..Filter::method("getUpdates")
            },
            1,
            PATIENCE,
        )
        .await;
    assert_eq!(parked.len(), 1);
    stage.control.say(BOT, USER, "/start promo").unwrap();
    let updates = client.answer().await.result();
    assert_eq!(updates[0]["message"]["text"], "/start promo");
    assert_eq!(updates[0]["message"]["entities"][0]["length"], 6);
    let next = updates[0]["update_id"].as_i64().unwrap() + 1;
    let confirmed = client
        .ask(call("getUpdates", &format!("offset={next}")))
        .await;
    assert_eq!(confirmed.text(), r#"{"ok":true,"result":[]}"#);
    stage.simulator.shutdown().await;
}

#[tokio::test]
async fn the_control_api_speaks_http() {
    let stage = Stage::start().await;
    let mut client = stage.client().await;
    let order = |path: &str, body: &str| {
        crate::wire::post(&format!("/simulator/{path}"), "application/json", body)
    };
    client.ask(order("bots", r#"{"token":"9:x"}"#)).await;
    client
        .ask(order("users", r#"{"id":8,"first_name":"Bob"}"#))
        .await;
    let said = client
        .ask(order("say", r#"{"bot":9,"user":8,"text":"hi"}"#))
        .await
        .json();
    assert_eq!(said["told"], true);
    let updates = client.ask(get("/bot9:x/getUpdates")).await.result();
    assert_eq!(updates[0]["message"]["from"]["first_name"], "Bob");
    let shown = client
        .ask(get(
            "/simulator/requests?bot=9&bytes=true&count=1&wait_ms=1000",
        ))
        .await
        .json();
    assert_eq!(shown[0]["target"], "/bot9:x/getUpdates");
    assert!(
        shown[0]["head_base64"]
            .as_str()
            .unwrap()
            .starts_with("R0VUIC9ib3Q5Ong")
    );
    let unknown = client
        .ask(order("say", r#"{"bot":10,"user":8,"text":"hi"}"#))
        .await;
    assert_eq!(
        (unknown.status, unknown.text().as_str()),
        (404, r#"{"error":"there is no bot 10"}"#)
    );
    assert_eq!(client.ask(order("dance", "{}")).await.status, 400);
}
