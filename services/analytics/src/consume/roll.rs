//! Keeps what decoding knows of bots as the registry has it.
//!
//! In: SQL, asked for what has changed once a second at most, and only while updates come that were kept sealed. Out: [`Bots`], to the decoders. Invariant:
//! a bot that decoding meets is known, or the registry has said that it is not there; a change of its privacy mode counts within a second. SQL
//! away: bots that are known are decoded as before, for others decoding waits, because nobody could say what may be told of them.

use std::time::Duration;

use gramtap_bus::Delivery;
use gramtap_events::{TenantId, topics};
use gramtap_tenants::{Keys, Registry, RegistryError};
use tokio::time::Instant;

use crate::decode::bots::Bots;

/// How long what was read is good.
const FRESH: Duration = Duration::from_secs(1);
/// Changes of one query at most.
const MOST: u32 = 1_000;

/// Where bots are found, and what opens their updates. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Source {
    /// The bots.
    pub registry: Registry,
    /// The keys.
    pub keys: Keys,
}

/// What is known of the registry.
pub(super) struct Roll {
    registry: Registry,
    pub(super) bots: Bots,
    version: u64,
    asked_at: Option<Instant>,
}

impl Roll {
    pub(super) fn new(source: &Source) -> Self {
        Self {
            registry: source.registry.clone(),
            bots: Bots::new(source.keys.clone()),
            version: 0,
            asked_at: None,
        }
    }

    /// Sees to it that the bot of a record is known, where that matters.
    pub(super) async fn look_up(&mut self, record: &Delivery) -> Result<(), RegistryError> {
        if record.topic != &topics::INBOX {
            return Ok(());
        }
        let key = record.key.as_deref();
        let tenant: Option<TenantId> = key
            .and_then(|key| str::from_utf8(key).ok())
            .and_then(|key| key.parse().ok());
        let knows = |bots: &Bots| tenant.is_none_or(|tenant| bots.knows(tenant));
        let is_fresh = self.asked_at.is_some_and(|at| at.elapsed() < FRESH);
        if is_fresh && knows(&self.bots) {
            return Ok(());
        }
        self.asked_at = Some(Instant::now());
        match self.refresh().await {
            Err(error) if !knows(&self.bots) => Err(error),
            Err(error) => {
                tracing::warn!(%error, "the registry is away, bots count as they were");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    async fn refresh(&mut self) -> Result<(), RegistryError> {
        loop {
            let changed = self.registry.since(self.version, MOST).await?;
            let Some(last) = changed.last() else {
                return Ok(());
            };
            self.version = last.version;
            changed.iter().for_each(|tenant| self.bots.learn(tenant));
        }
    }
}
