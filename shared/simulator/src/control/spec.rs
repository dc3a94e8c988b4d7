//! What the control API is given, and what it shows.
//!
//! In and out: `control.rs`, and over HTTP `control/http.rs`. Invariant: a name that is not known
//! is refused, never ignored; a token is taken in but shown nowhere.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use gramtap_telegram::Queue;
use serde::{Deserialize, Serialize};

use crate::journal::Captured;
use crate::push::deliveries::Delivery;
use crate::push::lanes::Seen;
use crate::shared::ConnectionState;

/// Why an order was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// There is no such bot.
    #[error("there is no bot {0}")]
    Bot(i64),
    /// There is no such user.
    #[error("there is no user {0}")]
    User(i64),
    /// There is no such chat.
    #[error("there is no chat {0}")]
    Chat(i64),
    /// There is no such message in that chat.
    #[error("there is no message {0} in that chat")]
    Message(i64),
    /// The token is no token; it is not repeated here.
    #[error("that is no token: {0}")]
    Token(#[from] gramtap_telegram::TokenError),
    /// What was given cannot be used.
    #[error("{0}")]
    Invalid(String),
}

/// A bot to be added.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BotSpec {
    /// `<id>:<secret>`.
    pub token: String,
    /// Made from the id if not given.
    #[serde(default)]
    pub username: Option<String>,
    /// Made from the id if not given.
    #[serde(default)]
    pub first_name: Option<String>,
}

/// A file to be added, so that a bot can download it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FileSpec {
    /// Its name; the path is made from it if none is given.
    pub name: String,
    /// What follows `/file/bot{token}/`: may hold spaces and any letters.
    pub path: Option<String>,
    /// Its content; made up from a pattern of `size` bytes if not given.
    pub text: Option<String>,
    /// How long the pattern is; it takes no memory.
    pub size: u64,
}

/// A file that was added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AddedFile {
    /// For getFile and sending.
    pub file_id: String,
    /// For downloading.
    pub file_path: String,
}

/// A bot that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KnownBot {
    /// The part of its token before the colon.
    pub id: i64,
    /// Without the @.
    pub username: String,
    /// Updates that wait for it.
    pub pending_updates: usize,
    /// Updates that did not fit its queue (a million at most, 512 KiB each).
    pub refused_updates: u64,
    /// Whether a webhook is set.
    pub webhook: bool,
    /// Whether a poll waits.
    pub polling: bool,
}

/// A poll that waits now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ParkedPoll {
    /// Whose it is.
    pub bot: i64,
    /// The connection it came on.
    pub connection: u64,
    /// Its request.
    pub request: u64,
    /// Since when, in the clock's time.
    pub since: Duration,
}

/// A connection that is open now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OpenConnection {
    /// Counts up from 1.
    pub id: u64,
    /// The client's address.
    pub peer: SocketAddr,
    /// Whether it is TLS.
    pub tls: bool,
    /// Since when, in the clock's time.
    pub since: Duration,
    /// Requests so far.
    pub requests: u64,
    /// What it is doing.
    pub state: ConnectionState,
}

/// How a bot's webhook stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookState {
    /// Whether there is one.
    pub set: bool,
    /// Updates that wait, those in flight among them.
    pub pending_updates: usize,
    /// Updates that were dropped because their time was over.
    pub expired_updates: u64,
    /// Open connections.
    pub connections: usize,
    /// Updates in flight.
    pub in_flight: usize,
    /// When the next queue may go on, in the clock's time; none if all that wait are in flight.
    pub next_attempt: Option<Duration>,
    /// Its queues.
    pub queues: Vec<WaitingQueue>,
}

/// A serial queue of a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingQueue {
    /// Which.
    pub queue: Queue,
    /// Updates in it, of those that are looked at: twice max_connections in all.
    pub updates: usize,
    /// The number of the attempt that is under way or comes next, from 1.
    pub attempt: u32,
    /// When, in the clock's time; none while it is under way.
    pub next_attempt: Option<Duration>,
}

impl WaitingQueue {
    pub(super) fn of(seen: &Seen) -> Self {
        Self {
            queue: seen.queue,
            updates: seen.updates,
            attempt: seen.attempt,
            next_attempt: seen.next_at,
        }
    }
}

/// Which deliveries are meant; empty means all.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeliveryFilter {
    /// Only this bot's.
    pub bot: Option<i64>,
    /// Only of this update.
    pub update_id: Option<i64>,
    /// Only those that came later than this id.
    pub after: Option<u64>,
    /// Only those that have ended.
    pub ended: bool,
    /// Only those that succeeded.
    pub taken: bool,
}

impl DeliveryFilter {
    /// Those that have ended.
    #[must_use]
    pub fn ended() -> Self {
        Self {
            ended: true,
            ..Self::default()
        }
    }

    pub(super) fn fits(&self, one: &Delivery) -> bool {
        self.bot.is_none_or(|bot| one.bot == bot)
            && self.update_id.is_none_or(|update| one.update_id == update)
            && self.after.is_none_or(|after| one.id > after)
            && (!self.ended || one.ended.is_some())
            && (!self.taken || (one.ended.is_some() && one.error.is_none()))
    }
}

/// Which requests are meant; empty means all.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Filter {
    /// Only this bot's.
    pub bot: Option<i64>,
    /// Only this method's, in any case; `file` for downloads.
    pub method: Option<String>,
    /// Only those that came later than this id.
    pub after: Option<u64>,
    /// Only those whose body is complete.
    pub complete: bool,
    /// Only those whose answer was written, or cut.
    pub answered: bool,
    /// Only those whose client left before.
    pub left: bool,
}

impl Filter {
    /// All requests of a method.
    #[must_use]
    pub fn method(method: &str) -> Self {
        Self {
            method: Some(method.to_owned()),
            ..Self::default()
        }
    }

    pub(super) fn fits(&self, one: &Captured) -> bool {
        self.bot.is_none_or(|bot| one.bot == Some(bot))
            && self.after.is_none_or(|after| one.id > after)
            && (!self.complete || one.complete)
            && (!self.answered || one.answered.is_some())
            && (!self.left || one.left.is_some())
            && self.method.as_ref().is_none_or(|method| {
                one.method
                    .as_ref()
                    .is_some_and(|own| own.eq_ignore_ascii_case(method))
            })
    }
}

impl fmt::Debug for BotSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BotSpec")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}
