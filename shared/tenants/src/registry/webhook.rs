//! Where a bot's updates go, and at which address Gramtap takes them in.
//!
//! In: the operator's commands, the console, a setWebhook that passes through. Out: the bot's new state, and a [`Hook`], which is told this once.
//! Invariant: the registry keeps a hook's hash alone, and the bot's own address sealed; an address that was replaced is good for
//! [`HOOK_OVERLAP`] more, so that no update is refused while Telegram still has the old one.

use std::time::Duration;

use gramtap_events::Moment;
use gramtap_events::tenant::Mode;

use super::bind::connected;
use super::change::Change;
use super::{Registry, RegistryError};
use crate::{Code, Former, Hook, Tenant, Webhook};

/// How long the address before is good: as long as Telegram keeps an update.
pub const HOOK_OVERLAP: Duration = Duration::from_secs(24 * 60 * 60);

/// A webhook that a bot has set through Gramtap.
#[derive(Debug)]
pub struct Taken {
    /// The bot as it is now.
    pub tenant: Tenant,
    /// The secret part of the address that Telegram is to be told.
    pub hook: Hook,
    before: Tenant,
}

impl Registry {
    /// Takes a bot's webhook over, or gives it another target. `mode` of None: as it was, or by whether the token is stored.
    ///
    /// # Errors
    /// [`RegistryError::UnknownCode`] if no connected bot has the code.
    pub async fn set_webhook(
        &self,
        code: Code,
        webhook: &Webhook,
        mode: Option<Mode>,
    ) -> Result<(Tenant, Hook), RegistryError> {
        let mut change = Change::begin(&self.database).await?;
        let mut tenant = connected(&mut change, code).await?;
        let hook = renew(&mut tenant, &change)?;
        self.lead(&mut tenant, webhook, &hook)?;
        tenant.mode = mode.or(tenant.mode);
        change.write(&mut tenant).await?;
        change.commit().await?;
        Ok((tenant, hook))
    }

    /// The bot itself sets its webhook, through Gramtap: its updates go where it says from now on. The address that Telegram has stays if
    /// the way to the bot does; Telegram is to be told of another one just where it would be told of another webhook.
    ///
    /// # Errors
    /// [`RegistryError::UnknownCode`] if no connected bot has the code; [`RegistryError::Released`].
    pub async fn take_over(&self, code: Code, webhook: &Webhook) -> Result<Taken, RegistryError> {
        let mut change = Change::begin(&self.database).await?;
        let mut tenant = connected(&mut change, code).await?;
        let before = tenant.clone();
        let current = self.webhook(&tenant).ok().flatten();
        if current.as_ref().is_some_and(|current| current.released) {
            change.leave().await?;
            return Err(RegistryError::Released(code));
        }
        let kept = current.filter(|current| current.same_way(webhook));
        let kept = kept.and_then(|current| current.hook);
        let hook = match kept.filter(|hook| tenant.hook == Some(hook.hash())) {
            Some(hook) => hook,
            None => renew(&mut tenant, &change)?,
        };
        self.lead(&mut tenant, webhook, &hook)?;
        change.write(&mut tenant).await?;
        change.commit().await?;
        Ok(Taken {
            tenant,
            hook,
            before,
        })
    }

    /// Telegram has refused: all is as it was before, unless it was changed since. Some: it is now so.
    ///
    /// # Errors
    /// [`RegistryError::UnknownCode`] if the bot is not connected any more.
    pub async fn put_back(&self, taken: &Taken) -> Result<Option<Tenant>, RegistryError> {
        let mut change = Change::begin(&self.database).await?;
        let mut tenant = connected(&mut change, taken.tenant.code).await?;
        let ours = &taken.tenant;
        if (tenant.hook, &tenant.webhook) != (ours.hook, &ours.webhook) {
            change.leave().await?;
            return Ok(None);
        }
        tenant.hook = taken.before.hook;
        tenant.former_hook = taken.before.former_hook;
        tenant.webhook.clone_from(&taken.before.webhook);
        change.write(&mut tenant).await?;
        change.commit().await?;
        Ok(Some(tenant))
    }

    fn lead(
        &self,
        tenant: &mut Tenant,
        webhook: &Webhook,
        hook: &Hook,
    ) -> Result<(), RegistryError> {
        let mut webhook = webhook.clone();
        webhook.hook = Some(hook.clone());
        tenant.webhook = Some(self.keys.seal_webhook(tenant.id, &webhook)?);
        Ok(())
    }

