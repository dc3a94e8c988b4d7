//! `gramtap.inbox.v1`, `gramtap.inbox.retry.v1`, `gramtap.inbox.dead.v1`: webhook updates that wait for delivery.
//!
//! In: ingress (inbox), the forwarder (retry, dead). Out: the forwarder, analytics, the list of dead letters. Invariant: headers and
//! body are sealed, because they must reach the bot whole whatever its privacy mode is; nothing here knows the
//! key (`shared/tenants` seals and opens) nor the bot's address. An update keeps the `record` that it was taken in under in all three
//! topics: the seal is bound to it. Of one queue, retry holds the updates in the order of inbox (`origin`).

use std::borrow::Cow;
use std::fmt;

use gramtap_telegram::Queue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Moment, Record, RecordId, TenantId, Topic, topics};

/// Bytes that a record of `inbox.v1` leaves below the largest one that the bus takes: for what is added to it when it is parked, given up, or
/// replayed to another address. An update that leaves less is not taken in.
pub const ROOM: usize = 4 * 1024;

/// An update that Telegram was answered 200 for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Inbox {
    /// Version of this shape.
    pub v: u16,
    /// Which record this is.
    pub record: RecordId,
    /// The bot, as this installation knows it.
    pub tenant: TenantId,
    /// When it was received. Its lifetime begins here.
    pub at: Moment,
    /// Telegram's number of the update; null where the body could not be read.
    pub update_id: Option<i64>,
    /// Its kind: the name of its field, or `other:<name>`.
    #[serde(rename = "type")]
    pub kind: Cow<'static, str>,
    /// The queue of the bot that it waits in.
    pub queue: Queue,
    /// The headers to pass on, sealed: a JSON array of pairs of name and value, in the order received.
    pub headers: Sealed,
    /// The body as received, sealed.
    pub body: Sealed,
    /// Somebody asked to have it delivered, though it was given up, or was delivered before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<Replay>,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Replay {
    /// When. Its lifetime begins here, and is a day, whatever the update's kind is.
    pub at: Moment,
    /// Where to, instead of the bot's webhook; sealed, as an address holds secrets.
    pub to: Option<Sealed>,
}

/// An update that waits to be tried again, or behind one that does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Retry {
    /// The update, as it was taken in.
    #[serde(flatten)]
    pub inbox: Inbox,
    /// Its offset in the partition of the same number of `inbox.v1`.
    pub origin: i64,
    /// What has been tried.
    #[serde(flatten)]
    pub tried: Tried,
    /// Not to be tried before this; null for as soon as it is its turn.
    pub next_at: Option<Moment>,
}

/// An update that will not be delivered unless somebody replays it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Dead {
    /// The update, as it was taken in.
    #[serde(flatten)]
    pub inbox: Inbox,
    /// A fixed word: why it was given up.
    pub cause: Cow<'static, str>,
    /// What has been tried.
    #[serde(flatten)]
    pub tried: Tried,
}

/// The attempts to deliver an update.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tried {
    /// How many.
    pub attempts: u32,
    /// When the first one began.
    pub first_at: Option<Moment>,
    /// When the last one began.
    pub last_at: Option<Moment>,
}

/// Bytes under a key of the installation: AES-256-GCM, the tag at the end.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sealed {
    /// Which key.
    pub key: String,
    /// Used once.
    #[serde(with = "base64")]
    #[schemars(with = "String")]
    pub nonce: Vec<u8>,
    /// The sealed bytes, 16 more than they were.
    #[serde(with = "base64")]
    #[schemars(with = "String")]
    pub text: Vec<u8>,
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes under {})", self.text.len(), self.key)
    }
}

/// Bytes as base64 with padding.
mod base64 {
    use std::borrow::Cow;

    use data_encoding::BASE64;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&BASE64.encode_display(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = Cow::<'de, str>::deserialize(from)?;
        BASE64
            .decode(text.as_bytes())
            .map_err(serde::de::Error::custom)
    }
}

impl Record for Inbox {
    const TOPIC: &'static Topic = &topics::INBOX;
    const VERSION: u16 = 1;

    fn kind(&self) -> &'static str {
        "inbox"
    }

    fn tenant(&self) -> TenantId {
        self.tenant
    }
}

impl Record for Retry {
    const TOPIC: &'static Topic = &topics::INBOX_RETRY;
    const VERSION: u16 = 1;

    fn kind(&self) -> &'static str {
        "retry"
    }

    fn tenant(&self) -> TenantId {
        self.inbox.tenant
    }
}

impl Record for Dead {
    const TOPIC: &'static Topic = &topics::INBOX_DEAD;
    const VERSION: u16 = 1;

    fn kind(&self) -> &'static str {
        "dead"
    }

    fn tenant(&self) -> TenantId {
        self.inbox.tenant
    }
}
