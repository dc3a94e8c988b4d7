//! Connecting a bot, and removing it.
//!
//! In: `gramtap bots add` and `rm`, the console. Out: a [`Tenant`] with its code. Invariant: a bot
//! id is connected once at a time; a bot that is added again within its day of grace is the same
//! tenant with the same code, so that a removal by mistake costs nothing; a removed bot's token is
//! not kept.

use gramtap_events::tenant::Privacy;
use gramtap_telegram::{BotId, Token};

use super::change::Change;
use super::{Registry, RegistryError, statements};
use crate::code::new_tenant_id;
use crate::{Code, Standing, Tenant};

/// What is said of a bot to be connected.
#[derive(Clone, Debug, Default)]
pub struct NewTenant {
    /// Its bot id. None: the code is bound to the first bot whose call is answered `ok:true`.
    pub bot: Option<BotId>,
    /// What to call it.
    pub name: Option<String>,
    /// What is kept of bodies. None: `metadata`, or as before if it is added again.
    pub privacy: Option<Privacy>,
    /// Its token, to be stored sealed. A token that is not to be stored does not belong here.
    pub token: Option<Token>,
}

impl NewTenant {
    /// Characters of a name.
    pub const LONGEST_NAME: usize = 128;

    /// The bot that is meant.
    fn bot(&self) -> Result<Option<BotId>, RegistryError> {
        check_name(self.name.as_deref())?;
        match (self.bot, self.token.as_ref().map(Token::bot)) {
            (Some(bot), Some(token)) if bot != token => Err(RegistryError::OtherBot {
                bound: Some(bot),
                token,
            }),
            (bot, token) => Ok(bot.or(token)),
        }
    }
}

/// Whether a bot may be called so.
pub(super) fn check_name(name: Option<&str>) -> Result<(), RegistryError> {
    let longest = NewTenant::LONGEST_NAME;
    match name.is_some_and(|name| name.chars().count() > longest) {
        true => Err(RegistryError::Name),
        false => Ok(()),
    }
}

impl Registry {
    /// Connects a bot.
    ///
    /// # Errors
    /// [`RegistryError::Connected`] if it is connected, with its code;
    /// [`RegistryError::OtherBot`] if `token` is another bot's than `bot`; [`RegistryError::Name`].
    pub async fn add(&self, new: &NewTenant) -> Result<Tenant, RegistryError> {
        let bot = new.bot()?;
        let mut change = Change::begin(&self.database).await?;
        let earlier = match bot {
            Some(bot) => change.by_bot(bot).await?.map(|earlier| (bot, earlier)),
            None => None,
        };
        let earlier = earlier.map(|(bot, earlier)| (earlier.standing(change.now), bot, earlier));
        let mut tenant = match earlier {
            Some((Standing::Connected, bot, earlier)) => {
                change.leave().await?;
                let code = earlier.code;
                return Err(RegistryError::Connected { bot, code });
            }
            Some((Standing::Leaving, _, earlier)) => earlier,
            Some((Standing::Gone, ..)) | None => Tenant {
                id: new_tenant_id()?,
                code: Code::generate()?,
                bot,
                name: None,
                privacy: Privacy::default(),
                mode: None,
                hook: None,
                former_hook: None,
                webhook: None,
                dropped_before: None,
                upstream: None,
                version: 0,
                created_at: Some(change.now),
                deleted_at: None,
                gone: false,
                token_stored: false,
            },
        };
        tenant.deleted_at = None;
        tenant.name = new.name.clone().or(tenant.name);
        tenant.privacy = new.privacy.unwrap_or(tenant.privacy);
        tenant.token_stored = new.token.is_some();
        change.write(&mut tenant).await?;
        if let Some(token) = &new.token {
            self.put_token(&mut change, &tenant, token).await?;
        }
        change.commit().await?;
        Ok(tenant)
    }

    /// Removes a bot. It is relayed uncaptured for a day more, unless `now`. Removing it again
    /// with `now` ends that day.
    pub async fn remove(&self, code: Code, now: bool) -> Result<Tenant, RegistryError> {
        let mut change = Change::begin(&self.database).await?;
        let known = change.by_code(code).await?;
        let known = known.filter(|known| known.standing(change.now) != Standing::Gone);
        let Some(mut tenant) = known else {
            change.leave().await?;
            return Err(RegistryError::UnknownCode(code));
        };
        tenant.deleted_at = tenant.deleted_at.or(Some(change.now));
        tenant.gone = now;
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
