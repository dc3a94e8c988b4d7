//! What waits here of a bot's updates, and what its endpoint has met last.
//!
//! In: the registry, where the forwarder writes it (`services/forwarder/src/report/standing.rs`), some seconds late. Out: numbers for getWebhookInfo; what
//! a bot's setWebhook ends. In mode relay there is nothing of it: Telegram itself knows. Invariant: what the registry does not say within [`PATIENCE`]
//! is nothing, and counted: the bot is told what Telegram says.

use bytes::Bytes;
use gramtap_events::Moment;
use gramtap_events::tenant::Mode;
use gramtap_telegram::Answer;
use gramtap_telemetry::Counter;
use gramtap_tenants::{RegistryError, WebhookStanding};
use tokio::time::timeout;

use super::call::Call;
use super::register::PATIENCE;

/// What Telegram answers to an order that changes nothing.
const UNCHANGED: &str = "Webhook is already set";

impl Call {
    /// How the bot's webhook stands here.
    pub(super) async fn standing(&self) -> WebhookStanding {
        let registry = &self.worker.takeovers.registry;
        let told = self.patiently(registry.standing(self.tenant.id)).await;
        told.unwrap_or_default()
    }

    /// The bot has set its webhook: where that changed anything, Telegram forgets what went wrong before.
    pub(super) async fn note_set(&self, answer: &Bytes) {
        let answer = Answer::parse(answer).filter(|answer| answer.ok);
        if answer.is_none_or(|answer| answer.description.as_deref() == Some(UNCHANGED)) {
            return;
        }
        let registry = &self.worker.takeovers.registry;
        let set = registry.standing_set(self.tenant.id, Moment::now());
        self.patiently(set).await;
    }

    async fn patiently<T>(
        &self,
        asked: impl Future<Output = Result<T, RegistryError>>,
    ) -> Option<T> {
        if self.tenant.webhook_mode() != Mode::Inbox {
            return None;
        }
        let result = match timeout(PATIENCE, asked).await {
            Ok(Ok(told)) => return Some(told),
            Ok(Err(error)) => error.label(),
            Err(_) => "timeout",
        };
        Counter::StandingFailed {
            by: "ingress",
            result,
        }
        .inc();
        tracing::debug!(tenant = %self.tenant.id, result, "how a webhook stands is not known");
        None
    }
}
