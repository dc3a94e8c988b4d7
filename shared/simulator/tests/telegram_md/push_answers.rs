//! §2.4, webhook delivery, row "reply"; §1.4, what libraries answer with: methods in answers.
//!
//! In: answers in every shape that libraries were seen to send. Out: what appears in the chat, and
//! what is noted of the delivery.

use std::io::Write as _;

use gramtap_simulator::{Act, Delivery, DeliveryFilter};

use crate::endpoint::OK;
use crate::pushes::{ended, working};
use crate::wire::{BOT, Stage, USER, get};

/// Texts of the messages in the private chat.
fn texts(stage: &Stage) -> Vec<String> {
    let messages = stage.control.messages(BOT, USER);
    let text = |one: &String| {
        let message: serde_json::Value = serde_json::from_str(one).unwrap();
        message["text"]
            .as_str()
            .or(message["caption"].as_str())
            .unwrap_or_default()
            .to_owned()
    };
    messages.iter().map(text).collect()
}

fn last(stage: &Stage) -> Delivery {
    stage
        .control
        .deliveries(&DeliveryFilter::ended())
        .pop()
        .unwrap()
}

fn answer(kind: &str, more: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{more}Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

const JSON: &str = r#"{"method":"sendMessage","chat_id":7,"text":"in the answer"}"#;
const PARTS: &str = "--B\r\nContent-Disposition: form-data; name=\"method\"\r\n\r\nsendDocument\r\n\
    --B\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n7\r\n\
    --B\r\nContent-Disposition: form-data; name=\"caption\"\r\n\r\nin the answer\r\n\
    --B\r\nContent-Disposition: form-data; name=\"document\"\r\n\r\nattach://f\r\n\
    --B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.txt\"\r\n\r\n12345\r\n--B--\r\n";

fn gzipped(text: &str) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(text.as_bytes()).unwrap();
    gzip.finish().unwrap()
}

#[tokio::test]
async fn a_method_in_an_answer_is_performed() {
    let form = "method=SENDMESSAGE&chat_id=7&text=in+the+answer";
    let chunked = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n\
         5\r\n{}\r\n{:x}\r\n{}\r\n0\r\n\r\n",
        &JSON[..5],
        JSON.len() - 5,
        &JSON[5..]
    );
    let zipped = answer(
        "application/json",
        "Content-Encoding: gzip\r\n",
        &gzipped(JSON),
    );
    let shapes = [
        answer("application/json", "", JSON.as_bytes()),
        answer("application/x-www-form-urlencoded", "", form.as_bytes()),
        answer("multipart/form-data; boundary=B", "", PARTS.as_bytes()),
        chunked.into_bytes(),
        zipped,
    ];
    for bytes in shapes {
        let (stage, _endpoint, mut line) = working("").await;
        stage.control.say(BOT, USER, "ask").unwrap();
        line.push().await;
        line.answer(&bytes).await;
        ended(&stage, 2).await;
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        assert_eq!(texts(&stage), ["first", "ask", "in the answer"], "{shown}");
        let noted = last(&stage);
        assert_eq!([&noted.head[..], &noted.body].concat(), bytes, "{shown}");
        let performed = noted.performed.unwrap();
        assert!(
            performed.ok && performed.answer.starts_with("{\"ok\":true,"),
            "{shown}"
        );
        let chat = ("chat_id".to_owned(), "7".to_owned());
        assert!(performed.arguments.contains(&chat), "{shown}");
        match performed.method.as_str() {
            "senddocument" => assert_eq!((performed.files.len(), performed.files[0].size), (1, 5)),
            other => assert_eq!((other, performed.files.len()), ("sendmessage", 0)),
        }
    }
}

