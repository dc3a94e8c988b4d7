//! What getWebhookInfo tells a bot in the mode inbox of what waits and what went wrong, while its endpoint falls over and is mended.
//!
//! In: two simulated Telegrams, one with Gramtap between it and the endpoint. Out: pass or fail. Invariant: but for the moment, and some seconds later, the
//! bot is told the same with Gramtap and without.

use std::sync::{Arc, Mutex};

use gramtap_events::Moment;
use gramtap_events::tenant::Mode;
use gramtap_tenants::StandingRow;
use gramtap_tests::{DEADLINE, Reaction, free_addresses};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::*;

/// Bots with the same name, token and address at both.
struct Twins {
    direct: Telegram,
    telegram: Telegram,
    ingress: Ingress,
    began: i64,
}

impl Twins {
    /// The bot calls, at both: what each answers.
    async fn both(&self, request: &str) -> [Answer; 2] {
        [
            patiently(async || self.direct.client().await, request).await,
            patiently(async || self.ingress.client().await, request).await,
        ]
    }

    async fn set(&self, url: &str, more: &str) {
        let [direct, through] = self.both(&set(url, more)).await;
        assert_eq!(through.text(), direct.text());
        assert_eq!(through.status(), 200, "{}", through.text());
    }

    /// Somebody writes so many times, at both.
    fn say(&self, count: usize) {
        for telegram in [&self.direct, &self.telegram] {
            (0..count).for_each(|_| drop(telegram.control.say(BOT, USER, "text").unwrap()));
        }
    }

    /// What both tell, without its time.
    async fn told(&self) -> [Value; 2] {
        let told = self
            .both(&get(&format!("/bot{TOKEN}/getWebhookInfo")))
            .await;
        told.map(|answer| {
            let mut told = answer.json()["result"].take();
            let now = OffsetDateTime::now_utc().unix_timestamp();
            let at = told.as_object_mut().unwrap().remove("last_error_date");
            if let Some(at) = at {
                let at = at.as_i64().unwrap();
                assert!((self.began..=now).contains(&at), "{at} {told}");
            }
            told
        })
    }

    /// Waits until both tell the same, and that this waits and this went wrong last.
    async fn agree(&self, pending: u64, message: Value) {
        let mut last = [Value::Null, Value::Null];
        let agreed = async {
            loop {
                last = self.told().await;
                let said = &last[0]["last_error_message"];
                if last[0] == last[1]
                    && last[0]["pending_update_count"] == pending
                    && *said == message
                {
                    return;
                }
                // paced: what waits is written every other second
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let agreed = tokio::time::timeout(DEADLINE, agreed).await;
        assert!(agreed.is_ok(), "{pending} {message}: {last:#?}");
    }
}

#[tokio::test]
async fn what_waits_here_and_fails_is_told_as_telegram_tells_it() {
    let weather = Arc::new(Mutex::new(Reaction::fine()));
    let now = Arc::clone(&weather);
    let endpoint = Endpoint::reacting(move |_| now.lock().unwrap().clone()).await;
    let turn = |line: &str| *weather.lock().unwrap() = Reaction::status(line);
    // Nobody listens there.
    let [gone] = free_addresses();
    let (direct, telegram) = (punctual().await, punctual().await);
    let installation = Installation::new(Stores::Embedded).await;
    let registry = installation.registry();
    let new = NewTenant {
        bot: Some(BotId(BOT)),
        ..NewTenant::default()
    };
    let tenant = registry.add(&new).await.unwrap();
    let url = own(&endpoint);
    let webhook = Webhook::new(&url).unwrap();
    let set = registry.set_webhook(tenant.code, &webhook, Some(Mode::Inbox));
    set.await.unwrap();
    // What a former forwarder has left, which is not so.
    let left = StandingRow {
        tenant: tenant.id,
        partition: 0,
        waiting: 9,
        failed: None,
    };
    registry
        .write_standing(Moment::now(), &[left])
        .await
        .unwrap();
    let ports = json!([
        endpoint.address().port().to_string(),
        gone.port().to_string()
    ]);
    let ports = ports.to_string();
    let more = [
        ("GRAMTAP_WEBHOOKS__ALLOW", r#"["127.0.0.0/8"]"#),
        ("GRAMTAP_WEBHOOKS__PORTS", ports.as_str()),
        ("GRAMTAP_WEBHOOKS__HTTP", "true"),
        ("GRAMTAP_WEBHOOKS__TAKEOVER", "always"),
    ];
    let ingress = Ingress::reachable_up(&installation, &telegram.url(), &more).await;
    let twins = Twins {
        direct,
        telegram,
        ingress,
        began: OffsetDateTime::now_utc().unix_timestamp(),
    };

    twins.set(&url, "").await;
    twins.agree(0, Value::Null).await;
    turn("500 Fell Over\r\nRetry-After: 1");
    twins.say(3);
    let fell = json!("Wrong response from the webhook: 500 Fell Over");
    twins.agree(3, fell).await;
    turn("429 Slow down\r\nRetry-After: 1");
    twins.say(1);
    let slow = json!("Wrong response from the webhook: 429 Slow down");
    twins.agree(4, slow.clone()).await;
    turn("200 OK");
    twins.agree(0, slow.clone()).await;

    // It is forgotten with the next webhook, not with the same.
    twins.set(&url, "").await;
    twins.agree(0, slow).await;
    twins.set(&url, "&max_connections=9").await;
    let [direct, through] = twins.told().await;
    assert_eq!(through, direct);
    assert_eq!(direct["last_error_message"], Value::Null);

    twins.set(&format!("http://{gone}/AAcanary"), "").await;
    twins.say(2);
    twins.agree(2, json!("Connection refused")).await;
    twins.ingress.stop().await;
    let found = installation.canaries(&["AAcanary"]).await;
    assert_eq!(found, Vec::<String>::new());
    installation.remove().await;
}

/// A simulated Telegram whose clock goes.
async fn punctual() -> Telegram {
    let config = SimulatorConfig {
        accept_any_chat: true,
        ..SimulatorConfig::default()
    };
    let simulator = Simulator::start(config).await.unwrap();
    let control = simulator.control();
    control.add_bot_token(TOKEN).unwrap();
    control.add_user(User::new(USER, "Ann"));
    Telegram { simulator, control }
}
