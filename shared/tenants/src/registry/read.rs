//! Reading the registry.
//!
//! In: the operator's commands, the console, the directory. Out: [`Tenant`]s. Invariant: nothing is
//! changed here, and nothing secret is read. A look-up of many keys is one query for each kind.

use gramtap_database::{Statement, Value};
use gramtap_events::Moment;

use super::row::{self, signed, unsigned};
use super::{Registry, RegistryError, statements};
use crate::{Code, Key, Standing, Tenant};

impl Registry {
    /// All bots that are served, the newest first; those that were removed less than a day ago
    /// among them.
    pub async fn list(&self) -> Result<Vec<Tenant>, RegistryError> {
        let now = Moment::now();
        let mut tenants = self.read(&statements::LIST, &[]).await?;
        tenants.retain(|tenant| tenant.standing(now) != Standing::Gone);
        Ok(tenants)
    }

    /// The bot with a code, if it is served.
    pub async fn get(&self, code: Code) -> Result<Option<Tenant>, RegistryError> {
        let tenants = self
            .read(&statements::BY_CODE, &[code.as_str().into()])
            .await?;
        let served = |tenant: &Tenant| tenant.standing_now() != Standing::Gone;
        Ok(tenants.into_iter().find(served))
    }

    /// All that ever had one of these keys, the removed ones too. [`statements::FLOOD`] keys at
    /// most are looked at.
    pub(crate) async fn lookup(&self, keys: &[Key]) -> Result<Vec<Tenant>, RegistryError> {
        let mut codes = Vec::new();
        let mut bots = Vec::new();
        let mut hooks = Vec::new();
        let mut ids = Vec::new();
        for key in keys {
            match key {
                Key::Code(code) => codes.push(Value::from(code.as_str())),
                Key::Bot(bot) => bots.push(Value::from(bot.0)),
                Key::Hook(hash) => hooks.push(Value::from(hash.to_string())),
                Key::Tenant(id) => ids.push(Value::from(id.as_str())),
            }
        }
        let mut found = Vec::new();
        for (few, many, mut values) in [
            (&statements::BY_CODES, &statements::FLOOD_OF_CODES, codes),
            (&statements::BY_BOTS, &statements::FLOOD_OF_BOTS, bots),
            (&statements::BY_HOOKS, &statements::FLOOD_OF_HOOKS, hooks),
            (&statements::BY_IDS, &statements::FLOOD_OF_IDS, ids),
        ] {
            if let Some(filler) = values.first().cloned() {
                let (statement, size) = match values.len() <= statements::BATCH {
                    true => (few, statements::BATCH),
                    false => (many, statements::FLOOD),
                };
                values.resize(size, filler);
                found.extend(self.read(statement, &values).await?);
            }
        }
        Ok(found)
    }

    /// The version of the last change.
    pub(crate) async fn clock(&self) -> Result<u64, RegistryError> {
        let row = self.database.first(&statements::CLOCK, &[]).await?;
        let value = row.map(|row| row.get("value")).transpose()?;
        Ok(unsigned(value.unwrap_or_default()))
    }

    /// What changed after a version, in order of versions, `limit` at most. What this version of
    /// Gramtap cannot read is left out, so that it keeps nobody else from being known.
    ///
    /// # Errors
    /// The database.
    pub async fn since(&self, version: u64, limit: u32) -> Result<Vec<Tenant>, RegistryError> {
        let values = [signed(version).into(), i64::from(limit).into()];
        let rows = self.database.fetch(&statements::SINCE, &values).await?;
        let readable = |row| match row::read(row) {
            Err(error @ RegistryError::Unreadable { .. }) => {
                tracing::error!(%error, "a bot of the registry is left out");
                None
            }
            tenant => Some(tenant),
        };
        rows.iter().filter_map(readable).collect()
    }

    async fn read(
        &self,
        statement: &Statement,
        values: &[Value],
    ) -> Result<Vec<Tenant>, RegistryError> {
        let rows = self.database.fetch(statement, values).await?;
        rows.iter().map(row::read).collect()
    }
}
