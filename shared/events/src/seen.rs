//! `gramtap.seen.v1`: what analytics has counted of each bot.
//!
//! In: analytics, `decode/seen.rs`, in the same transaction as the events. Out: the same, restored before a
//! partition is decoded. Invariant: what is named here has its event in `events.v1`, so that a
//! record that was sent twice, or an update that a bot polled twice, is counted once. Bounded:
//! the oldest are forgotten first. Records of the kind [`MARKER`] are no memory: a reader writes one
//! to know, when it comes to it, that it has read all that was written before.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Moment, Record, TenantId, Topic, topics};

/// The kind (header `gt-kind`) of a record that only marks a place; its payload is for its writer.
pub const MARKER: &str = "marker";

/// What has been counted of one bot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Seen {
    /// Version of this shape.
    pub v: u16,
    /// The bot.
    pub tenant: TenantId,
    /// Numbers of updates, as ranges of first and last, apart from each other, the one that grew last
    /// at the end.
    pub updates: Vec<(i64, i64)>,
    /// When the last of these updates was received. Telegram starts anew at a random number after a
    /// week without updates: the numbers from before are then forgotten.
    pub updated_at: Option<Moment>,
    /// The instances that have sent records of this bot's calls, the one seen last at the end.
    pub instances: Vec<Instance>,
    /// The same of updates that only their record tells apart: cut before their number, or of no known bot.
    #[serde(default)]
    pub unnumbered: Vec<Instance>,
    /// The same of final deliveries, which forwarders tell.
    #[serde(default)]
    pub deliveries: Vec<Instance>,
}

/// What has been counted of one start of one instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Instance {
    /// `{instance}-{epoch}`, the beginning of its records' ids.
    pub start: String,
    /// Every sequence below this one has been counted, or is taken for counted.
    pub below: u64,
    /// The others of this bot's records that have been counted, ascending.
    pub sequences: Vec<u64>,
}

impl Record for Seen {
    const TOPIC: &'static Topic = &topics::SEEN;
    const VERSION: u16 = 1;

    fn kind(&self) -> &'static str {
        "seen"
    }

    fn tenant(&self) -> TenantId {
        self.tenant
    }
}
