//! One change of the registry: a transaction, a version, a row of the outbox.
//!
//! In: `add.rs`, `bind.rs`, `token.rs`. Out: rows of `tenants` and of `outbox`. Invariant: the next
//! version is taken first and locks the registry until the end, so that what is read in between
//! stays true and versions become visible in their order. Dropped before `commit`: nothing happened.

use gramtap_database::{Database, Transaction};
use gramtap_events::{Moment, Record, TenantId};
use gramtap_telegram::BotId;

use super::row::{self, signed, unsigned};
use super::{RegistryError, statements};
use crate::{Code, Tenant};

pub(crate) struct Change {
    pub(super) transaction: Transaction,
    /// What changed rows are to carry.
    pub(super) version: u64,
    pub(super) now: Moment,
}

impl Change {
    pub(crate) async fn begin(database: &Database) -> Result<Self, RegistryError> {
        let mut transaction = database.begin().await?;
        let row = transaction.first(&statements::TICK, &[]).await?;
        let version = row.map(|row| row.get("value")).transpose()?;
        Ok(Self {
            transaction,
            version: unsigned(version.unwrap_or_default()),
            now: Moment::now(),
        })
    }

    pub(super) async fn by_code(&mut self, code: Code) -> Result<Option<Tenant>, RegistryError> {
        let values = [code.as_str().into()];
        let row = self
            .transaction
            .first(&statements::BY_CODE, &values)
            .await?;
        row.as_ref().map(row::read).transpose()
    }

    /// The connected one with a bot id, or else the last that had it.
    pub(super) async fn by_bot(&mut self, bot: BotId) -> Result<Option<Tenant>, RegistryError> {
        let values = [bot.0.into()];
        let row = self.transaction.first(&statements::BY_BOT, &values).await?;
        row.as_ref().map(row::read).transpose()
    }

    /// Writes a bot's new state, and the record of it.
    pub(super) async fn write(&mut self, tenant: &mut Tenant) -> Result<(), RegistryError> {
        tenant.version = self.version;
        self.transaction
            .execute(&statements::PUT, &row::write(tenant))
            .await?;
        let state = tenant.state();
        let payload = state.payload().map_err(|_| RegistryError::Unreadable {
            column: "record",
            version: signed(self.version),
        })?;
        let record = String::from_utf8_lossy(&payload).into_owned();
        let values = [
            signed(self.version).into(),
            tenant.id.as_str().into(),
            record.into(),
            self.now.to_string().into(),
        ];
        self.transaction.execute(&statements::SEND, &values).await?;
        Ok(())
    }

    pub(super) async fn by_id(&mut self, id: TenantId) -> Result<Option<Tenant>, RegistryError> {
        let values = [id.as_str().into()];
        let row = self.transaction.first(&statements::BY_ID, &values).await?;
        row.as_ref().map(row::read).transpose()
    }

    pub(super) async fn commit(self) -> Result<(), RegistryError> {
        Ok(self.transaction.commit().await?)
    }

    /// Ends without having changed anything.
    pub(super) async fn leave(self) -> Result<(), RegistryError> {
        Ok(self.transaction.rollback().await?)
    }
}
