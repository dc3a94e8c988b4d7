//! Time zones of bots.
//!
//! In: the console's settings of a bot. Out: rows of `fold_zones`; the zones that `fold/` counts with; dates counted anew. Invariant:
//! the audience of every date that is kept is that of the bot's zone. A change holds all offsets, so no batch
//! that was folded with the old zone is added after it.
//!
//! Sums by hour stay as they were: hours of a zone that is whole hours from UTC are the same hours. After a
//! change between whole and half hours, those counted before are up to 45 minutes off a date's bounds, until
//! they are counted again (`refold.rs`).

use gramtap_database::{Statement, Transaction};
use gramtap_events::TenantId;

use super::{Store, StoreError, apply, audience};
use crate::fold::Zones;
use crate::zone::Zone;

pub(super) const HOLD: Statement = Statement::new(
    "fold_hold",
    "UPDATE fold_offsets SET next_offset = next_offset WHERE part >= $1",
);
const TICK: Statement = Statement::new(
    "fold_tick",
    "UPDATE fold_clock SET version = version + 1 WHERE one = $1",
);
const SET: Statement = Statement::new(
    "zone_set",
    "INSERT INTO fold_zones (tenant, zone) VALUES ($1, $2)
     ON CONFLICT (tenant) DO UPDATE SET zone = excluded.zone",
);
const ALL: Statement = Statement::new("zones", "SELECT tenant, zone FROM fold_zones");
const ONE: Statement = Statement::new("zone", "SELECT zone FROM fold_zones WHERE tenant = $1");
const DAYS: Statement = Statement::new(
    "zone_days",
    "SELECT MIN(day) AS first, MAX(day) AS last FROM bot_user_days WHERE tenant = $1",
);
pub(super) const STATEMENTS: [&Statement; 6] = [&HOLD, &TICK, &SET, &ALL, &ONE, &DAYS];

impl Store {
    /// All zones, as they are now.
    pub async fn zones(&self) -> Result<Zones, StoreError> {
        // The version first: zones that are newer than it are found out by the next batch.
        let version = self.database.first(&apply::VERSION, &[]).await?;
        let version = version.map_or(Ok(0), |row| row.get("version"))?;
        let mut zones = Zones {
            version,
            ..Zones::default()
        };
        for row in self.database.fetch(&ALL, &[]).await? {
            let (tenant, zone): (String, String) = (row.get("tenant")?, row.get("zone")?);
            match (tenant.parse(), Zone::named(&zone)) {
                (Ok(tenant), Ok(zone)) => drop(zones.of.insert(tenant, zone)),
                _ => tracing::warn!(tenant, zone, "time zone not known, counted in utc"),
            }
        }
        Ok(zones)
    }

    /// A bot's zone.
    pub async fn zone(&self, tenant: TenantId) -> Result<Zone, StoreError> {
        let row = self.database.first(&ONE, &[tenant.as_str().into()]).await?;
        let name: Option<String> = row.map(|row| row.get("zone")).transpose()?;
        Ok(name
            .and_then(|name| Zone::named(&name).ok())
            .unwrap_or(Zone::UTC))
    }

    /// Sets a bot's zone, by its IANA name, and counts the audience of all dates anew: some tens of milliseconds for each
    /// date with 100,000 active users, during which no batch is added.
    pub async fn set_zone(&self, tenant: TenantId, name: &str) -> Result<(), StoreError> {
        let zone = Zone::named(name)?;
        let mut transaction = self.database.begin().await?;
        hold(&mut transaction).await?;
        transaction.execute(&TICK, &[1.into()]).await?;
        let values = [tenant.as_str().into(), zone.name().into()];
        transaction.execute(&SET, &values).await?;
        let days = transaction.first(&DAYS, &[tenant.as_str().into()]).await?;
        if let Some(row) = days
            && let (Some(first), Some(last)) = (
                row.get::<Option<i64>>("first")?,
                row.get::<Option<i64>>("last")?,
            )
        {
            // A date may lie a day before or after the day of UTC that it is counted from.
            audience::recount(&mut transaction, tenant, &zone, first - 1, last + 2).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

/// Keeps all batches waiting until the end of a transaction.
pub(super) async fn hold(transaction: &mut Transaction) -> Result<(), StoreError> {
    transaction.execute(&HOLD, &[0.into()]).await?;
    Ok(())
}
