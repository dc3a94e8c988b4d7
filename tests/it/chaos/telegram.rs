//! Telegram, whose people write to many bots at a steady rate.
//!
//! In: an installation, endpoints. Out: updates pushed to ingress, each with a tag of its own; what was made. Most are messages, some callbacks and inline
//! queries, which expire. Invariant: tags of a queue grow in the order in which Telegram has made its updates.

use std::time::Duration;

use gramtap_events::tenant::Mode;
use gramtap_simulator::{CaptureConfig, Clock, Control, Simulator, SimulatorConfig};
use gramtap_tenants::{Hook, Webhook};
use gramtap_tests::{Client, Ingress, Installation, fresh_bot};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};

use super::endpoints::{Endpoints, is_sleeper};
use super::now;

/// People who write to a bot.
const PEOPLE: u64 = 5;
/// How long it may take until all is delivered, after nobody writes any more: Telegram, as the forwarder, waits up to two minutes before it tries again.
const PATIENCE: Duration = Duration::from_secs(240);

struct Bot {
    id: i64,
    token: String,
    tenant: String,
    hook: Hook,
}

struct Made {
    tag: u64,
    bot: usize,
    queue: String,
    /// Seconds that it is of use; none: a day.
    life: Option<u64>,
    at: u64,
}

/// See the file's header.
pub(super) struct Telegram {
    simulator: Simulator,
    control: Control,
    bots: Vec<Bot>,
    made: Vec<Made>,
}

impl Telegram {
    /// With so many bots, connected in inbox mode.
    pub(super) async fn start(
        installation: &Installation,
        endpoints: &Endpoints,
        bots: usize,
    ) -> Self {
        let capture = CaptureConfig {
            enabled: false,
            ..SimulatorConfig::default().capture
        };
        let simulator = Simulator::start(SimulatorConfig {
            clock: Clock::real(),
            accept_any_chat: true,
            new_bots_limit: false,
            capture,
            ..SimulatorConfig::default()
        });
        let simulator = simulator.await.unwrap();
        let control = simulator.control();
        let registry = installation.registry();
        let mut connected = Vec::new();
        let tenants = installation.add_all((0..bots).map(|_| fresh_bot())).await;
        for (place, tenant) in tenants.into_iter().enumerate() {
            let id = tenant.bot.unwrap().0;
            let token = format!("{id}:AAcanary-of-a-bot-in-the-chaos-0000000");
            control.add_bot_token(&token).unwrap();
            let url = format!("http://{}/{place}", endpoints.address());
            let webhook = Webhook::new(&url).unwrap();
            let set = registry.set_webhook(tenant.code, &webhook, Some(Mode::Inbox));
            let (tenant, hook) = set.await.unwrap();
            connected.push(Bot {
                id,
                token,
                tenant: tenant.id.to_string(),
                hook,
            });
        }
        Self {
            simulator,
            control,
            bots: connected,
            made: Vec::new(),
        }
    }

    pub(super) fn url(&self) -> String {
        self.simulator.http_url()
    }

    /// Telegram pushes to ingress from now on.
    pub(super) async fn set_webhooks(&self, ingress: &Ingress) {
        let mut client = Client::connect(self.simulator.http_addr().unwrap()).await;
        for bot in &self.bots {
            let body = format!(
                "url=http://{}/webhook/{}",
                ingress.address(),
                bot.hook.expose()
            );
            let request = format!(
                "POST /bot{}/setWebhook HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
                bot.token,
                body.len()
            );
            let answer = client.ask(request).await;
            assert_eq!(answer.status(), 200, "{}", answer.text());
        }
    }

    /// People write so many updates a second.
    pub(super) async fn write(&mut self, rate: u32, time: Duration) {
        let began = Instant::now();
        for tag in 0..u64::from(rate) * time.as_secs() {
            // paced: people write at their own pace
            sleep_until(began + (Duration::from_secs(1) / rate).mul_f64(tag as f64)).await;
            self.make(tag);
        }
    }

    fn make(&mut self, tag: u64) {
        // Each bot in turn; of its people, and kinds of updates, each in turn.
        let bots = self.bots.len() as u64;
        let (place, round) = (usize::try_from(tag % bots).unwrap(), tag / bots);
        let user = 1_000 + tag / 7 % PEOPLE;
        let from = json!({"id": user, "is_bot": false, "first_name": "Bo"});
        let (update, queue, life) = match (round + tag) % 10 {
            0 => (
                json!({"callback_query": {"id": tag.to_string(), "from": from, "chat_instance": "1", "data": tag.to_string()}}),
                "callback",
                Some(150),
            ),
            1 => (
                json!({"inline_query": {"id": tag.to_string(), "from": from, "query": tag.to_string(), "offset": ""}}),
                "inline",
                Some(30),
            ),
            _ => (
                json!({"message": {"message_id": tag + 1, "date": 1, "from": from, "chat": {"id": user, "type": "private"}, "text": tag.to_string()}}),
                "chat",
                None,
            ),
        };
        let at = now();
        let told = self
            .control
            .inject(self.bots[place].id, &update.to_string());
        assert!(told.unwrap(), "bots ask for these kinds");
        self.made.push(Made {
            tag,
            bot: place,
            queue: format!("{queue}:{user}"),
            life,
            at,
        });
    }

    /// Waits until each update was answered 200 by its endpoint, or its time is over; false if that takes too long.
    pub(super) async fn is_done(&self, endpoints: &Endpoints) -> bool {
        let until = Instant::now() + PATIENCE;
        let waits = |made: &&Made| {
            let over = |life: u64| now() > made.at + (life + 5) * 1_000_000;
            !made.life.is_some_and(over) && !endpoints.has(made.tag)
        };
        while self.made.iter().any(|made| waits(&made)) {
            if Instant::now() > until {
                println!(
                    "{} of {} were delivered",
                    endpoints.count(),
                    self.made.len()
                );
                return false;
            }
            // paced: the endpoints wake nobody
            sleep(Duration::from_millis(200)).await;
        }
        true
    }

    /// Updates whose time was over before Telegram could push them.
    pub(super) fn expired(&self) -> u64 {
        let expired = |bot: &Bot| self.control.webhook(bot.id).unwrap().expired_updates;
        self.bots.iter().map(expired).sum()
    }

    /// What was made, in order.
    pub(super) fn made(&self) -> Vec<Value> {
        let line = |made: &Made| {
            let tenant = &self.bots[made.bot].tenant;
            let sleeper = is_sleeper(made.bot);
            json!({"tag": made.tag, "bot": made.bot, "tenant": tenant, "sleeper": sleeper, "queue": made.queue, "life": made.life, "at": made.at})
        };
        self.made.iter().map(line).collect()
    }
}
