//! A token is in nothing that ingress writes.
//!
//! In: tokens at every place where bots put them, a log that says all it can. Out: pass or fail: the
//! bytes of every file, the log, the metrics. Invariant: what looks for tokens finds one that was
//! put there for it.

use gramtap_events::tenant::Privacy;
use gramtap_telegram::{BotId, Token};
use gramtap_tenants::NewTenant;
use gramtap_tests::{Ingress, Installation, Stores, canaries_in};

use super::*;

const STRANGERS_TOKEN: &str = "7000000789:AAcanary-of-a-strangers-token_0003";
const MALFORMED_TOKEN: &str = "70000x:AAcanary-of-a-malformed-token_0004";
/// What those tokens and [`TOKEN`] have in common.
const CANARY: &str = "AAcanary-of-";

#[tokio::test]
async fn no_token_is_written_anywhere() {
    let telegram = Telegram::start().await;
    let installation = Installation::new(Stores::Embedded).await;
    let stored = NewTenant {
        bot: Some(BotId(BOT)),
        privacy: Some(Privacy::Full),
        token: Some(Token::parse(TOKEN).unwrap()),
        ..NewTenant::default()
    };
    installation.registry().add(&stored).await.unwrap();
    let all = [("GRAMTAP_TELEMETRY__LOG", "trace")];
    let ingress = Ingress::with(&installation, "ingress", &telegram.url(), &all).await;

    let escaped = TOKEN.replace(':', "%3A");
    let requests = [
        get(&format!("/bot{TOKEN}/getMe")),
        get(&format!("/bot{escaped}/getMe")),
        get(&format!("/bot{TOKEN}/getMe?again={TOKEN}")),
        get(&format!("/file/bot{TOKEN}/nothing.txt")),
        get(&format!("/bot{TOKEN}/test/getMe")),
        form(TOKEN, "sendMessage", &format!("chat_id=7&text={TOKEN}")),
        form(TOKEN, "setWebhook", &format!("url=https://x.test/{TOKEN}")),
        form(TOKEN, "getWebhookInfo", ""),
        form(TOKEN, TOKEN, ""),
        get(&format!("/bot{STRANGERS_TOKEN}/getMe")),
        get(&format!("/bot{MALFORMED_TOKEN}/getMe")),
        get(&format!("/c/{}/bot{TOKEN}/getMe", "a".repeat(26))),
        format!("GET /bot{TOKEN}/getMe HTTP/1.1\r\nHost: {TOKEN}\r\n\r\n"),
        format!("GET /bot{TOKEN}/getMe HTTP/1.1\r\nHost: x\r\nUser-Agent: {TOKEN}\r\n\r\n"),
        format!("GET /bot{TOKEN}/getMe HTTP/1.1\r\nHost: x\r\nno header {TOKEN}\r\n\r\n"),
        format!("{TOKEN} / HTTP/1.1\r\nHost: x\r\n\r\n"),
    ];
    for request in requests {
        let mut client = ingress.client().await;
        client.send(&request).await;
        assert!(client.answer().await.is_some(), "{request}");
    }
    // A fault of the way, which has a text of its own.
    telegram.simulator.shutdown().await;
    let mut client = ingress.client().await;
    let answer = client.ask(get(&format!("/bot{TOKEN}/getMe"))).await;
    assert_eq!(answer.status(), 502);
    assert!(!answer.text().contains(CANARY), "{}", answer.text());
    drop(client);

    let metrics = ingress.operator("/-/metrics").await;
    assert_eq!(metrics.status(), 200);
    assert!(metrics.text().contains("gramtap_"), "{}", metrics.text());
    assert!(!metrics.text().contains(CANARY), "{}", metrics.text());
    assert!(ingress.words().lines().count() > 10, "{}", ingress.words());
    let everything = installation.folder().to_owned();
    assert_eq!(canaries_in(&everything, &[CANARY]), [""; 0], "running");
    ingress.stop().await;
    assert_eq!(canaries_in(&everything, &[CANARY]), [""; 0], "ended");
}

#[tokio::test]
async fn a_token_that_was_written_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("a/b");
    std::fs::create_dir_all(&deep).unwrap();
    std::fs::write(folder.path().join("clean"), b"nothing").unwrap();
    let mut bytes = vec![0xff; 100_000];
    bytes.extend_from_slice(TOKEN.as_bytes());
    bytes.push(0);
    std::fs::write(deep.join("log.db-wal"), bytes).unwrap();
    let found = canaries_in(folder.path(), &[CANARY]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].ends_with("a/b/log.db-wal"), "{found:?}");
}
