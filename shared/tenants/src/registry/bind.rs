//! Which bot a code belongs to.
//!
//! In: ingress, when the first call through a code is answered `ok:true`; the console's rebind.
//! Out: [`Binding`]. Invariant: of several first calls at once one binds, and the others see the
//! bot that it bound.

use gramtap_events::TenantId;
use gramtap_telegram::BotId;

use super::change::Change;
use super::{Registry, RegistryError, statements};
use crate::{Code, Tenant};

/// What became of a first call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Binding {
    /// The code is bound to the bot from now on.
    Bound(Tenant),
    /// It was bound to this bot already.
    Already(Tenant),
    /// It is bound to another bot: refuse this one.
    OtherBot(Tenant),
    /// The bot is connected with another code, whose tenant this is. Nothing was bound.
    OtherCode(Tenant),
}

impl Registry {
    /// Binds a code to a bot, if it is bound to none.
    ///
    /// # Errors
    /// [`RegistryError::UnknownCode`] if no connected bot has the code.
    pub async fn bind_first(&self, code: Code, bot: BotId) -> Result<Binding, RegistryError> {
        let mut change = Change::begin(&self.database).await?;
        let mut tenant = connected(&mut change, code).await?;
        let binding = match tenant.bot {
            Some(bound) if bound == bot => Binding::Already(tenant),
            Some(_) => Binding::OtherBot(tenant),
            None => match elsewhere(&mut change, bot).await? {
                Some(other) => Binding::OtherCode(other),
                None => {
                    tenant.bot = Some(bot);
                    change.write(&mut tenant).await?;
                    change.commit().await?;
                    return Ok(Binding::Bound(tenant));
                }
            },
        };
        change.leave().await?;
        Ok(binding)
    }

    /// Binds a code to a bot, whatever it was bound to. The token of another bot is not kept.
    ///
    /// # Errors
    /// [`RegistryError::UnknownCode`]; [`RegistryError::Connected`] if the bot is connected with
    /// another code.
    pub async fn rebind(&self, code: Code, bot: BotId) -> Result<Tenant, RegistryError> {
        let mut change = Change::begin(&self.database).await?;
        let mut tenant = connected(&mut change, code).await?;
        if tenant.bot == Some(bot) {
            change.leave().await?;
            return Ok(tenant);
        }
        if let Some(other) = elsewhere(&mut change, bot).await? {
            change.leave().await?;
            let code = other.code;
            return Err(RegistryError::Connected { bot, code });
        }
        tenant.bot = Some(bot);
        tenant.token_stored = false;
        change.write(&mut tenant).await?;
        let values = [tenant.id.as_str().into()];
        change
            .transaction
            .execute(&statements::DROP_TOKEN, &values)
            .await?;
        change.commit().await?;
        Ok(tenant)
    }
}

impl Registry {
    /// Gives a bot's state a new version, so that it is published after all earlier ones.
    pub(crate) async fn renew(&self, id: TenantId) -> Result<(), RegistryError> {
        let mut change = Change::begin(&self.database).await?;
        match change.by_id(id).await? {
            Some(mut tenant) => {
                change.write(&mut tenant).await?;
                change.commit().await
            }
            None => change.leave().await,
        }
    }
}

/// The connected bot with a code. A change that fails here is dropped, and so undone.
pub(super) async fn connected(change: &mut Change, code: Code) -> Result<Tenant, RegistryError> {
    let tenant = change.by_code(code).await?;
    let tenant = tenant.filter(|tenant| tenant.deleted_at.is_none());
    tenant.ok_or(RegistryError::UnknownCode(code))
}

/// The tenant that a bot is connected as.
async fn elsewhere(change: &mut Change, bot: BotId) -> Result<Option<Tenant>, RegistryError> {
    let tenant = change.by_bot(bot).await?;
    Ok(tenant.filter(|tenant| tenant.deleted_at.is_none()))
}
