//! What a bot is looked up by, and what is found.
//!
//! In: ingress, the forwarder. Out: the same. Invariant: [`Lookup::Absent`] is said only if the registry was asked
//! or is known to the last second; what could not be asked is [`Lookup::Unreachable`]. Pure.

use std::sync::Arc;

use gramtap_events::{Moment, TenantId};
use gramtap_telegram::BotId;

use crate::{Code, HookHash, Standing, Tenant};

/// What a bot is looked up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// The label of a host name or a path.
    Code(Code),
    /// The public half of a token.
    Bot(BotId),
    /// The secret part of a webhook's address, now or before.
    Hook(HookHash),
    /// Who it is in records.
    Tenant(TenantId),
}

/// What is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// A bot that is served; see [`Tenant::standing_now`] for whether it is captured.
    Found(Arc<Tenant>),
    /// No such bot is served: answer 404.
    Absent,
    /// Not known, and the registry cannot be asked: relay it unattributed.
    Unreachable,
}

impl Lookup {
    /// What it means that the registry has this tenant for a key.
    pub(crate) fn of(key: &Key, tenant: Arc<Tenant>) -> Self {
        // The clock matters to hooks alone: one that was replaced ends.
        if matches!(key, Key::Hook(_)) && !tenant.answers_to(key, Moment::now()) {
            return Self::Absent;
        }
        match tenant.standing_now() {
            Standing::Connected | Standing::Leaving => Self::Found(tenant),
            Standing::Gone => Self::Absent,
        }
    }

    /// The tenant, if one was found.
    #[must_use]
    pub fn found(&self) -> Option<&Arc<Tenant>> {
        match self {
            Self::Found(tenant) => Some(tenant),
            Self::Absent | Self::Unreachable => None,
        }
    }

    /// The fixed word for metrics.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Found(_) => "found",
            Self::Absent => "absent",
            Self::Unreachable => "unreachable",
        }
    }
}
