//! Publishes the registry's changes to `tenants.v1`.
//!
//! In: rows of the outbox, written with each change by whichever process made it. Out: the bus.
//! Invariant: the changes of one bot are published in their order, also when several processes
//! publish: one at a time holds a lease (`outbox/lease.rs`) and renews it while it waits for the
//! bus; one that may have lost it meanwhile makes that bot's state anew, with a newer version, so
//! that the last record of a bot is its newest. A change is marked only when the bus has it, so a
//! crash repeats it, which followers ignore. The bus or SQL away: rows wait.

mod lease;
mod sweep;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{BoxFuture, join_all};
use gramtap_bus::{Bus, Header, Message, ProduceError};
use gramtap_database::Database;
use gramtap_events::tenant::TenantState;
use gramtap_events::topics::TENANTS;
use gramtap_events::{Moment, Record, TenantId, record};
use gramtap_telemetry::Counter;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::registry::statements;
use crate::{Registry, RegistryError};
use lease::Lease;

/// How often the outbox is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// Rows that are read at once.
const PAGE: i64 = 100;

/// Where records go; the bus, or a test's.
pub(crate) trait Outlet: Send + Sync {
    /// Returns when it is kept.
    fn publish(&self, message: Message) -> BoxFuture<'_, Result<(), ProduceError>>;
}

impl Outlet for Bus {
    fn publish(&self, message: Message) -> BoxFuture<'_, Result<(), ProduceError>> {
        Box::pin(async move { self.produce(message).await.map(drop) })
    }
}

/// Publishes what waits in the outbox.
pub(crate) struct Publisher {
    registry: Registry,
    database: Database,
    outlet: Arc<dyn Outlet>,
    lease: Lease,
    swept: Option<Instant>,
    /// The last try failed, and that was logged.
    failing: bool,
}

/// A row of the outbox.
struct Waiting {
    id: i64,
    tenant: String,
    record: String,
}

/// Why a round ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutboxError {
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error(transparent)]
    Bus(#[from] ProduceError),
}

impl From<gramtap_database::Error> for OutboxError {
    fn from(error: gramtap_database::Error) -> Self {
        Self::Registry(error.into())
    }
}

impl OutboxError {
    fn label(&self) -> &'static str {
        match self {
            Self::Registry(error) => error.label(),
            Self::Bus(error) => error.label(),
        }
    }
}

impl Publisher {
    pub(crate) fn new(registry: &Registry, outlet: Arc<dyn Outlet>) -> Self {
        let database = registry.database().clone();
        Self {
            registry: registry.clone(),
            lease: Lease::new(database.clone()),
            database,
            outlet,
            swept: None,
            failing: false,
        }
    }

    /// Publishes for as long as it is polled.
    pub(crate) async fn run(mut self) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            match self.round().await {
                Ok(()) => self.failing = false,
                Err(error) if !self.failing => {
                    self.failing = true;
                    tracing::warn!(%error, label = error.label(), "registry's changes wait to be published");
                }
                Err(error) => tracing::debug!(%error, "registry's changes still wait"),
            }
            self.sweep_sometimes().await;
        }
    }

    /// Publishes until nothing waits, or another process holds the lease.
    pub(crate) async fn round(&mut self) -> Result<(), OutboxError> {
        loop {
            // Looked at first, so that an idle process writes nothing.
            if self.waiting().await?.is_empty() || !self.lease.hold().await? {
                return Ok(());
            }
            // Again, because another one may have published them until the lease was ours.
            let changes = self.waiting().await?;
            self.publish(&changes).await?;
        }
    }

    async fn waiting(&self) -> Result<Vec<Waiting>, OutboxError> {
        let rows = self
            .database
            .fetch(&statements::WAITING, &[PAGE.into()])
            .await?;
        let read = |row: &gramtap_database::Row| {
            Ok(Waiting {
                id: row.get("id")?,
                tenant: row.get("tenant")?,
                record: row.get("record")?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Publishes the first change of each bot.
    async fn publish(&mut self, changes: &[Waiting]) -> Result<(), OutboxError> {
        let mut bots = HashSet::new();
        let first = changes.iter().filter(|change| bots.insert(&change.tenant));
        let first: Vec<&Waiting> = first.collect();
        let sending = first
            .iter()
            .map(|change| self.outlet.publish(message(change)));
        let outcomes = self.lease.held_while(join_all(sending)).await;
        let mut failed = None;
        for (change, outcome) in first.into_iter().zip(outcomes) {
            let result = if outcome.is_ok() {
                "delivered"
            } else {
                "failed"
            };
            Counter::Records {
                topic: "tenants",
                result,
            }
            .inc();
            match outcome {
                Ok(()) => self.mark(change).await?,
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(()), |error| Err(error.into()))
    }

    /// The bus has it.
    async fn mark(&self, change: &Waiting) -> Result<(), OutboxError> {
        let values = [change.id.into(), Moment::now().to_string().into()];
        let marked = self
            .database
            .execute(&statements::PUBLISHED, &values)
            .await?;
        if marked == 0 || !self.lease.is_sure() {
            // Another process may have published this bot's later changes before this one arrived.
            if let Ok(tenant) = change.tenant.parse::<TenantId>() {
                self.registry.renew(tenant).await?;
            }
        }
        Ok(())
    }
}

fn message(change: &Waiting) -> Message {
    let payload = Bytes::copy_from_slice(change.record.as_bytes());
    let key = Bytes::copy_from_slice(change.tenant.as_bytes());
    Message::new(&TENANTS, key, payload)
        .with(Header::new(record::KIND, "tenant"))
        .with(Header::new(
            record::VERSION,
            TenantState::VERSION.to_string(),
        ))
}

#[cfg(test)]
mod tests;
