//! `gramtap.calls.v1`: what a bot asked of Telegram and what it was told; folds; gaps.
//!
//! In: ingress, `observe/record.rs` (calls, polls) and `publish/` (gaps). Out: analytics.
//! Invariant: no token and nothing that the bot's privacy mode forbids is ever put in; a field
//! never changes its meaning. Times are microseconds; sizes are bytes.

use std::borrow::Cow;

use gramtap_telegram::BotId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{Moment, Record, RecordId, TenantId, Topic, topics};

/// One record of `gramtap.calls.v1`. Read it with [`CallRecord::parse`].
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[allow(
    clippy::large_enum_variant,
    reason = "calls are the rule, the others rare"
)]
pub enum CallRecord {
    /// One call.
    Call(Call),
    /// Empty getUpdates answers of one bot and client, folded.
    Polls(Polls),
    /// Records that were lost, numbered.
    Gap(Gap),
}

impl CallRecord {
    /// Reads a record; its kind stands inside.
    pub fn parse(payload: &[u8]) -> Result<Self, serde_json::Error> {
        // As it is written here, the kind comes first; to look for it elsewhere costs reading twice.
        if payload.starts_with(br#"{"kind":"call","#) {
            return serde_json::from_slice(payload).map(Self::Call);
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "lowercase")]
        enum Kind {
            Call,
            Polls,
            Gap,
        }
        #[derive(Deserialize)]
        struct Tag {
            kind: Kind,
        }
        let tag: Tag = serde_json::from_slice(payload)?;
        Ok(match tag.kind {
            Kind::Call => Self::Call(serde_json::from_slice(payload)?),
            Kind::Polls => Self::Polls(serde_json::from_slice(payload)?),
            Kind::Gap => Self::Gap(serde_json::from_slice(payload)?),
        })
    }
}

impl Record for CallRecord {
    const TOPIC: &'static Topic = &topics::CALLS;
    const VERSION: u16 = 1;

    fn kind(&self) -> &'static str {
        match self {
            Self::Call(_) => "call",
            Self::Polls(_) => "polls",
            Self::Gap(_) => "gap",
        }
    }

    fn tenant(&self) -> TenantId {
        match self {
            Self::Call(call) => call.tenant,
            Self::Polls(polls) => polls.tenant,
            Self::Gap(gap) => gap.tenant,
        }
    }
}

/// A request of a bot, with its answer.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Call {
    /// Version of this shape.
    pub v: u16,
    /// Which record this is.
    pub record: RecordId,
    /// The bot, as this installation knows it.
    pub tenant: TenantId,
    /// Telegram's id of the bot.
    #[schemars(with = "Option<i64>")]
    pub bot: Option<BotId>,
    /// When the request's head was received.
    pub at: Moment,
    /// Who called.
    pub client: Client,
    /// Documented spelling when known, else as sent; `file` for a download.
    pub method: String,
    /// Whether this was the test environment.
    pub test: bool,
    /// What passed over the wire.
    pub http: Http,
    /// Whether Telegram has ever accepted the token.
    pub token: TokenStanding,
    /// The parameters that the privacy mode lets through, as sent.
    #[schemars(with = "Option<serde_json::Value>")]
    pub params: Option<Box<RawValue>>,
    /// Whether parameters are missing because the request was too large to copy or unreadable.
    pub params_cut: bool,
    /// Files that were uploaded: their fields, not their bytes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<File>,
    /// Telegram's `ok`; null when the answer was none of the Bot API's.
    pub ok: Option<bool>,
    /// The result that the privacy mode lets through. Not there for getUpdates, whose updates are records of their own.
    #[schemars(with = "Option<serde_json::Value>")]
    pub result: Option<Box<RawValue>>,
    /// Whether the result is missing because it was too large to copy or unreadable.
    pub result_cut: bool,
    /// What went wrong.
    pub error: Option<Error>,
    /// Who answered.
    pub origin: Origin,
    /// A fixed word for what happened, where the answer is not Telegram's.
    pub label: Option<Cow<'static, str>>,
    /// How long it took.
    pub took: Took,
    /// The code in the address that was called, of calls that were refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// Who called.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Client {
    /// The address of the connection, without port.
    pub addr: Option<String>,
    /// The `User-Agent`, cut to 256 bytes.
    pub agent: Option<String>,
}

/// What passed over the wire.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Http {
    /// The request's method, such as `POST`.
    pub verb: String,
    /// How the parameters were written.
    pub shape: Shape,
    /// Bytes of the request's body.
    pub bytes_in: u64,
    /// Bytes of the answer's body that the bot got.
    pub bytes_out: u64,
    /// The status that the bot got; null when it left before.
    pub status: Option<u16>,
}

/// How a request's parameters are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// In the URL alone.
    Query,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `application/json`.
    Json,
    /// `multipart/form-data`.
    Multipart,
    /// There are none.
    None,
}

/// Whether a token is known to be Telegram's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TokenStanding {
    /// Telegram has answered `ok:true` to it.
    Verified,
    /// It has not, so far: bot ids are public, anyone may send junk.
    Unverified,
}

/// A file inside a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct File {
    /// The part's name.
    pub field: String,
    /// The file's name, where the privacy mode keeps it.
    pub name: Option<String>,
    /// The part's Content-Type.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The file's size.
    pub bytes: u64,
}

/// A failed call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Error {
    /// Telegram's `error_code`, or the HTTP status.
    pub code: i64,
    /// Telegram's text, tokens hidden.
    pub description: Option<String>,
    /// Seconds.
    pub retry_after: Option<i64>,
    /// The supergroup that the group has become.
    pub migrate_to_chat_id: Option<i64>,
}

/// Who answered the bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// The Bot API: a JSON envelope, or a file.
    Telegram,
    /// A server in front of the Bot API: HTML, an empty body.
    Edge,
    /// Nobody: the way there failed.
    Network,
    /// Gramtap itself.
    Gramtap,
    /// The bot's webhook, to which an update was delivered.
    Endpoint,
    /// Nobody: the bot left before.
    Client,
}

/// How long a call took, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Took {
    /// From the request's head to the last byte of the answer.
    pub total_us: u64,
    /// From the first byte sent upstream to the last byte received.
    pub upstream_us: u64,
    /// The rest, less the time spent waiting for the bot to send or read.
    pub own_us: u64,
}

/// Empty answers to getUpdates, folded over a window.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Polls {
    /// Version of this shape.
    pub v: u16,
    /// Which record this is.
    pub record: RecordId,
    /// The bot, as this installation knows it.
    pub tenant: TenantId,
    /// Telegram's id of the bot.
    #[schemars(with = "Option<i64>")]
    pub bot: Option<BotId>,
    /// Who polled.
    pub client: Client,
    /// When the first of them was asked.
    pub from: Moment,
    /// When the last of them was answered.
    pub to: Moment,
    /// How many they are.
    pub count: u64,
    /// The longest of them, in microseconds.
    pub longest_us: u64,
}

/// Records that were lost.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Gap {
    /// Version of this shape.
    pub v: u16,
    /// Which record this is.
    pub record: RecordId,
    /// The bot that lost them.
    pub tenant: TenantId,
    /// When the first of them was made.
    pub from: Moment,
    /// When the last of them was made.
    pub to: Moment,
    /// How many they are.
    pub count: u64,
    /// Why, as a fixed word.
    pub reason: Cow<'static, str>,
}
