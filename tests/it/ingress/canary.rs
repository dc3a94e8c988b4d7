//! A token is in nothing that ingress writes.
//!
//! In: tokens at every place where bots, Telegram and strangers put them, a log that says all it can.
//! Out: pass or fail: the bytes of every file, the log, the metrics, the traces, and of
//! `canary/servers.rs` every record, row and value of the servers. `privacy.rs`: what the privacy
//! modes keep out; `planted.rs`: what looks for tokens finds one that was put there for it.
//! Invariant: the bot and Telegram get every byte of theirs all the same.

mod planted;
mod privacy;
mod servers;

use gramtap_events::tenant::Privacy;
use gramtap_simulator::Fault;
use gramtap_telegram::{BotId, Token};
use gramtap_tenants::NewTenant;
use gramtap_tests::{CANARY, Collector, Ingress, Installation, Stores, canaries_in_bytes};

use super::*;

const STRANGERS_TOKEN: &str = "7000000789:AAcanary-of-a-strangers-token_0003";
const MALFORMED_TOKEN: &str = "70000x:AAcanary-of-a-malformed-token_0004";

/// Requests with the token at every place.
fn requests(token: &str) -> Vec<String> {
    let escaped = token.replace(':', "%3A");
    let in_json = token.replace(':', "\\u003a");
    let url = format!("https://api.telegram.org/file/bot{token}/photos/file_1.jpg");
    let head = |line: &str| format!("GET /bot{token}/getMe HTTP/1.1\r\nHost: x\r\n{line}\r\n\r\n");
    let json =
        |method: &str, body: &str| post(&format!("/bot{token}/{method}"), "application/json", body);
    let part = |head: &str, value: &str| {
        format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}\r\n")
    };
    let parts = [
        part("name=\"chat_id\"", "7"),
        part("name=\"caption\"", token),
        part(&format!("name=\"{token}\""), token),
        part(
            &format!("name=\"document\"; filename=\"{token}.txt\""),
            token,
        ),
    ];
    vec![
        get(&format!("/bot{token}/getMe")),
        get(&format!("/bot{escaped}/getMe")),
        get(&format!("/bot{token}/getMe?again={token}&{token}=x")),
        get(&format!("/file/bot{token}/nothing.txt")),
        get(&format!("/file/bot{token}/{token}")),
        get(&format!("/bot{token}/test/getMe")),
        form(token, "sendMessage", &format!("chat_id=7&text={token}")),
        form(
            token,
            "sendPhoto",
            &format!("chat_id=7&photo={url}&caption=see+{url}"),
        ),
        form(token, "setWebhook", &format!("url=https://x.test/{token}")),
        form(token, "getWebhookInfo", ""),
        form(token, token, ""),
        form(token, "", &format!("method={token}")),
        json(
            "sendMessage",
            &format!(r#"{{"chat_id":7,"text":"{in_json}","{in_json}":"{in_json}"}}"#),
        ),
        json(
            "sendMessage",
            &format!(
                r#"{{"chat_id":7,"text":"x","reply_markup":{{"inline_keyboard":[[{{"text":"{token}","callback_data":"{token}"}}]]}}}}"#
            ),
        ),
        json("sendMessage", &format!(r#"{{"chat_id":7,"text":"{token}"#)),
        post(
            &format!("/bot{token}/sendDocument"),
            "multipart/form-data; boundary=b",
            &format!("{}--b--\r\n", parts.concat()),
        ),
        get(&format!("/bot{STRANGERS_TOKEN}/getMe")),
        get(&format!("/bot{MALFORMED_TOKEN}/getMe")),
        get(&format!("/c/{}/bot{token}/getMe", "a".repeat(26))),
        get(&format!("/c/{token}/bot{token}/getMe")),
        format!("GET /bot{token}/getMe HTTP/1.1\r\nHost: {token}\r\n\r\n"),
        head(&format!("User-Agent: {token}")),
        head(&format!("X-Forwarded-For: {token}\r\nReferer: {url}")),
        head(&format!("no header {token}")),
        format!("{token} / HTTP/1.1\r\nHost: x\r\n\r\n"),
    ]
}

/// Answers of Telegram, by the method that gets them.
fn answers(token: &str) -> [(&'static str, Fault); 6] {
    let body = |body: String| Fault {
        body: Some(body),
        ..Fault::default()
    };
    let failed = format!(
        r#"{{"ok":false,"error_code":400,"description":"Bad Request: wrong URL https://api.telegram.org/bot{token}/x"}}"#
    );
    [
        (
            "getMyName",
            body(format!(r#"{{"ok":true,"result":{{"name":"{token}"}}}}"#)),
        ),
        (
            "getManagedBotToken",
            body(format!(r#"{{"ok":true,"result":"{token}"}}"#)),
        ),
        (
            "getMyDescription",
            Fault {
                status: Some(400),
                ..body(failed)
            },
        ),
        (
            "getMyCommands",
            Fault {
                content_type: Some("text/html".to_owned()),
                ..body(format!("<a href=/bot{token}/getMe>gone</a>"))
            },
        ),
        (
            "getStickerSet",
            body(format!(r#"{{"ok":true,"result":{{"name":"{token}"#)),
        ),
        (
            "getForumTopicIconStickers",
            Fault {
                status: Some(302),
                reason: Some(format!("Found at {token}")),
                headers: vec![(
                    "Location".to_owned(),
                    format!("https://x.test/bot{token}/getMe"),
                )],
                ..Fault::default()
            },
        ),
    ]
}

/// Says the token everywhere, to an ingress that serves its bot.
async fn say_it_everywhere(telegram: &Telegram, ingress: &Ingress, bot: i64, token: &str) {
    for request in requests(token) {
        let mut client = ingress.client().await;
        client.send(&request).await;
        assert!(client.answer().await.is_some(), "{request}");
    }
    let mut client = ingress.client().await;
    for (method, fault) in answers(token) {
        telegram
            .control
            .fault(fault.bot(bot).method(method).times(1));
        let answer = client.ask(get(&format!("/bot{token}/{method}"))).await;
        let whole = format!("{} {:?} {}", answer.line, answer.headers, answer.text());
        assert!(
            whole.contains(token),
            "{method}: the bot gets what is its own"
        );
    }
    let text = format!("my token is {token}, see https://api.telegram.org/bot{token}/getMe");
    telegram.control.say(bot, USER, &text).unwrap();
    client.ask(form(token, "deleteWebhook", "")).await;
    let updates = client.ask(form(token, "getUpdates", "timeout=0")).await;
    assert!(updates.text().contains(token), "{}", updates.text());
}

/// Panics with a token, and asks the operator's listener for a path of it.
async fn panic_with(ingress: &Ingress, token: &str) {
    let words = format!("panicked over {token} and /bot{token}/getMe");
    let mut operator = Client::connect(ingress.admin()).await;
    operator.send(post("/-/panic", "text/plain", &words)).await;
    assert_eq!(
        operator.answer().await,
        None,
        "a handler that panics answers nothing"
    );
    ingress.operator(&format!("/-/{token}")).await;
    let metrics = ingress.operator("/-/metrics").await.text();
    let panics = metrics
        .lines()
        .find(|line| line.starts_with("gramtap_panics_total"));
    assert_eq!(panics, Some("gramtap_panics_total 1"), "{metrics}");
    assert!(
        ingress.words().contains("panicked over "),
        "{}",
        ingress.words()
    );
}

/// What of an ingress only can be asked while it runs.
async fn check_metrics(ingress: &Ingress) {
    let metrics = ingress.operator("/-/metrics").await.text();
    assert!(metrics.contains("gramtap_"), "{metrics}");
    assert_eq!(
        canaries_in_bytes("metrics", metrics.as_bytes(), &[CANARY]),
        [""; 0]
    );
    assert!(ingress.words().lines().count() > 10, "{}", ingress.words());
}

/// The settings of a process that says all it can.
fn talkative(collector: &Collector) -> [(&'static str, &str); 3] {
    [
        ("GRAMTAP_TELEMETRY__LOG", "trace"),
        ("GRAMTAP_TELEMETRY__OTLP_ENDPOINT", collector.url()),
        ("GRAMTAP_TELEMETRY__SAMPLE", "1.0"),
    ]
}

/// Connects a bot of which everything is kept, its token included.
async fn add_with_token(installation: &Installation, bot: i64, token: &str) {
    let stored = NewTenant {
        bot: Some(BotId(bot)),
        privacy: Some(Privacy::Full),
        token: Some(Token::parse(token).unwrap()),
        ..NewTenant::default()
    };
    installation.registry().add(&stored).await.unwrap();
}

#[tokio::test]
async fn no_token_is_written_anywhere() {
    let telegram = Telegram::start().await;
    let collector = Collector::start().await;
    let installation = Installation::new(Stores::Embedded).await;
    add_with_token(&installation, BOT, TOKEN).await;
    let all = talkative(&collector);
    let ingress = Ingress::with(&installation, "ingress", &telegram.url(), &all).await;
    say_it_everywhere(&telegram, &ingress, BOT, TOKEN).await;
    panic_with(&ingress, TOKEN).await;
    // A fault of the way, which has a text of its own.
    telegram.simulator.shutdown().await;
    let mut client = ingress.client().await;
    let answer = client.ask(get(&format!("/bot{TOKEN}/getMe"))).await;
    assert_eq!(answer.status(), 502);
    assert!(!answer.text().contains(CANARY), "{}", answer.text());
    drop(client);
    check_metrics(&ingress).await;
    assert_eq!(installation.canaries(&[CANARY]).await, [""; 0], "running");
    ingress.stop().await;
    assert_eq!(installation.canaries(&[CANARY]).await, [""; 0], "ended");
    assert_eq!(
        canaries_in_bytes("traces", &collector.heard(), &[CANARY]),
        [""; 0]
    );
}
