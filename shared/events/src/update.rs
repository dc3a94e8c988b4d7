//! `gramtap.updates.v1`: what Telegram told a bot.
//!
//! In: ingress, `observe/split.rs`. Out: analytics. Invariant: one record per update and answer
//! that held it; what the privacy mode forbids is not in `update`.

use std::borrow::Cow;

use gramtap_telegram::{BotId, UpdateKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::call::Client;
use crate::{Moment, Record, RecordId, TenantId, Topic, topics};

/// An update seen on its way to a bot.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Update {
    /// Version of this shape.
    pub v: u16,
    /// Which record this is.
    pub record: RecordId,
    /// The bot, as this installation knows it.
    pub tenant: TenantId,
    /// Telegram's id of the bot.
    #[schemars(with = "Option<i64>")]
    pub bot: Option<BotId>,
    /// When it was received.
    pub at: Moment,
    /// How it came.
    pub via: Via,
    /// Who asked for it; null for a webhook.
    pub client: Option<Client>,
    /// Telegram's number of the update; null where it was cut before the number.
    pub update_id: Option<i64>,
    /// Its kind: the name of its field, or `other:<name>`; null where it was cut before the name.
    #[serde(rename = "type")]
    pub kind: Option<Cow<'static, str>>,
    /// The update that the privacy mode lets through.
    #[schemars(with = "Option<serde_json::Value>")]
    pub update: Option<Box<RawValue>>,
    /// Whether it was too large to copy.
    pub cut: bool,
}

/// How an update came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    /// In an answer to getUpdates.
    Poll,
    /// By a webhook.
    Webhook,
}

impl Update {
    /// Names a kind the way the field `type` does.
    #[must_use]
    pub fn kind_of(kind: &UpdateKind) -> Cow<'static, str> {
        kind.name()
    }
}

impl Record for Update {
    const TOPIC: &'static Topic = &topics::UPDATES;
    const VERSION: u16 = 1;

    fn kind(&self) -> &'static str {
        "update"
    }

    fn tenant(&self) -> TenantId {
        self.tenant
    }
}
