//! How a bot's webhook stands in the mode inbox: what waits here, and what went wrong last.
//!
//! In: what the forwarder counts (`services/forwarder/src/report/standing.rs`), and that a bot has set its webhook. Out: rows of `webhook_standing`; to ingress,
//! for getWebhookInfo, and to the console. Invariant: of two writes about a bot the one that was decided later stands, whichever arrives last; a
//! failure is forgotten by a later one, or when the bot sets its webhook. While SQL is away all of it fails, and the rows tell how it was before.

use gramtap_database::Value;
use gramtap_events::{Moment, TenantId};
use time::OffsetDateTime;

use super::row::{signed, unsigned};
use super::{Registry, RegistryError, statements};

/// How a bot's webhook stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookStanding {
    /// Updates that were taken in and are neither delivered nor given up, as the forwarder knew some seconds ago.
    pub waiting: u64,
    /// The last attempt that failed since the bot set its webhook.
    pub failed: Option<FailedAttempt>,
}

/// An attempt that failed by the bot's endpoint, or on the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedAttempt {
    /// When it had failed.
    pub at: Moment,
    /// Gramtap's word, a key to advice.
    pub label: String,
    /// What Telegram would tell of it. Without secrets.
    pub message: String,
}

/// What is to be written of a bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingRow {
    /// The bot.
    pub tenant: TenantId,
    /// The partition of the inbox that it is on.
    pub partition: i32,
    /// Updates that wait.
    pub waiting: u64,
    /// The last failure, if it was not written before.
    pub failed: Option<FailedAttempt>,
}

impl Registry {
    /// How a bot's webhook stands; a bot of which nothing was ever written has nothing.
    ///
    /// # Errors
    /// The database.
    pub async fn standing(&self, tenant: TenantId) -> Result<WebhookStanding, RegistryError> {
        let values = [tenant.as_str().into()];
        let row = self.database.first(&statements::STANDING, &values).await?;
        let Some(row) = row else {
            return Ok(WebhookStanding::default());
        };
        let set_at: i64 = row.get("set_at")?;
        let failed_at: Option<i64> = row.get("failed_at")?;
        let failed = match failed_at.filter(|at| *at > set_at).and_then(moment) {
            Some(at) => Some(FailedAttempt {
                at,
                label: row
                    .get::<Option<String>>("failed_label")?
                    .unwrap_or_default(),
                message: row
                    .get::<Option<String>>("failed_message")?
                    .unwrap_or_default(),
            }),
            None => None,
        };
        Ok(WebhookStanding {
            waiting: unsigned(row.get("waiting")?),
            failed,
        })
    }

    /// The bots of some partitions for which something waits, as was written last.
    ///
    /// # Errors
    /// The database.
    pub async fn standing_of(
        &self,
        partitions: &[i32],
    ) -> Result<Vec<(i32, TenantId, u64)>, RegistryError> {
        let mut found = Vec::new();
        for partition in partitions {
            let values = [i64::from(*partition).into()];
            let rows = self
                .database
                .fetch(&statements::STANDING_OF, &values)
                .await?;
            for row in rows {
                // What is no bot's is nobody's business.
                if let Ok(tenant) = row.get::<String>("tenant")?.parse() {
                    found.push((*partition, tenant, unsigned(row.get("waiting")?)));
                }
            }
        }
        Ok(found)
    }

    /// Writes rows that were decided at a time. All of them, or none.
    ///
    /// # Errors
    /// The database.
    pub async fn write_standing(
        &self,
        at: Moment,
        rows: &[StandingRow],
    ) -> Result<(), RegistryError> {
        let mut values: Vec<Value> = Vec::new();
        for row in rows {
            let failed = row.failed.as_ref();
            values.extend([
                row.tenant.as_str().into(),
                i64::from(row.partition).into(),
                signed(row.waiting).into(),
                failed.map(|failed| micros(failed.at)).into(),
                failed.map(|failed| failed.label.clone()).into(),
                failed.map(|failed| failed.message.clone()).into(),
                micros(at).into(),
            ]);
        }
        let mut transaction = self.database.begin().await?;
        transaction
            .execute_bulk(&statements::STANDING_WRITE, &values)
            .await?;
        Ok(transaction.commit().await?)
    }

    /// A bot has set its webhook: what failed before is told no more.
    ///
    /// # Errors
    /// The database.
    pub async fn standing_set(&self, tenant: TenantId, at: Moment) -> Result<(), RegistryError> {
        let values = [tenant.as_str().into(), micros(at).into()];
        self.database
            .execute(&statements::STANDING_SET, &values)
            .await?;
        Ok(())
    }
}

fn micros(at: Moment) -> i64 {
    i64::try_from(at.time().unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX)
}

fn moment(micros: i64) -> Option<Moment> {
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000);
    time.ok().map(Moment::from)
}
