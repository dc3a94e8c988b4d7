//! Whose calls pass, at which address.
//!
//! In: an embedded ingress, bots that are registered by id, by code, and not at all. Out: pass or
//! fail.

use std::time::Duration;

use gramtap_simulator::Filter;
use gramtap_telegram::BotId;
use gramtap_tests::{DEADLINE, Ingress, Installation, Stores, calls};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::*;

const OTHER: i64 = 7_000_000_456;
const OTHERS_TOKEN: &str = "7000000456:AAcanary-of-another-bots-token_0002";

fn at_host(host: &str, target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n")
}

#[tokio::test]
async fn a_bot_that_is_not_connected_is_told_so() {
    let telegram = Telegram::start().await;
    let installation = Installation::new(Stores::Embedded).await;
    let ingress = Ingress::start(&installation, "ingress", &telegram.url()).await;
    let code = "a".repeat(26);
    let (shared, host) = ("gramtap.test", Ingress::host_of(&code));
    let target = format!("/bot{TOKEN}/getMe");
    let unknown = format!("Not Found: bot {BOT} is not connected to this Gramtap");
    let nobodys = "Not Found: this address belongs to no bot of this Gramtap";
    for (request, label, description) in [
        (at_host(shared, &target), "bot_unknown", unknown.as_str()),
        (at_host(&host, &target), "code_unknown", nobodys),
        (
            at_host(shared, &format!("/c/{code}{target}")),
            "code_unknown",
            nobodys,
        ),
        (at_host(shared, "/nothing"), "path_unknown", "Not Found"),
        (
            at_host(shared, "/botnonsense/getMe"),
            "token_malformed",
            "Not Found",
        ),
    ] {
        let answer = ingress.client().await.ask(&request).await;
        assert_eq!(answer.line, "HTTP/1.1 404 Not Found", "{request}");
        assert_eq!(answer.header("gramtap-error"), Some(label), "{request}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let expected = json!({"ok": false, "error_code": 404, "description": description});
        assert_eq!(answer.json(), expected, "{request}");
    }
    assert_eq!(telegram.control.total_requests(), 0);
    ingress.stop().await;
}

#[tokio::test]
async fn a_code_becomes_the_first_bots_that_telegram_accepts() {
    let telegram = Telegram::start().await;
    telegram.control.add_bot_token(OTHERS_TOKEN).unwrap();
    let installation = Installation::new(Stores::Embedded).await;
    let tenant = installation.add(None).await;
    let code = tenant.code.to_string();
    let ingress = Ingress::start(&installation, "ingress", &telegram.url()).await;
    let mut client = ingress.client().await;

    // A token that Telegram refuses takes nothing.
    let wrong = get(&format!("/c/{code}/bot{OTHER}:wrong/getMe"));
    assert_eq!(client.ask(wrong).await.status(), 401);
    let prefix = get(&format!("/c/{code}/bot{TOKEN}/getMe"));
    let answer = client.ask(&prefix).await;
    assert_eq!(answer.json()["result"]["id"], BOT);
    let registry = installation.registry();
    let until = Instant::now() + DEADLINE;
    loop {
        let bound = registry.get(tenant.code).await.unwrap().unwrap().bot;
        if bound == Some(BotId(BOT)) {
            break;
        }
        assert!(bound.is_none() && Instant::now() < until, "{bound:?}");
        // paced: asks the registry until the process has written to it
        sleep(Duration::from_millis(20)).await;
    }

    let host = Ingress::host_of(&code);
    let own = at_host(&host, &format!("/bot{TOKEN}/getMe"));
    assert_eq!(client.ask(&own).await.json()["result"]["id"], BOT);
    let others = at_host(&host, &format!("/bot{OTHERS_TOKEN}/getMe"));
    let mut passed = 0;
    let refused = loop {
        let answer = client.ask(&others).await;
        if answer.status() == 404 {
            break answer;
        }
        passed += 1;
        assert!(Instant::now() < until, "the other bot passes for ever");
        // paced: asks until the process has heard of what it wrote
        sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(refused.header("gramtap-error"), Some("bot_mismatch"));
    let description =
        format!("Not Found: this address belongs to bot {BOT}, and the token is bot {OTHER}'s");
    assert_eq!(refused.json()["description"], description);
    assert_eq!(client.ask(&own).await.status(), 200);

    // Telegram saw the plain target, wherever the code was.
    let own_requests = Filter {
        bot: Some(BOT),
        ..Filter::default()
    };
    let requests = telegram.control.requests(&own_requests);
    let plain = format!("/bot{TOKEN}/getMe");
    assert_eq!(requests.len(), 3);
    assert!(requests.iter().all(|one| one.target == plain));
    drop(client);
    ingress.stop().await;
    let told = only_calls(calls(&installation.open_bus(), &[tenant.id]).await);
    let of = |bot| told.iter().filter(|it| it.bot == Some(BotId(bot))).count();
    assert_eq!((of(BOT), of(OTHER)), (3, 1 + passed));
}

#[tokio::test]
async fn behind_a_balancer_a_call_is_told_by_its_client() {
    let telegram = Telegram::start().await;
    let installation = Installation::new(Stores::Embedded).await;
    let tenant = installation.add(Some(BOT)).await;
    let request = format!(
        "GET /bot{TOKEN}/getMe HTTP/1.1\r\nHost: gramtap.test\r\nX-Forwarded-For: 203.0.113.5\r\n\r\n"
    );
    for trusted in ["[]", r#"["127.0.0.0/8"]"#] {
        let more = [("GRAMTAP_TRUSTED_PROXIES", trusted)];
        let ingress = Ingress::with(&installation, "ingress", &telegram.url(), &more).await;
        let answer = ingress.client().await.ask(&request).await;
        assert_eq!(answer.status(), 200);
        ingress.stop().await;
    }
    let told = only_calls(calls(&installation.open_bus(), &[tenant.id]).await);
    let addresses: Vec<_> = told
        .into_iter()
        .map(|call| call.client.addr.unwrap())
        .collect();
    assert_eq!(addresses, ["127.0.0.1", "203.0.113.5"]);
    installation.remove().await;
}
