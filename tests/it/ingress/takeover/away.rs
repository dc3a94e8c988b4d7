//! A bot sets its webhook while the registry's database is gone or frozen.
//!
//! In: a wire to the real Postgres, a simulated Telegram, another one that the bot calls without Gramtap. Out: pass or fail. Invariant: the bot is answered as Telegram answers; each
//! update reaches the endpoint once; what stands at Telegram and what the registry knows agree, or the bot is shown to be bypassed.

use gramtap_events::call::Call;
use gramtap_tests::{Wire, Wires, fresh_bot, until};

use super::*;

/// A bot with a webhook that is known here, on servers.
struct Bot {
    token: String,
    id: i64,
    telegram: Telegram,
    /// Where it makes the same calls without Gramtap.
    direct: Telegram,
    endpoint: Endpoint,
    installation: Installation,
    wires: Wires,
    ingress: Ingress,
    registry: Registry,
    tenant: Tenant,
    texts: Vec<String>,
}

impl Bot {
    async fn start() -> Self {
        let (telegram, direct) = (Telegram::start().await, Telegram::start().await);
        let endpoint = Endpoint::start().await;
        let installation = Installation::new(Stores::Servers).await;
        let (wires, registry) = (installation.wires(), installation.registry());
        let id = fresh_bot();
        let token = format!("{id}:AAcanary-of-a-bot-whose-registry-is-away");
        for telegram in [&telegram, &direct] {
            telegram.control.add_bot_token(&token).unwrap();
        }
        let tenant = installation.add(Some(id)).await;
        let webhook = Webhook::new(&own(&endpoint)).unwrap();
        let set = registry.set_webhook(tenant.code, &webhook, None).await;
        let (tenant, _) = set.unwrap();
        let port = format!("[\"{}\"]", endpoint.address().port());
        let mut more = vec![
            ("GRAMTAP_WEBHOOKS__ALLOW", r#"["127.0.0.0/8"]"#),
            ("GRAMTAP_WEBHOOKS__PORTS", port.as_str()),
            ("GRAMTAP_WEBHOOKS__HTTP", "true"),
            ("GRAMTAP_WEBHOOKS__TAKEOVER", "always"),
        ];
        more.extend(wires.environment());
        let ingress = Ingress::reachable(&installation, &telegram.url(), &more).await;
        Self {
            token,
            id,
            telegram,
            direct,
            endpoint,
            installation,
            wires,
            ingress,
            registry,
            tenant,
            texts: Vec::new(),
        }
    }

    /// Makes a call through Gramtap and without; it is answered the same.
    async fn call(&self, method: &str, body: &str) {
        let request = form(&self.token, method, body);
        let through = patiently(async || self.ingress.client().await, &request).await;
        let without = patiently(async || self.direct.client().await, &request).await;
        assert_eq!(
            (through.line.as_str(), through.text()),
            (without.line.as_str(), without.text()),
            "{method} {body}"
        );
    }

    /// Sets its webhook so, and asks for it.
    async fn set(&self, path: &str, connections: u8) {
        let url = self.url(path).replace('?', "%3F").replace('=', "%3D");
        self.call(
            "setWebhook",
            &format!("url={url}&max_connections={connections}"),
        )
        .await;
        self.call("getWebhookInfo", "").await;
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.endpoint.address())
    }

    /// Whether Telegram pushes to us, as it says itself; if not, it pushes to this path of the bot's own.
    async fn comes_through_us(&self, path: &str) -> bool {
        let request = get(&format!("/bot{}/getWebhookInfo", self.token));
        let answer = self.telegram.client().await.ask(&request).await;
        let url = answer.json()["result"]["url"].as_str().unwrap().to_owned();
        let ours = url.starts_with(&format!("http://{}/webhook/", self.ingress.address()));
        assert!(ours || url == self.url(path), "{url}");
        ours
    }

    /// Somebody writes; the endpoint gets it at this path.
    async fn say(&mut self, path: &str) {
        let text = self.texts.len().to_string();
        self.telegram.control.say(self.id, USER, &text).unwrap();
        self.texts.push(text);
        let pushed = self.endpoint.wait(self.texts.len()).await;
        let last = pushed.last().unwrap();
        assert_eq!(last.head[0], format!("POST {path} HTTP/1.1"));
        let texts: Vec<_> = pushed.iter().map(gramtap_tests::Pushed::text).collect();
        assert_eq!(texts, self.texts, "each once");
    }

