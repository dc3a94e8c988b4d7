//! Methods in bots' answers are executed in Telegram's place, once.
//!
//! In: `../forwarder.rs`, a simulated Telegram. Out: pass or fail.

use gramtap_events::TenantId;
use gramtap_events::call::{Call, CallRecord, Origin, TokenStanding};
use gramtap_events::tenant::Privacy;
use gramtap_simulator::{Control, Simulator, SimulatorConfig, User};
use gramtap_telegram::{BotId, Token};
use gramtap_tests::{
    Endpoint, Forwarder, Inboxes, Installation, Pushed, Reaction, Stores, calls, deliveries,
    deliveries_until, message, round, until,
};

use super::*;

const BOT: i64 = 7_000_000_321;
const TOKEN: &str = "7000000321:AAcanary-of-the-bots-own-token_0001";
const USER: i64 = 7;

fn answered(kind: &str, body: &str) -> Reaction {
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}");
    Reaction::Say(format!("{head}\r\n\r\n{body}").into())
}

/// Answers as an update's text says.
fn answer(pushed: &Pushed) -> Reaction {
    let (text, json) = (pushed.text(), "application/json");
    let send = |chat: i64, text: &str| {
        let body = serde_json::json!({"method": "sendMessage", "chat_id": chat, "text": text});
        answered(json, &body.to_string())
    };
    match text.as_str() {
        "form" => answered(
            "application/x-www-form-urlencoded",
            "method=sendMessage&chat_id=7&text=form",
        ),
        "file" => answered(
            "multipart/form-data; boundary=b",
            "--b\r\nContent-Disposition: form-data; name=\"method\"\r\n\r\nsendDocument\r\n\
             --b\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n7\r\n\
             --b\r\nContent-Disposition: form-data; name=\"caption\"\r\n\r\nfile\r\n\
             --b\r\nContent-Disposition: form-data; name=\"document\"; filename=\"a.txt\"\r\n\r\nits bytes\r\n--b--\r\n",
        ),
        "read" => answered(json, r#"{"method":"getMe"}"#),
        "wrong" => send(-1, "wrong"),
        "mute" => Reaction::fine(),
        text => send(USER, text),
    }
}

async fn telegram() -> (Simulator, Control) {
    let simulator = Simulator::start(SimulatorConfig::default()).await.unwrap();
    let control = simulator.control();
    control.add_bot_token(TOKEN).unwrap();
    control.add_user(User::new(USER, "Ann"));
    control.say(BOT, USER, "/start").unwrap();
    (simulator, control)
}

/// A bot with an endpoint; `token`: it is stored.
async fn answering(installation: &Installation, endpoint: &Endpoint, token: bool) -> Tenant {
    let registry = installation.registry();
    let new = NewTenant {
        bot: Some(BotId(BOT)),
        privacy: Some(Privacy::Metadata),
        ..NewTenant::default()
    };
    let tenant = registry.add(&new).await.unwrap();
    if token {
        let token = Token::parse(TOKEN).unwrap();
        registry.store_token(tenant.code, &token).await.unwrap();
    }
    let webhook = Webhook::new(&format!("http://{}/", endpoint.address())).unwrap();
    let set = registry.set_webhook(tenant.code, &webhook, None).await;
    set.unwrap().0
}

async fn calls_until(installation: &Installation, tenant: TenantId, count: usize) -> Vec<Call> {
    let found = until("calls", async || {
        let found = calls(&installation.observe_bus(), &[tenant]).await;
        (found.len() >= count).then_some(found)
    })
    .await;
    let call = |record| match record {
        CallRecord::Call(call) => call,
        other => panic!("{other:?}"),
    };
    found.into_iter().map(call).collect()
}

#[tokio::test]
async fn what_a_bot_answers_is_executed_once_and_in_order() {
    let (simulator, control) = telegram().await;
    let endpoint = Endpoint::reacting(answer).await;
    let installation = Installation::new(Stores::Embedded).await;
    let round = round(&installation, Stores::Embedded).await;
    let tenant = answering(&installation, &endpoint, true).await;
    let bus = installation.open_bus();
    let texts = ["form", "file", "read", "wrong", "mute"];
    let mut updates: Vec<_> = (1..)
        .zip(texts)
        .map(|(id, text)| message(id, id, text))
        .collect();
    // One queue, whose answers must not overtake each other.
    updates.extend((10..30).map(|id| message(id, 100, &format!("{id}"))));
    Inboxes::new(&installation)
        .take(&bus, tenant.id, &updates)
        .await;
    drop(bus);
    let url = simulator.http_url();
    let more = [("GRAMTAP_TELEGRAM__URL", url.as_str())];
    let endpoints = [&endpoint];
    let first = Forwarder::start(&round, &installation, "ingress", &endpoints, &more).await;
    let told = calls_until(&installation, tenant.id, 24).await;
    first.kill().await;
    let second = Forwarder::start(&round, &installation, "ingress", &endpoints, &more).await;
    let all = |found: &[Delivery]| delivered(found) >= updates.len();
    deliveries_until(&installation.observe_bus(), tenant.id, all).await;
    second.stop().await;

    let text = |message: &String| {
        let message: serde_json::Value = serde_json::from_str(message).unwrap();
        message["text"].as_str().unwrap_or_default().to_owned()
    };
    let messages: Vec<String> = control.messages(BOT, USER).iter().map(text).collect();
    let numbers: Vec<&String> = messages
        .iter()
        .filter(|it| it.parse::<i64>().is_ok())
        .collect();
    let expected: Vec<String> = (10..30).map(|id| id.to_string()).collect();
    assert_eq!(numbers, expected.iter().collect::<Vec<_>>());
    assert_eq!(
        messages.iter().filter(|it| *it == "form").count(),
        1,
        "{messages:?}"
    );
    assert_eq!(endpoint.pushed().len(), updates.len());
    let calls = calls(&installation.open_bus(), &[tenant.id]).await;
    assert_eq!(
        calls.len(),
        24,
        "none for the one that asks for nothing, none twice"
    );
    let of = |method: &str| {
        told.iter()
            .filter(|it| it.method == method)
            .collect::<Vec<_>>()
    };
    let (sent, failed): (Vec<&Call>, Vec<&Call>) = of("sendMessage")
        .into_iter()
        .partition(|it| it.ok == Some(true));
    assert_eq!(
        (sent.len(), failed.len(), of("sendDocument").len()),
        (21, 1, 1)
    );
    assert_eq!(of("sendDocument")[0].ok, Some(true));
    assert!(sent.iter().all(|call| {
        let agent = call.client.agent.as_deref() == Some("webhook answer");
        let chat = call.params.as_ref().is_some_and(|it| {
            it.get().contains(r#""chat_id":7"#) && !it.get().contains(r#""text""#)
        });
        agent
            && chat
            && call.origin == Origin::Telegram
            && call.token == TokenStanding::Verified
            && call.took.total_us > 0
    }));
    assert_eq!(failed[0].error.as_ref().unwrap().code, 400);
    let read = of("getMe")[0];
    assert_eq!(
        (read.origin, read.label.as_deref(), read.ok),
        (Origin::Gramtap, Some("reply_forbidden"), None)
    );
    let methods = deliveries(&installation.open_bus(), &[tenant.id]).await;
    let method = |id: i64| {
        let one = methods.iter().find(|it| it.update_id == Some(id)).unwrap();
        one.reply_method.as_deref()
    };
    assert_eq!(
        (method(2), method(3), method(5)),
        (Some("sendDocument"), Some("getMe"), None)
    );
    let found = installation.canaries(&["AAcanary"]).await;
    assert_eq!(found, Vec::<String>::new());
    simulator.shutdown().await;
    installation.remove().await;
}

#[tokio::test]
async fn without_a_token_nothing_is_executed_and_that_is_told() {
    let (simulator, control) = telegram().await;
    let endpoint = Endpoint::reacting(answer).await;
    let installation = Installation::new(Stores::Embedded).await;
    let round = round(&installation, Stores::Embedded).await;
    let tenant = answering(&installation, &endpoint, false).await;
    let bus = installation.open_bus();
    Inboxes::new(&installation)
        .take(&bus, tenant.id, &[message(1, 1, "hello")])
        .await;
    drop(bus);
    let before = control.total_requests();
    let url = simulator.http_url();
    let more = [("GRAMTAP_TELEGRAM__URL", url.as_str())];
    let forwarder = Forwarder::start(&round, &installation, "ingress", &[&endpoint], &more).await;
    let told = calls_until(&installation, tenant.id, 1).await;
    let metrics = forwarder.operator("/-/metrics").await.text();
    assert!(metrics.contains(r#"gramtap_replies_total{result="reply_no_token"} 1"#));
    forwarder.stop().await;
    assert_eq!(control.total_requests(), before);
    assert_eq!(
        (told[0].method.as_str(), told[0].label.as_deref()),
        ("sendMessage", Some("reply_no_token"))
    );
    let found = deliveries(&installation.open_bus(), &[tenant.id]).await;
    assert_eq!(found[0].reply_method.as_deref(), Some("sendMessage"));
    simulator.shutdown().await;
    installation.remove().await;
}
