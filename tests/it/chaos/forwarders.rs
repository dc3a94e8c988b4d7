//! Three forwarders, of which one after the other is killed.
//!
//! In: an installation on servers. Out: when each was killed, and when it was ready again. Invariant: a forwarder that was killed is started again at once, under
//! its name, as an orchestrator does; it is not waited for before the next one is killed.

use std::time::Duration;

use gramtap_events::{Topic, topics};
use gramtap_tests::{Installation, Service};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use super::now;

/// The group that they share, as the settings' defaults have it.
pub(super) const GROUP: &str = "gramtap-forward";
/// What it reads.
pub(super) const TOPICS: [&Topic; 2] = [&topics::INBOX, &topics::INBOX_RETRY];

const COUNT: usize = 3;

/// See the file's header.
pub(super) struct Forwarders<'i> {
    installation: &'i Installation,
    settings: Vec<(&'i str, &'i str)>,
    running: Vec<Service>,
}

impl<'i> Forwarders<'i> {
    pub(super) async fn start(
        installation: &'i Installation,
        settings: &[(&'i str, &'i str)],
    ) -> Self {
        let mut forwarders = Self {
            installation,
            settings: settings.to_vec(),
            running: Vec::new(),
        };
        for number in 0..COUNT {
            let mut one = forwarders.spawn(number);
            one.wait_until_ready("a forwarder").await;
            forwarders.running.push(one);
        }
        forwarders
    }

    fn spawn(&self, number: usize) -> Service {
        let name = format!("forwarder-{number}");
        let mut settings = self.settings.clone();
        settings.push(("GRAMTAP_FORWARDER__INSTANCE", &name));
        Service::spawn(self.installation, &["gramtap-forwarder"], &name, &settings)
    }

    /// One after the other dies, until then.
    pub(super) async fn die(&mut self, between: Duration, until: Instant) -> Vec<Value> {
        let mut kills = Vec::new();
        let mut next = Instant::now() + between;
        for number in (0..COUNT).cycle() {
            if next >= until {
                break;
            }
            // paced: forwarders die at their own pace
            sleep_until(next).await;
            let from = now();
            self.kill(number).await;
            kills.push(json!({"what": "kill", "who": number, "from": from, "to": now()}));
            next += between;
        }
        kills
    }

    async fn kill(&mut self, number: usize) {
        let dying = self.running.remove(number);
        dying.kill().await;
        let next = self.spawn(number);
        self.running.insert(number, next);
    }

    /// Ends them in order.
    pub(super) async fn stop(self) {
        for mut one in self.running {
            one.wait_until_ready("a forwarder").await;
            one.stop().await;
        }
    }
}