    /// Chooses how the updates of a bot's webhook go on; target and address stay as they are.
    ///
    /// # Errors
    /// [`RegistryError::UnknownCode`]; [`RegistryError::NoWebhook`] if it has none here.
    pub async fn set_mode(&self, code: Code, mode: Mode) -> Result<Tenant, RegistryError> {
        let mut change = Change::begin(&self.database).await?;
        let mut tenant = connected(&mut change, code).await?;
        if tenant.hook.is_none() {
            change.leave().await?;
            return Err(RegistryError::NoWebhook(code));
        }
        tenant.mode = Some(mode);
        change.write(&mut tenant).await?;
        change.commit().await?;
        Ok(tenant)
    }

    /// Gives a bot's webhook another address, because somebody may know the old one or nobody knows it any more.
    ///
    /// # Errors
    /// [`RegistryError::UnknownCode`]; [`RegistryError::NoWebhook`] if it has none here.
    pub async fn rotate_hook(&self, code: Code) -> Result<(Tenant, Hook), RegistryError> {
        let mut change = Change::begin(&self.database).await?;
        let mut tenant = connected(&mut change, code).await?;
        if tenant.hook.is_none() {
            change.leave().await?;
            return Err(RegistryError::NoWebhook(code));
        }
        let hook = renew(&mut tenant, &change)?;
        // What cannot be opened is not known by the bot's next setWebhook, and replaced by it.
        if let Ok(Some(webhook)) = self.webhook(&tenant) {
            self.lead(&mut tenant, &webhook, &hook)?;
        }
        change.write(&mut tenant).await?;
        change.commit().await?;
        Ok((tenant, hook))
    }

    /// Gives a bot its webhook back for good: updates that Telegram still sends here, and those that wait, are delivered for a while more,
    /// and when the bot sets its webhook again, that is not taken over.
    ///
    /// # Errors
    /// [`RegistryError::UnknownCode`]; [`RegistryError::NoWebhook`] if it has none here.
    pub async fn release_webhook(&self, code: Code) -> Result<Tenant, RegistryError> {
        self.end_webhook(code, true, None).await
    }

    /// The bot has deleted its webhook. As [`Registry::release_webhook`], but where it sets it again, that is taken over again. `dropped`: as of
    /// [`Registry::drop_waiting`].
    ///
    /// # Errors
    /// [`RegistryError::UnknownCode`]; [`RegistryError::NoWebhook`] if it has none here, and nothing is dropped.
    pub async fn drop_webhook(
        &self,
        code: Code,
        dropped: Option<Moment>,
    ) -> Result<Tenant, RegistryError> {
        self.end_webhook(code, false, dropped).await
    }

    /// The bot had Telegram drop what waits: what was received before this moment and still waits is not delivered here either.
    ///
    /// # Errors
    /// [`RegistryError::UnknownCode`].
    pub async fn drop_waiting(&self, code: Code, before: Moment) -> Result<Tenant, RegistryError> {
        let mut change = Change::begin(&self.database).await?;
        let mut tenant = connected(&mut change, code).await?;
        tenant.dropped_before = tenant.dropped_before.max(Some(before));
        change.write(&mut tenant).await?;
        change.commit().await?;
        Ok(tenant)
    }

    async fn end_webhook(
        &self,
        code: Code,
        released: bool,
        dropped: Option<Moment>,
    ) -> Result<Tenant, RegistryError> {
        let mut change = Change::begin(&self.database).await?;
        let mut tenant = connected(&mut change, code).await?;
        if !retire(&mut tenant, &change) && dropped.is_none() {
            change.leave().await?;
            return Err(RegistryError::NoWebhook(code));
        }
        tenant.dropped_before = tenant.dropped_before.max(dropped);
        if let Ok(Some(mut webhook)) = self.webhook(&tenant)
            && released
        {
            webhook.released = true;
            tenant.webhook = Some(self.keys.seal_webhook(tenant.id, &webhook)?);
        }
        change.write(&mut tenant).await?;
        change.commit().await?;
        Ok(tenant)
    }

    /// Where a bot takes updates, if that is known here.
    ///
    /// # Errors
    /// It was sealed with a key that is not configured.
    pub fn webhook(&self, tenant: &Tenant) -> Result<Option<Webhook>, RegistryError> {
        let open = |sealed| self.keys.open_webhook(tenant.id, sealed);
        Ok(tenant.webhook.as_ref().map(open).transpose()?)
    }
}

/// A new hook; the one before is good for a while.
fn renew(tenant: &mut Tenant, change: &Change) -> Result<Hook, RegistryError> {
    let hook = Hook::generate()?;
    retire(tenant, change);
    tenant.hook = Some(hook.hash());
    Ok(hook)
}

/// The hook becomes the one before. False: there was none.
fn retire(tenant: &mut Tenant, change: &Change) -> bool {
    let Some(hash) = tenant.hook.take() else {
        return false;
    };
    tenant.former_hook = Some(Former {
        hash,
        until: (change.now.time() + HOOK_OVERLAP).into(),
    });
    true
}
