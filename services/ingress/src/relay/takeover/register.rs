//! What a call about a webhook changes in the registry.
//!
//! In: `call.rs`, before and after Telegram is asked. Out: the registry, the directory. Invariant: what the registry does not do in [`PATIENCE`] is not waited for, and told in
//! the log: the bot comes first.

use std::rc::Rc;
use std::time::Duration;

use gramtap_events::Moment;
use gramtap_tenants::{Hook, RegistryError, Taken, Tenant, Webhook};
use tokio::time::timeout;

use super::ask::is_ok;
use super::call::{Call, Sent};
use super::undo;

/// How long the registry is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

impl Call {
    /// The registry knows of it from here on. With what is to be undone if Telegram refuses.
    pub(super) async fn take(
        &self,
        webhook: &Webhook,
        current: Option<&Webhook>,
    ) -> Result<(Hook, Option<Taken>), &'static str> {
        let same = current.filter(|current| {
            current.same_way(webhook) && current.max_connections == webhook.max_connections
        });
        // As a rule a bot that restarts says what it has said before: the registry is not asked.
        if let Some(hook) = same.and_then(Webhook::hook)
            && self.tenant.hook == Some(hook.hash())
        {
            return Ok((hook.clone(), None));
        }
        let registry = &self.worker.takeovers.registry;
        let taken = registry.take_over(self.tenant.code, webhook);
        let taken = self.within(taken).await.ok_or("registry")?;
        self.worker.directory.learn(&taken.tenant);
        Ok((taken.hook.clone(), Some(taken)))
    }

    /// Where Telegram has dropped what waits, as it was asked to at this moment, what waits here is not delivered either.
    pub(super) async fn drop_waiting(&self, sent: &Sent, asked: Option<Moment>) {
        if let Some(before) = asked
            && is_done(sent)
            && self.tenant.webhook.is_some()
        {
            let registry = &self.worker.takeovers.registry;
            let dropped = registry.drop_waiting(self.tenant.code, before);
            self.learn(self.within(dropped).await);
        }
    }

    /// The webhook is deleted, if Telegram says so. `asked`: as of [`Call::drop_waiting`].
    pub(super) async fn end(&self, sent: &Sent, asked: Option<Moment>) {
        if self.tenant.hook.is_none() {
            return self.drop_waiting(sent, asked).await;
        }
        if is_done(sent) {
            let registry = &self.worker.takeovers.registry;
            let ended = registry.drop_webhook(self.tenant.code, asked);
            // Where it is not done, a hook that nobody pushes to does no harm.
            self.learn(self.within(ended).await);
        }
    }

    fn learn(&self, changed: Option<Tenant>) {
        if let Some(tenant) = changed {
            self.worker.directory.learn(&tenant);
        }
    }

    /// Telegram has refused. What the registry does not undo in time is undone later.
    pub(super) async fn put_back(&self, taken: Taken) {
        let registry = &self.worker.takeovers.registry;
        match self.within(registry.put_back(&taken)).await {
            Some(undone) => self.learn(undone),
            None => undo::later(Rc::clone(&self.worker), taken),
        }
    }

    /// What the registry does in time.
    pub(super) async fn within<T>(
        &self,
        change: impl Future<Output = Result<T, RegistryError>>,
    ) -> Option<T> {
        let tenant = self.tenant.id;
        match timeout(PATIENCE, change).await {
            Ok(Ok(done)) => return Some(done),
            Ok(Err(error)) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, %tenant, "the registry was not told of a webhook");
            }
            Err(_) => tracing::warn!(%tenant, "the registry was not told of a webhook in time"),
        }
        None
    }
}

/// Whether Telegram has done what it was asked.
fn is_done(sent: &Sent) -> bool {
    sent.as_ref()
        .is_ok_and(|(_, body)| is_ok(body) == Some(true))
}
