//! Scripted faults, on the wire.
//!
//! §1.3 (what clients are answered) and §2.2.

use std::time::Duration;

use gramtap_simulator::{ConnectionState, Control, Fault, OpenConnection};

use crate::wire::{BOT, Client, PATIENCE, Stage, TOKEN, USER, call, get, post};

fn me() -> String {
    get(&format!("/bot{TOKEN}/getMe"))
}

#[tokio::test]
async fn answers_by_status() {
    let stage = Stage::start().await;
    let table: [(Fault, u16, Option<&str>, &str); 8] = [
        (
            Fault::unauthorized(),
            401,
            Some("application/json"),
            r#"{"ok":false,"error_code":401,"description":"Unauthorized"}"#,
        ),
        (
            Fault::forbidden("bot was blocked by the user"),
            403,
            Some("application/json"),
            r#"{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}"#,
        ),
        (
            Fault::flood(9),
            429,
            Some("application/json"),
            r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 9","parameters":{"retry_after":9}}"#,
        ),
        (
            Fault::status(500),
            500,
            Some("application/json"),
            r#"{"ok":false,"error_code":500,"description":"Internal Server Error"}"#,
        ),
        (
            Fault::status(418).method("getMe"),
            418,
            Some("application/json"),
            r#"{"ok":false,"error_code":418,"description":"Unknown"}"#,
        ),
        (Fault::empty(504), 504, None, ""),
        (
            Fault {
                content_type: Some(String::new()),
                ..Fault::default()
            },
            200,
            None,
            "\"username\":\"bot123_bot\"",
        ),
        (
            Fault {
                reason: Some("Custom Reason".to_owned()),
                ..Fault::default()
            },
            200,
            Some("application/json"),
            "\"ok\":true",
        ),
    ];
    let mut client = stage.client().await;
    for (fault, status, content_type, text) in table {
        let shown = format!("{fault:?}");
        let reason = fault.reason.clone();
        stage.control.fault(fault.times(1));
        let answer = client.ask(me()).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (status, content_type),
            "{shown}"
        );
        assert!(
            answer.text().contains(text) && (!text.is_empty() || answer.body.is_empty()),
            "{shown} {}",
            answer.text()
        );
        assert_eq!(
            answer.header("retry-after"),
            (status == 429).then_some("9"),
            "{shown}"
        );
        if let Some(reason) = reason {
            assert!(
                answer
                    .head
                    .starts_with(&format!("HTTP/1.1 200 {reason}\r\n")),
                "{}",
                answer.head
            );
        }
        // Played once; the next call on the same connection is answered truly.
        assert_eq!(client.ask(me()).await.result()["id"], BOT);
    }
    assert!(stage.control.faults().iter().all(|armed| armed.played == 1));
    stage.control.clear_faults();
    stage.control.fault(Fault::nginx(502));
    let page = client.ask(me()).await;
    assert_eq!(
        (page.status, page.header("content-type")),
        (502, Some("text/html"))
    );
    assert!(
        page.text()
            .contains("<center><h1>502 Bad Gateway</h1></center>"),
        "{}",
        page.text()
    );
}

#[tokio::test]
async fn a_fault_is_for_its_bot_and_method_alone() {
    let stage = Stage::start().await;
    stage.control.add_bot_token("124:x").unwrap();
    stage
        .control
        .fault(Fault::status(500).bot(BOT).method("SENDMESSAGE"));
    let mut client = stage.client().await;
    assert_eq!(
        client
            .ask(call("sendMessage", "chat_id=7&text=a"))
            .await
            .status,
        500
    );
    assert_eq!(client.ask(me()).await.status, 200);
    let other = post(
        "/bot124:x/sendMessage",
        "application/json",
        r#"{"chat_id":7,"text":"a"}"#,
    );
    assert_eq!(client.ask(other).await.status, 200);
    // A scripted answer carries nothing out, unless it is told to.
    assert_eq!(stage.control.messages(BOT, USER).len(), 0);
    stage.control.clear_faults();
    stage.control.fault(Fault {
        perform: true,
        ..Fault::status(502)
    });
    assert_eq!(
        client
            .ask(call("sendMessage", "chat_id=7&text=a"))
            .await
            .status,
        502
    );
    assert_eq!(stage.control.messages(BOT, USER).len(), 1);
}

#[tokio::test]
async fn presets_over_http() {
    let stage = Stage::start().await;
    let mut control = stage.client().await;
    let order = |body: &str| post("/simulator/faults", "application/json", body);
    let armed = control
        .ask(order(
            r#"{"preset":"flood","seconds":5,"method":"getMe","times":1}"#,
        ))
        .await;
    assert_eq!(armed.json()["id"], 1);
    let mut client = Client::connect(stage.simulator.http_addr().unwrap()).await;
    assert_eq!(
        client.ask(me()).await.failure(),
        "429 Too Many Requests: retry after 5"
    );
    assert_eq!(
        control.ask(get("/simulator/faults")).await.json()[0]["played"],
        1
    );
    assert_eq!(
        control.ask(order(r#"{"preset":"nonsense"}"#)).await.status,
        400
    );
    assert_eq!(
        control
            .ask(order(r#"{"status":500,"typo":1}"#))
            .await
            .status,
        400
    );
    assert_eq!(
        control
            .ask("DELETE /simulator/faults/1 HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .status,
        200
    );
    assert_eq!(
        control
            .ask("DELETE /simulator/faults/1 HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .status,
        404
    );
    // Ending all connections spares the one that the order came on.
    assert_eq!(
        control
            .ask("DELETE /simulator/connections HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .json()["closed"],
        1
    );
    assert!(client.closed().await);
}

/// §2.1 the token filter, §2.2 floods and a stopping server: what rules do not make, faults do.
#[tokio::test]
async fn rows_that_are_played_as_faults() {
    let stage = Stage::still().await;
    let mut control = stage.client().await;
    let order = |body: &str| post("/simulator/faults", "application/json", body);
    control
        .ask(order(r#"{"preset":"misdirected","times":1}"#))
        .await;
    control
        .ask(order(r#"{"preset":"flood","seconds":5,"times":1}"#))
        .await;
    control
        .ask(order(
            r#"{"preset":"flood","seconds":60,"delay_ms":3000,"times":1}"#,
        ))
        .await;
    let mut client = stage.client().await;
    assert_eq!(
        client.ask(me()).await.failure(),
        "421 Misdirected Request: unallowed token specified"
    );
    assert_eq!(
        client.ask(me()).await.failure(),
        "429 Too Many Requests: retry after 5"
    );
    client.send(me()).await;
    let held = |control: &Control| {
        let waiting = |one: &OpenConnection| one.state == ConnectionState::Waiting;
        control.connections().iter().any(waiting).then_some(())
    };
    stage
        .control
        .wait_for(held, PATIENCE)
        .await
        .expect("it is held");
    stage.control.clock().advance(Duration::from_millis(3_000));
    assert_eq!(
        client.answer().await.failure(),
        "429 Too Many Requests: retry after 60"
    );
}