    /// What the registry has, asked past the wire.
    async fn webhook(&self) -> Webhook {
        let tenant = self.registry.get(self.tenant.code).await.unwrap().unwrap();
        self.registry.webhook(&tenant).unwrap().unwrap()
    }

    /// Ends it; the words of the records of each setWebhook that Telegram has taken.
    async fn end(self) -> Vec<Option<String>> {
        self.ingress.stop().await;
        let records = calls(&self.installation.open_bus(), &[self.tenant.id]).await;
        let told = only_calls(records)
            .into_iter()
            .filter(|call| call.method == "setWebhook" && call.ok == Some(true));
        let told = told.map(|call: Call| call.label.map(Into::into)).collect();
        self.installation.remove().await;
        told
    }
}

async fn sets(outage: fn(&Wire)) {
    let mut bot = Bot::start().await;
    let own = "/updates?with=AAcanary";
    bot.set(own, 40).await;
    assert!(bot.comes_through_us(own).await);
    bot.say(own).await;

    outage(&bot.wires.sql);
    // What is known already is taken over as ever.
    bot.set(own, 40).await;
    assert!(bot.comes_through_us(own).await);
    bot.say(own).await;
    // What the registry would have to be told of goes past us.
    bot.set("/moved", 7).await;
    assert!(!bot.comes_through_us("/moved").await);
    bot.say("/moved").await;
    assert_eq!(bot.webhook().await.given(), bot.url(own));
    bot.call("deleteWebhook", "").await;
    bot.call("getWebhookInfo", "").await;
    bot.set("/again", 7).await;
    assert!(!bot.comes_through_us("/again").await);
    bot.say("/again").await;

    bot.wires.sql.mend();
    // The bot starts anew, as often as it takes until the registry is back.
    let again = form(
        &bot.token,
        "setWebhook",
        &format!("url={}&max_connections=7", bot.url("/again")),
    );
    until("it is taken over again", async || {
        let answer = patiently(async || bot.ingress.client().await, &again).await;
        assert_eq!(answer.json()["ok"], true, "{}", answer.text());
        bot.comes_through_us("/again").await.then_some(())
    })
    .await;
    bot.call("getWebhookInfo", "").await;
    let known = bot.webhook().await;
    assert_eq!(
        (known.given(), known.max_connections),
        (bot.url("/again").as_str(), 7)
    );
    bot.say("/again").await;
    let told = bot.end().await;
    let bypassed = Some("webhook_bypasses".to_owned());
    assert_eq!(told[..4], [None, None, bypassed.clone(), bypassed]);
    assert_eq!(told.last(), Some(&None));
}

#[tokio::test]
async fn what_a_bot_sets_reaches_it_while_sql_is_gone() {
    sets(Wire::cut).await;
}

#[tokio::test]
async fn what_a_bot_sets_reaches_it_while_sql_is_frozen() {
    sets(Wire::freeze).await;
}

async fn is_refused(outage: fn(&Wire)) {
    let mut bot = Bot::start().await;
    let own = "/updates?with=AAcanary";
    bot.set(own, 40).await;
    bot.say(own).await;
    for telegram in [&bot.telegram, &bot.direct] {
        telegram.control.fault(Fault {
            method: Some("setWebhook".to_owned()),
            times: Some(1),
            status: Some(400),
            body: Some(r#"{"ok":false,"error_code":400,"description":"Bad: no"}"#.to_owned()),
            // The registry was told, and goes away before it can be told again.
            delay_ms: 2_000,
            ..Fault::default()
        });
    }
    let arrived = async || {
        let asked = bot.telegram.control.requests(&Filter::method("setWebhook"));
        asked.len()
    };
    let before = arrived().await;
    let away = async {
        until("the call is with Telegram", async || {
            (arrived().await > before).then_some(())
        })
        .await;
        assert_eq!(bot.webhook().await.given(), bot.url("/moved"));
        outage(&bot.wires.sql);
    };
    let moved = format!("url={}", bot.url("/moved"));
    tokio::join!(bot.call("setWebhook", &moved), away);
    assert!(bot.comes_through_us(own).await);
    bot.wires.sql.mend();
    until("it is as it was", async || {
        (bot.webhook().await.given() == bot.url(own)).then_some(())
    })
    .await;
    bot.call("getWebhookInfo", "").await;
    bot.say(own).await;
    bot.end().await;
}

#[tokio::test]
async fn what_telegram_refuses_is_taken_back_once_sql_is_there() {
    is_refused(Wire::cut).await;
}

#[tokio::test]
async fn what_telegram_refuses_is_taken_back_once_sql_goes_on() {
    is_refused(Wire::freeze).await;
}
