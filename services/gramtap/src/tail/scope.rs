//! Which records are shown.
//!
//! In: `--bot`, `--topic`, the registry. Out: partitions to read and a test for each record, to
//! `tail.rs`. Invariant: a bot is found by its code, its bot id or its tenant id; its records are in
//! one partition of each topic, and only that one is read. Without `--bot` an unreachable registry
//! costs the names of the bots and nothing else.

use std::collections::HashMap;

use anyhow::{Context as _, bail};
use gramtap_bus::error::ConsumeError;
use gramtap_bus::{Bus, Delivery, Offset, TopicPartition};
use gramtap_events::{TenantId, Topic, topics};
use gramtap_tenants::Tenant;

use crate::cli::Tail;
use crate::effective::Effective;

/// What is followed.
pub(crate) struct Scope {
    topics: Vec<&'static Topic>,
    bot: Option<TenantId>,
    names: HashMap<TenantId, String>,
}

impl Scope {
    pub(crate) async fn find(effective: &Effective, arguments: &Tail) -> anyhow::Result<Self> {
        let tenants = tenants(effective).await;
        let bot = match (&arguments.bot, &tenants) {
            (None, _) => None,
            (Some(wanted), Ok(tenants)) => Some(one(wanted, tenants)?),
            (Some(wanted), Err(_)) if wanted.parse::<TenantId>() == Ok(TenantId::UNATTRIBUTED) => {
                Some(TenantId::UNATTRIBUTED)
            }
            (Some(_), Err(_)) => {
                return Err(tenants.err().unwrap_or_else(|| anyhow::anyhow!("unknown")))
                    .context("the bot cannot be looked up; without --bot all records are shown");
            }
        };
        if let Err(error) = &tenants {
            tracing::warn!(%error, "the bots' names are not known");
        }
        let names = tenants.unwrap_or_default().into_iter();
        Ok(Self {
            topics: arguments.topic.map_or_else(told, |topic| vec![topic]),
            bot,
            names: names
                .filter_map(|tenant| Some((tenant.id, tenant.name?)))
                .collect(),
        })
    }

    /// The end of each partition that may hold such records.
    pub(crate) async fn partitions(
        &self,
        bus: &Bus,
    ) -> Result<Vec<(TopicPartition, Offset)>, ConsumeError> {
        let mut partitions = Vec::new();
        for topic in &self.topics {
            let numbers = match self.bot {
                Some(bot) => {
                    let number = bus.partition_for(topic, bot.as_str().as_bytes()).await?;
                    number..number + 1
                }
                None => 0..bus.partitions(topic).await?,
            };
            let ends = numbers.map(|partition| (TopicPartition { topic, partition }, Offset::End));
            partitions.extend(ends);
        }
        Ok(partitions)
    }

    /// Whether a record is to be shown.
    pub(crate) fn holds(&self, delivery: &Delivery) -> bool {
        self.bot
            .is_none_or(|bot| delivery.key.as_deref() == Some(bot.as_str().as_bytes()))
    }

    /// What the operator calls the bots.
    pub(crate) fn names(&self) -> HashMap<TenantId, String> {
        self.names.clone()
    }
}

/// All that happens; what analytics remembers of it, and sealed bodies, are shown to whoever asks for their topics.
fn told() -> Vec<&'static Topic> {
    let mut topics = topics::ALL.to_vec();
    topics.retain(|topic| **topic != topics::SEEN && !topic.restricted);
    topics
}

async fn tenants(effective: &Effective) -> anyhow::Result<Vec<Tenant>> {
    let registry = effective.open()?.registry;
    let tenants = registry.list().await?;
    registry.database().close().await;
    Ok(tenants)
}

/// The bot that has one of these ids.
pub(crate) fn one(wanted: &str, tenants: &[Tenant]) -> anyhow::Result<TenantId> {
    let lower = wanted.to_ascii_lowercase();
    let fits = |tenant: &&Tenant| {
        tenant.code.as_str() == lower
            || tenant.id.as_str() == lower
            || tenant.bot.is_some_and(|bot| bot.to_string() == wanted)
    };
    match tenants.iter().find(fits) {
        Some(tenant) => Ok(tenant.id),
        None if lower.parse() == Ok(TenantId::UNATTRIBUTED) => Ok(TenantId::UNATTRIBUTED),
        None => bail!(
            "no connected bot has this code, bot id or tenant id; `gramtap bots list` shows them"
        ),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use gramtap_settings::Settings;
    use gramtap_telegram::BotId;
    use gramtap_tenants::{NewTenant, TenantsConfig};

    #[actix_rt::test]
    async fn a_bot_is_found_by_each_of_its_ids() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::load(None, std::iter::empty()).unwrap();
        let registry = TenantsConfig::load(&settings, folder.path())
            .unwrap()
            .open()
            .unwrap()
            .registry;
        let other = registry.add(&NewTenant::default()).await.unwrap();
        let tenant = registry
            .add(&NewTenant {
                bot: Some(BotId(77)),
                ..NewTenant::default()
            })
            .await
            .unwrap();
        let tenants = [other, tenant.clone()];
        for wanted in [
            tenant.code.to_string(),
            tenant.code.to_string().to_uppercase(),
            tenant.id.to_string(),
            "77".to_owned(),
        ] {
            assert_eq!(one(&wanted, &tenants).unwrap(), tenant.id, "{wanted}");
        }
        assert_eq!(
            one(TenantId::UNATTRIBUTED.as_str(), &tenants).unwrap(),
            TenantId::UNATTRIBUTED
        );
        for wanted in ["7", "", "077", "canary"] {
            let error = one(wanted, &tenants).unwrap_err();
            assert!(!error.to_string().contains("canary"));
        }
    }
}
