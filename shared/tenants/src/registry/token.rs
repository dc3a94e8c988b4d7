//! Tokens that are stored because their owner asked for it.
//!
//! In: `gramtap bots add --store-token`, the console. Out: the token, to whoever calls Telegram for
//! the bot. Invariant: SQL holds it only sealed, for this tenant; it is deleted when the bot is
//! removed or the code rebound.

use gramtap_events::TenantId;
use gramtap_telegram::Token;

use super::bind::connected;
use super::change::Change;
use super::{Registry, RegistryError, statements};
use crate::{Code, Tenant};

impl Registry {
    /// Stores the token of a connected bot, or replaces it.
    ///
    /// # Errors
    /// [`RegistryError::OtherBot`] if it is not the token of the bot that the code is bound to.
    pub async fn store_token(&self, code: Code, token: &Token) -> Result<Tenant, RegistryError> {
        let mut change = Change::begin(&self.database).await?;
        let mut tenant = connected(&mut change, code).await?;
        tenant.token_stored = true;
        change.write(&mut tenant).await?;
        self.put_token(&mut change, &tenant, token).await?;
        change.commit().await?;
        Ok(tenant)
    }

    /// The stored token of a bot.
    pub async fn token(&self, tenant: TenantId) -> Result<Option<Token>, RegistryError> {
        let values = [tenant.as_str().into()];
        let Some(row) = self.database.first(&statements::TOKEN, &values).await? else {
            return Ok(None);
        };
        let (key_id, sealed): (String, String) = (row.get("key_id")?, row.get("sealed")?);
        Ok(Some(self.keys.open_token(tenant, &key_id, &sealed)?))
    }

    pub(super) async fn put_token(
        &self,
        change: &mut Change,
        tenant: &Tenant,
        token: &Token,
    ) -> Result<(), RegistryError> {
        if tenant.bot != Some(token.bot()) {
            return Err(RegistryError::OtherBot {
                bound: tenant.bot,
                token: token.bot(),
            });
        }
        let sealed = self.keys.seal_token(tenant.id, token)?;
        let values = [
            tenant.id.as_str().into(),
            self.keys.id().into(),
            sealed.into(),
            change.now.to_string().into(),
        ];
        change
            .transaction
            .execute(&statements::PUT_TOKEN, &values)
            .await?;
        Ok(())
    }
}
