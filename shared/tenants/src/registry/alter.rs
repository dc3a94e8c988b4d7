//! What an operator changes of a connected bot: its name, what is kept of its traffic.
//!
//! In: the console's settings. Out: the bot's new state. Invariant: what is not named stays; a change that changes
//! nothing takes no version.

use gramtap_events::tenant::Privacy;

use super::add::check_name;
use super::bind::connected;
use super::change::Change;
use super::{Registry, RegistryError};
use crate::{Code, Tenant};

/// What is to be changed; nothing by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alter {
    /// What to call it; `Some(None)` takes its name away.
    pub name: Option<Option<String>>,
    /// What is kept of bodies.
    pub privacy: Option<Privacy>,
}

impl Registry {
    /// Changes what is said of a connected bot.
    ///
    /// # Errors
    /// [`RegistryError::UnknownCode`] if no connected bot has the code; [`RegistryError::Name`].
    pub async fn alter(&self, code: Code, alter: &Alter) -> Result<Tenant, RegistryError> {
        if let Some(name) = &alter.name {
            check_name(name.as_deref())?;
        }
        let mut change = Change::begin(&self.database).await?;
        let before = connected(&mut change, code).await?;
        let mut tenant = before.clone();
        tenant.name = alter.name.clone().unwrap_or(tenant.name);
        tenant.privacy = alter.privacy.unwrap_or(tenant.privacy);
        if tenant == before {
            change.leave().await?;
            return Ok(tenant);
        }
        change.write(&mut tenant).await?;
        change.commit().await?;
        Ok(tenant)
    }
}
