//! A bot sets its webhook by itself, through Gramtap.
//!
//! In: a simulated Telegram, an endpoint, a bot that makes the same calls with Gramtap between and without. Out: pass or fail. Invariant: what the bot is answered is the
//! same byte for byte; where its updates go is read from Telegram itself, and from the endpoint. `away.rs`: the registry cannot be asked.

mod away;

mod standing;

use std::time::Duration;

use gramtap_simulator::{Fault, Filter};
use gramtap_telegram::BotId;
use gramtap_tenants::{NewTenant, Registry, Tenant, Webhook};
use gramtap_tests::{Answer, Client, Endpoint, Ingress, Installation, Stores, calls};

use super::*;

const SECRET: &str = "AAcanary-of-the-secret-header";

/// A bot, its endpoint, and Telegram.
struct Rig {
    telegram: Telegram,
    endpoint: Endpoint,
    installation: Installation,
    ingress: Ingress,
    registry: Registry,
    tenant: Tenant,
}

impl Rig {
    /// `given`: the bot's address is known here.
    async fn start(takeover: &str, given: bool) -> Self {
        let (telegram, endpoint) = (Telegram::start().await, Endpoint::start().await);
        let installation = Installation::new(Stores::Embedded).await;
        let port = format!("[\"{}\"]", endpoint.address().port());
        let more = [
            ("GRAMTAP_WEBHOOKS__ALLOW", r#"["127.0.0.0/8"]"#),
            ("GRAMTAP_WEBHOOKS__PORTS", port.as_str()),
            ("GRAMTAP_WEBHOOKS__HTTP", "true"),
            ("GRAMTAP_WEBHOOKS__TAKEOVER", takeover),
        ];
        let registry = installation.registry();
        let new = NewTenant {
            bot: Some(BotId(BOT)),
            ..NewTenant::default()
        };
        let mut tenant = registry.add(&new).await.unwrap();
        if given {
            let webhook = Webhook::new(&own(&endpoint)).unwrap();
            let set = registry.set_webhook(tenant.code, &webhook, None).await;
            tenant = set.unwrap().0;
        }
        let ingress = Ingress::reachable(&installation, &telegram.url(), &more).await;
        Self {
            telegram,
            endpoint,
            installation,
            ingress,
            registry,
            tenant,
        }
    }

    /// The bot calls, through Gramtap.
    async fn call(&self, request: &str) -> Answer {
        patiently(async || self.ingress.client().await, request).await
    }

    /// Where Telegram pushes to, as it says itself.
    async fn pushed_to(&self) -> String {
        let request = get(&format!("/bot{TOKEN}/getWebhookInfo"));
        let answer = self.telegram.client().await.ask(&request).await;
        answer.json()["result"]["url"].as_str().unwrap().to_owned()
    }

    fn is_ours(&self, url: &str) -> bool {
        url.starts_with(&format!("http://{}/webhook/", self.ingress.address()))
    }

    async fn known(&self) -> Tenant {
        self.registry.get(self.tenant.code).await.unwrap().unwrap()
    }

    /// Somebody writes; waits until the endpoint has it.
    async fn say(&self) {
        let before = self.endpoint.pushed().len();
        self.telegram.control.say(BOT, USER, "text").unwrap();
        self.endpoint.wait(before + 1).await;
    }

    /// Ends it; gives what was recorded of each call: its method and label.
    async fn end(self) -> Vec<(String, Option<String>)> {
        self.ingress.stop().await;
        let records = calls(&self.installation.open_bus(), &[self.tenant.id]).await;
        let told = only_calls(records).into_iter();
        let told = told.map(|call| (call.method, call.label.map(Into::into)));
        let told = told.collect();
        let found = self.installation.canaries(&["AAcanary"]).await;
        assert_eq!(found, Vec::<String>::new());
        self.installation.remove().await;
        told
    }
}

fn own(endpoint: &Endpoint) -> String {
    format!("http://{}/updates?with=AAcanary", endpoint.address())
}

/// Makes a call; where Telegram asks to wait, again.
async fn patiently(connect: impl AsyncFn() -> Client, request: &str) -> Answer {
    loop {
        let answer = connect().await.ask(request).await;
        if answer.status() != 429 {
            return answer;
        }
        // paced: Telegram takes one setWebhook a second
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn set(url: &str, more: &str) -> String {
    let url = url.replace('?', "%3F").replace('=', "%3D");
    form(TOKEN, "setWebhook", &format!("url={url}{more}"))
}

fn multipart(fields: &[(&str, &str)]) -> String {
    let mut body = String::new();
    for (name, value) in fields {
        let file = if *name == "certificate" {
            "; filename=\"c.pem\""
        } else {
            ""
        };
        body.push_str(&format!(
            "--b\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{value}\r\n"
        ));
    }
    body.push_str("--b--\r\n");
    post(
        &format!("/bot{TOKEN}/setWebhook"),
        "multipart/form-data; boundary=b",
        &body,
    )
}

/// What the bot does: calls, and whether Telegram is to push to us after each.
fn script(url: &str, other: &str) -> Vec<(String, bool)> {
    let info = || get(&format!("/bot{TOKEN}/getWebhookInfo"));
    let json = format!(
        r#"{{"url":"{url}","secret_token":"{SECRET}","max_connections":9,"drop_pending_updates":true,"allowed_updates":["message","poll"]}}"#
    );
    let query = url.replace('?', "%3F").replace('=', "%3D");
    let ours = |calls: Vec<String>| calls.into_iter().map(|call| (call, true));
    let past = |calls: Vec<String>| calls.into_iter().map(|call| (call, false));
    let names = vec!["127.0.0.1".to_owned()];
    let certificate = rcgen::generate_simple_self_signed(names)
        .unwrap()
        .cert
        .pem();
    let with_certificate = multipart(&[
        ("url", url),
        ("certificate", &certificate),
        ("ip_address", "127.0.0.1"),
    ]);
    let all_of_it =
        format!("&secret_token={SECRET}&max_connections=7&allowed_updates=[\"message\"]");
    let mut script = vec![(info(), false)];
    script.extend(ours(vec![
        set(url, ""),
        info(),
        set(url, ""),
        set(url, &all_of_it),
        info(),
        set(url, &all_of_it),
        // Refused, and so as before.
        set(url, "&secret_token=not.allowed"),
        set("ftp://bot.example", ""),
        set("https://", ""),
        info(),
        get(&format!(
            "/bot{TOKEN}/SETWEBHOOK?url={query}&max_connections=200"
        )),
        info(),
        post(
            &format!("/bot{TOKEN}/setWebhook"),
            "application/json",
            &json,
        ),
        info(),
        with_certificate.clone(),
        info(),
        with_certificate,
        set(url, ""),
        info(),
    ]));
    script.extend(past(vec![
        form(TOKEN, "deleteWebhook", "drop_pending_updates=true"),
        info(),
        form(TOKEN, "deleteWebhook", ""),
    ]));
    script.extend(ours(vec![set(url, ""), info()]));
    script.extend(past(vec![
        set("", ""),
        info(),
        set(other, ""),
        info(),
        set(other, ""),
    ]));
    script.extend(ours(vec![set(url, ""), info()]));
    script
}

#[tokio::test]
async fn the_bot_sees_no_difference() {
    let rig = Rig::start("known", true).await;
    let direct = Telegram::start().await;
    let url = own(&rig.endpoint);
    let other = format!("http://{}/elsewhere", rig.endpoint.address());
    for (number, (request, ours)) in script(&url, &other).into_iter().enumerate() {
        let without = patiently(async || direct.client().await, &request).await;
        let through = rig.call(&request).await;
        let asked = format!("{number}: {}", request.lines().next().unwrap());
        assert_eq!(through.line, without.line, "{asked}");
        assert_eq!(through.text(), without.text(), "{asked}");
        assert_eq!(
            through.lasting_headers(),
            without.lasting_headers(),
            "{asked}"
        );
        let pushed_to = rig.pushed_to().await;
        assert_eq!(rig.is_ours(&pushed_to), ours, "{asked} {pushed_to}");
    }
    let told = rig.end().await;
    let past = told.iter().filter(|(_, label)| label.is_some());
    let past: Vec<&str> = past.map(|(method, _)| method.as_str()).collect();
    assert_eq!(past, ["setWebhook", "getWebhookInfo", "setWebhook"]);
    assert!(told.iter().all(|(_, label)| {
        label
            .as_deref()
            .is_none_or(|label| label == "webhook_bypasses")
    }));
}

#[tokio::test]
async fn updates_come_through_gramtap_from_then_on() {
    let rig = Rig::start("always", false).await;
    let url = own(&rig.endpoint);
    let request = set(&url, &format!("&secret_token={SECRET}"));
    assert_eq!(rig.call(&request).await.json()["ok"], true);
    rig.say().await;
    let first = rig.pushed_to().await;
    assert!(rig.is_ours(&first), "{first}");
    let pushed = rig.endpoint.pushed().pop().unwrap();
    assert_eq!(pushed.head[0], "POST /updates?with=AAcanary HTTP/1.1");
    assert_eq!(
        pushed.header("x-telegram-bot-api-secret-token"),
        Some(SECRET)
    );
    assert!(
        pushed.header("x-forwarded-for").is_some(),
        "it came past us"
    );
    // Restarted, it says the same: Telegram is told the same.
    let known = rig.known().await;
    assert_eq!(
        rig.call(&request).await.json()["description"],
        "Webhook is already set"
    );
    assert_eq!(
        (rig.pushed_to().await, rig.known().await),
        (first.clone(), known)
    );
    // Another address: another one of ours.
    let moved = format!("http://{}/moved", rig.endpoint.address());
    let answer = rig.call(&set(&moved, "")).await;
    assert_eq!(answer.json()["description"], "Webhook was set");
    assert_ne!(rig.pushed_to().await, first);
    rig.say().await;
    assert_eq!(
        rig.endpoint.pushed().pop().unwrap().head[0],
        "POST /moved HTTP/1.1"
    );
    // Given back for good.
    rig.registry.release_webhook(rig.tenant.code).await.unwrap();
    let answer = rig.call(&set(&moved, "")).await;
    assert_eq!(answer.json()["ok"], true);
    assert_eq!(rig.pushed_to().await, moved);
    assert!(rig.end().await.iter().all(|(_, label)| label.is_none()));
}

#[tokio::test]
async fn what_telegram_refuses_changes_nothing() {
    let rig = Rig::start("always", true).await;
    let url = own(&rig.endpoint);
    assert_eq!(rig.call(&set(&url, "")).await.json()["ok"], true);
    let state = |tenant: Tenant| {
        let dropped = tenant.dropped_before;
        (tenant.hook, tenant.former_hook, tenant.webhook, dropped)
    };
    let (before, pushed_to) = (state(rig.known().await), rig.pushed_to().await);
    let moved = format!("http://{}/moved", rig.endpoint.address());
    for status in [400, 401, 429] {
        let refusal = format!(r#"{{"ok":false,"error_code":{status},"description":"No: no"}}"#);
        rig.telegram.control.fault(Fault {
            method: Some("setWebhook".to_owned()),
            times: Some(1),
            status: Some(status),
            body: Some(refusal.clone()),
            ..Fault::default()
        });
        let request = set(&moved, "&drop_pending_updates=true");
        let answer = rig.ingress.client().await.ask(&request).await;
        assert_eq!((answer.status(), answer.text()), (status, refusal));
        assert_eq!(state(rig.known().await), before);
    }
    // Whoever knows the bot's id alone.
    let other = set(&moved, "").replace(TOKEN, "7000000123:AAcanary-of-somebody-elses-token-001");
    let answer = rig.ingress.client().await.ask(&other).await;
    assert_eq!(answer.status(), 401);
    assert_eq!(state(rig.known().await), before);
    assert_eq!(rig.pushed_to().await, pushed_to);
    rig.say().await;
    let asked = rig.telegram.control.requests(&Filter::method("setWebhook"));
    let told = asked.iter().filter(|it| it.target.contains("somebody"));
    let told = told.flat_map(|it| &it.arguments);
    let told: Vec<_> = told.filter(|(name, _)| name == "url").collect();
    assert_eq!(
        told,
        [&("url".to_owned(), moved)],
        "our address is nobody else's"
    );
    rig.end().await;
}
