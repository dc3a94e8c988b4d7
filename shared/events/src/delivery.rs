//! `gramtap.deliveries.v1`: attempts to hand updates to bots' webhooks.
//!
//! In: the forwarder, one record an attempt, and one for an update that is given up without one. Out: analytics; the
//! forwarder itself, which learns from it at a start what has been delivered since its last commit. Invariant: of the bot's address only
//! scheme and host are put in; nothing of a body. Of an update there is one final record, unless the forwarder was killed between
//! it and its commit.

use std::borrow::Cow;

use gramtap_telegram::{BotId, Queue};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Moment, Record, RecordId, TenantId, Topic, topics};

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Delivery {
    /// Version of this shape.
    pub v: u16,
    /// Which record this is.
    pub record: RecordId,
    /// The bot, as this installation knows it.
    pub tenant: TenantId,
    /// Telegram's id of the bot; null until known.
    #[schemars(with = "Option<i64>")]
    pub bot: Option<BotId>,
    /// When the attempt began.
    pub at: Moment,
    /// When the update was taken in, or its replay was asked for.
    #[serde(default)]
    pub received_at: Option<Moment>,
    /// The record of `inbox.v1` that was to be delivered.
    pub inbox_record: RecordId,
    /// Telegram's number of the update.
    pub update_id: Option<i64>,
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: Cow<'static, str>,
    /// The queue it waited in.
    pub queue: Queue,
    /// Which attempt, from 1; 0 where none was made.
    pub attempt: u32,
    /// Scheme and host of the bot's address, with its port where it is not the usual one.
    pub endpoint: Option<String>,
    /// The status that the endpoint answered.
    pub status: Option<u16>,
    /// A fixed word: what went wrong.
    pub label: Option<Cow<'static, str>>,
    /// What follows.
    pub verdict: Verdict,
    /// When it is tried again.
    pub next_at: Option<Moment>,
    /// From the attempt's begin to its end.
    pub took_us: u64,
    /// The method that the endpoint's answer asked for.
    pub reply_method: Option<String>,
    /// Of a replay: when it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<Moment>,
}

/// What follows from an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The bot has it.
    Delivered,
    /// It is tried again.
    Retry,
    /// Its time is over, or would be before the next attempt.
    Expired,
    /// It cannot be delivered.
    Dead,
    /// The bot's address may not be called.
    Refused,
}

impl Verdict {
    /// As records write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Retry => "retry",
            Self::Expired => "expired",
            Self::Dead => "dead",
            Self::Refused => "refused",
        }
    }

    /// Whether nothing follows: the update is done.
    #[must_use]
    pub fn is_final(self) -> bool {
        self != Self::Retry
    }
}

impl Record for Delivery {
    const TOPIC: &'static Topic = &topics::DELIVERIES;
    const VERSION: u16 = 1;

    fn kind(&self) -> &'static str {
        "delivery"
    }

    fn tenant(&self) -> TenantId {
        self.tenant
    }
}
