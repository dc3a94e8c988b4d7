//! A bot has what waits dropped, by a setWebhook or a deleteWebhook that passes through Gramtap.
//!
//! In: a simulated Telegram that pushes, an endpoint that is down for a while, everything of Gramtap in one process. Out: pass or fail. Invariant: what was dropped
//! is told as a dead letter and reaches the bot never, what comes later does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gramtap_events::delivery::Verdict;
use gramtap_events::tenant::Mode;
use gramtap_telegram::BotId;
use gramtap_tenants::{NewTenant, Tenant, Webhook};
use gramtap_tests::{
    Endpoint, Ingress, Installation, Pushed, Reaction, Stores, dead_until, deliveries_until, until,
};

use super::*;

struct Rig {
    telegram: Telegram,
    endpoint: Endpoint,
    is_up: Arc<AtomicBool>,
    installation: Installation,
    up: Ingress,
    tenant: Tenant,
}

impl Rig {
    async fn start() -> Self {
        let is_up = Arc::new(AtomicBool::new(true));
        let works = Arc::clone(&is_up);
        let endpoint = Endpoint::reacting(move |_: &Pushed| match works.load(Ordering::SeqCst) {
            true => Reaction::fine(),
            false => Reaction::status("503 Service Unavailable"),
        })
        .await;
        let telegram = Telegram::start().await;
        let installation = Installation::new(Stores::Embedded).await;
        let registry = installation.registry();
        let new = NewTenant {
            bot: Some(BotId(BOT)),
            ..NewTenant::default()
        };
        let code = registry.add(&new).await.unwrap().code;
        let webhook = Webhook::new(&url(&endpoint)).unwrap();
        let set = registry.set_webhook(code, &webhook, Some(Mode::Inbox));
        let (tenant, _) = set.await.unwrap();
        let port = format!("[\"{}\"]", endpoint.address().port());
        let more = [
            ("GRAMTAP_WEBHOOKS__ALLOW", r#"["127.0.0.0/8"]"#),
            ("GRAMTAP_WEBHOOKS__PORTS", port.as_str()),
            ("GRAMTAP_WEBHOOKS__HTTP", "true"),
        ];
        let up = Ingress::reachable_up(&installation, &telegram.url(), &more).await;
        Self {
            telegram,
            endpoint,
            is_up,
            installation,
            up,
            tenant,
        }
    }

    /// The bot calls, through Gramtap; Telegram agrees.
    async fn call(&self, method: &str, body: &str) {
        loop {
            let answer = self.up.client().await.ask(form(TOKEN, method, body)).await;
            if answer.status() != 429 {
                assert_eq!(answer.json()["ok"], true, "{}", answer.text());
                return;
            }
            // paced: Telegram takes one setWebhook a second
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn set(&self, more: &str) {
        let url = url(&self.endpoint);
        self.call("setWebhook", &format!("url={url}{more}")).await;
    }

    /// Somebody writes, and Gramtap has it.
    async fn say(&self, texts: &[&str]) {
        for text in texts {
            self.telegram.control.say(BOT, USER, text).unwrap();
        }
        until("the end of what Telegram has to push", async || {
            let state = self.telegram.control.webhook(BOT).unwrap();
            (state.pending_updates == 0).then_some(())
        })
        .await;
    }

    /// Waits until so many are dead letters; all of them because of this.
    async fn dropped(&self, count: usize) {
        let bus = self.installation.observe_bus();
        let letters = dead_until(&bus, self.tenant.id, count).await;
        let causes = letters.iter().map(|letter| &*letter.cause);
        assert_eq!(causes.collect::<Vec<_>>(), vec!["dropped"; count]);
    }
}

fn url(endpoint: &Endpoint) -> String {
    format!("http://{}/AAcanary", endpoint.address())
}

#[tokio::test]
async fn what_a_bot_has_dropped_never_reaches_it() {
    let rig = Rig::start().await;
    rig.set("").await;
    rig.is_up.store(false, Ordering::SeqCst);
    rig.say(&["1", "2", "3", "4", "5"]).await;
    rig.endpoint.wait(2).await;
    rig.set("&drop_pending_updates=true").await;
    rig.dropped(5).await;
    let before = rig.endpoint.pushed().len();
    rig.is_up.store(true, Ordering::SeqCst);
    rig.say(&["6"]).await;
    let pushed = rig.endpoint.wait(before + 1).await;
    assert_eq!(pushed[before].text(), "6");

    // The same with the webhook gone.
    rig.is_up.store(false, Ordering::SeqCst);
    rig.say(&["7", "8"]).await;
    rig.endpoint.wait(before + 2).await;
    rig.call("deleteWebhook", "drop_pending_updates=1").await;
    rig.dropped(7).await;
    let before = rig.endpoint.pushed().len();
    rig.set("").await;
    rig.is_up.store(true, Ordering::SeqCst);
    rig.say(&["9"]).await;
    rig.endpoint.wait(before + 1).await;
    let enough = |found: &[gramtap_events::delivery::Delivery]| {
        let verdicts = found.iter().map(|one| one.verdict);
        verdicts.filter(|it| *it == Verdict::Delivered).count() == 2
    };
    let bus = rig.installation.observe_bus();
    let told = deliveries_until(&bus, rig.tenant.id, enough).await;
    let last = told.iter().filter(|one| one.verdict == Verdict::Dead);
    let last: Vec<_> = last.map(|one| one.label.as_deref()).collect();
    assert_eq!(last, [Some("dropped"); 7]);
    let texts: Vec<String> = rig.endpoint.pushed()[before..]
        .iter()
        .map(Pushed::text)
        .collect();
    assert_eq!(texts, ["9"]);
    drop(bus);
    rig.up.stop().await;
    rig.installation.remove().await;
}
