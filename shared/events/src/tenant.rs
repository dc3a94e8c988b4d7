//! `gramtap.tenants.v1`: the last state of each connected bot.
//!
//! In: the registry's outbox (`shared/tenants`). Out: every ingress warms its cache from it.
//! Invariant: `version` grows with every change of a tenant, so that an older record never
//! replaces a newer state; no secret is ever in it but sealed.

use gramtap_telegram::BotId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Moment, Record, TenantId, Topic, topics};

/// A connected bot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TenantState {
    /// Version of this shape.
    pub v: u16,
    /// Grows with every change.
    pub version: u64,
    /// The bot, as this installation knows it.
    pub tenant: TenantId,
    /// The public label in its address.
    pub code: Option<String>,
    /// Telegram's id of the bot; null until known.
    #[schemars(with = "Option<i64>")]
    pub bot: Option<BotId>,
    /// What the operator calls it.
    pub name: Option<String>,
    /// The hash of its webhook's secret part.
    pub hook_hash: Option<String>,
    /// The hash of the one before, which is good for a while more.
    #[serde(default)]
    pub former_hook_hash: Option<String>,
    /// When that one ends.
    #[serde(default)]
    pub former_hook_until: Option<Moment>,
    /// Where the bot takes updates, sealed with a key of the installation.
    #[serde(default)]
    pub webhook: Option<String>,
    /// Updates that were received before this and still wait are not delivered: the bot had them dropped.
    #[serde(default)]
    pub dropped_before: Option<Moment>,
    /// How its webhook's updates are passed on.
    pub mode: Option<Mode>,
    /// What is kept of bodies.
    pub privacy: Privacy,
    /// The named upstream, where it is not the usual one.
    pub upstream: Option<String>,
    /// When it was removed. It is relayed uncaptured for a day more.
    pub deleted_at: Option<Moment>,
    /// Whether it was removed at once, without that day.
    #[serde(default)]
    pub gone: bool,
}

impl Record for TenantState {
    const TOPIC: &'static Topic = &topics::TENANTS;
    const VERSION: u16 = 1;

    fn kind(&self) -> &'static str {
        "tenant"
    }

    fn tenant(&self) -> TenantId {
        self.tenant
    }
}

/// What is kept of a bot's bodies; applied before anything is queued.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Privacy {
    /// Method, status, sizes and times alone.
    Off,
    /// Ids, commands and kinds; no texts, no names.
    #[default]
    Metadata,
    /// As `metadata`, with ids replaced by keyed hashes.
    Pseudonymous,
    /// Everything but tokens and secrets.
    Full,
}

/// How a webhook's updates are passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Kept first, delivered then.
    Inbox,
    /// Passed on at once, the bot's answer passed back.
    Relay,
}

impl std::str::FromStr for Mode {
    type Err = ModeError;

    fn from_str(text: &str) -> Result<Self, ModeError> {
        match text {
            "inbox" => Ok(Self::Inbox),
            "relay" => Ok(Self::Relay),
            _ => Err(ModeError),
        }
    }
}

impl Mode {
    /// The mode's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Relay => "relay",
        }
    }
}

/// The text names no mode of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the mode of a webhook is inbox or relay")]
pub struct ModeError;

impl std::str::FromStr for Privacy {
    type Err = PrivacyError;

    fn from_str(text: &str) -> Result<Self, PrivacyError> {
        match text {
            "off" => Ok(Self::Off),
            "metadata" => Ok(Self::Metadata),
            "pseudonymous" => Ok(Self::Pseudonymous),
            "full" => Ok(Self::Full),
            _ => Err(PrivacyError),
        }
    }
}

impl Privacy {
    /// The mode's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Metadata => "metadata",
            Self::Pseudonymous => "pseudonymous",
            Self::Full => "full",
        }
    }
}

/// The text names no privacy mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a privacy mode is off, metadata, pseudonymous or full")]
pub struct PrivacyError;
