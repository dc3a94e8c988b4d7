//! Where a bot's updates go, and at which address Gramtap takes them in.
//!
//! In: the operator's commands, the console, a setWebhook that passes through. Out: the bot's new state, and a [`Hook`], which is told this once.
//! Invariant: the registry keeps a hook's hash alone, and the bot's own address sealed; an address that was replaced is good for
//! [`HOOK_OVERLAP`] more, so that no update is refused while Telegram still has the old one.

use std::time::Duration;

use gramtap_events::tenant::Mode;

use super::bind::connected;
use super::change::Change;
use super::{Registry, RegistryError};
use crate::{Code, Former, Hook, Tenant, Webhook};

/// How long the address before is good: as long as Telegram keeps an update.
pub const HOOK_OVERLAP: Duration = Duration::from_secs(24 * 60 * 60);

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
        tenant.webhook = Some(self.keys.seal_webhook(tenant.id, webhook)?);
        tenant.mode = mode.or(tenant.mode);
        change.write(&mut tenant).await?;
        change.commit().await?;
        Ok((tenant, hook))
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
        change.write(&mut tenant).await?;
        change.commit().await?;
        Ok((tenant, hook))
    }

    /// Gives a bot its webhook back: updates that Telegram still sends here, and those that wait, are delivered for a while more.
    ///
    /// # Errors
    /// [`RegistryError::UnknownCode`]; [`RegistryError::NoWebhook`] if it has none here.
    pub async fn release_webhook(&self, code: Code) -> Result<Tenant, RegistryError> {
        let mut change = Change::begin(&self.database).await?;
        let mut tenant = connected(&mut change, code).await?;
        if !retire(&mut tenant, &change) {
            change.leave().await?;
            return Err(RegistryError::NoWebhook(code));
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