#[tokio::test]
async fn a_button_is_answered_in_the_answer() {
    let (stage, _endpoint, mut line) = working("").await;
    let (bot, user) = (BOT, USER);
    let press = Act::Press {
        bot,
        user,
        chat: None,
        message_id: 1,
        data: "b".to_owned(),
    };
    let id = stage.control.act(&press).unwrap().query_id.unwrap();
    assert_eq!(
        line.push().await.update()["callback_query"]["id"],
        id.as_str()
    );
    let body = format!(r#"{{"method":"answerCallbackQuery","callback_query_id":"{id}"}}"#);
    line.answer(answer("application/json", "", body.as_bytes()))
        .await;
    ended(&stage, 2).await;
    let performed = last(&stage).performed.unwrap();
    assert_eq!(
        (performed.ok, performed.answer.as_str()),
        (true, r#"{"ok":true,"result":true}"#)
    );
}

#[tokio::test]
async fn a_method_that_fails_fails_in_silence() {
    let (stage, _endpoint, mut line) = working("").await;
    stage.control.say(BOT, USER, "ask").unwrap();
    line.push().await;
    let body = br#"{"method":"sendMessage","chat_id":5,"text":"x"}"#;
    line.answer(answer("application/json", "", body)).await;
    ended(&stage, 2).await;
    let noted = last(&stage);
    assert_eq!(
        (noted.status, noted.error),
        (Some(200), None),
        "the update was taken"
    );
    let performed = noted.performed.unwrap();
    assert_eq!(
        performed.answer,
        r#"{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}"#
    );
    assert!(!performed.ok);
}

#[tokio::test]
async fn what_is_not_performed() {
    let bodiless = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n{JSON}"
    );
    let refused = format!(
        "HTTP/1.1 201 x\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{JSON}",
        JSON.len()
    );
    let mut answers: Vec<Vec<u8>> = [
        "getMe",
        "getUpdates",
        "setWebhook",
        "DeleteWebhook",
        "close",
        "logOut",
        "",
    ]
    .iter()
    .map(|name| {
        answer(
            "application/json",
            "",
            format!(r#"{{"method":"{name}","url":""}}"#).as_bytes(),
        )
    })
    .collect();
    answers.extend([bodiless.into_bytes(), refused.into_bytes()]);
    answers.push(answer(
        "application/json",
        "",
        br#"{"chat_id":7,"text":"x"}"#,
    ));
    answers.push(OK.into());
    for bytes in answers {
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        let (stage, _endpoint, mut line) = working("").await;
        stage.control.say(BOT, USER, "ask").unwrap();
        line.push().await;
        line.answer(&bytes).await;
        ended(&stage, 2).await;
        assert_eq!(last(&stage).performed, None, "{shown}");
        assert_eq!(texts(&stage), ["first", "ask"], "{shown}");
        assert!(stage.control.webhook(BOT).unwrap().set, "{shown}");
    }
    let (stage, _endpoint, mut line) = working("").await;
    stage.control.say(BOT, USER, "ask").unwrap();
    line.push().await;
    line.answer(format!(
        "HTTP/1.1 500 x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{JSON}",
        JSON.len()
    ))
    .await;
    line.push().await;
    assert_eq!(texts(&stage), ["first", "ask"], "only a success speaks");
}

#[tokio::test]
async fn the_control_api_shows_pushes() {
    let (stage, _endpoint, mut line) = working("").await;
    stage.control.say(BOT, USER, "ask").unwrap();
    line.push().await;
    line.answer(answer("application/json", "", JSON.as_bytes()))
        .await;
    let mut client = stage.client().await;
    let shown = client
        .ask(get(
            "/simulator/deliveries?bot=123&ended=true&count=2&wait_ms=30000&bytes=true",
        ))
        .await
        .json();
    assert_eq!(shown.as_array().map(Vec::len), Some(2));
    assert_eq!(
        (
            &shown[1]["queue"],
            &shown[1]["status"],
            &shown[1]["attempt"],
            &shown[1]["connection"]
        ),
        (&"chat:7".into(), &200.into(), &1.into(), &1.into())
    );
    assert_eq!(shown[1]["performed"]["method"], "sendmessage");
    assert!(
        shown[1]["request_base64"]
            .as_str()
            .unwrap()
            .starts_with("UE9TVCAvaG9vayBIVFRQ")
    );
    let state = client.ask(get("/simulator/webhooks/123")).await.json();
    assert_eq!(
        (&state["set"], &state["connections"], &state["queues"]),
        (&true.into(), &1.into(), &serde_json::json!([]))
    );
    let unknown = client.ask(get("/simulator/webhooks/99")).await;
    assert_eq!(unknown.status, 404);
    let listed = client
        .ask(get("/simulator/deliveries?after=1&taken=true"))
        .await
        .json();
    assert_eq!(
        (listed.as_array().map(Vec::len), &listed[0]["id"]),
        (Some(1), &2.into())
    );
    assert!(listed[0].get("request_base64").is_none());
}
