//! Who polls, as JSON. See `query/polls.rs`. Pure.
//!
//! In: an answer. Out: the same, for scripts. Invariant: names and definitions are those inside.

use serde::Serialize;
use utoipa::ToSchema;

use super::micro;
use crate::query::polls as inside;

/// How a bot polled.
#[derive(Serialize, ToSchema)]
pub struct Polls {
    /// The hours up to now that this is about; it may begin a part of an hour earlier.
    pub hours: i64,
    /// *Polls*: calls of getUpdates, empty ones and failed ones among them.
    pub polls: i64,
    /// *Conflicts*: polls that were answered 409: ended by another poller, or refused because a webhook is set.
    pub conflicts: i64,
    /// Conflicts by the key of their advice, which tells these apart.
    pub reasons: Vec<Reason>,
    /// Who polled, the latest first.
    pub pollers: Vec<Poller>,
    /// Who is in whose way now.
    pub rivals: Rivals,
}

/// Conflicts of a kind.
#[derive(Serialize, ToSchema)]
pub struct Reason {
    /// The key of their advice.
    pub advice: String,
    /// How many.
    pub n: i64,
}

/// A client that polls.
#[derive(Serialize, ToSchema)]
pub struct Poller {
    /// Its address.
    pub addr: String,
    /// Its `User-Agent`, which names the library.
    pub agent: String,
    /// How many polls.
    pub polls: i64,
    /// Those that were answered 409: the one with more of them loses.
    pub conflicts: i64,
    /// Its first poll in these hours, UTC.
    #[schema(format = DateTime)]
    pub first_at: String,
    /// Its last, UTC.
    #[schema(format = DateTime)]
    pub last_at: String,
}

/// Who is in whose way.
#[derive(Serialize, ToSchema)]
pub struct Rivals {
    /// `none`: nobody, as far as the newest polls tell. `through`: two or more clients poll through Gramtap at once, the first of the
    /// pollers. `beside`: one polls through Gramtap, and another one, which Gramtap does not see, ends its polls.
    pub kind: RivalsKind,
    /// How many poll through Gramtap at once, where two or more do.
    #[schema(minimum = 2)]
    pub clients: Option<i64>,
}

/// What kind of fight it is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RivalsKind {
    /// None.
    None,
    /// Through Gramtap.
    Through,
    /// Beside it.
    Beside,
}

impl Polls {
    /// The polls of some hours.
    #[must_use]
    pub fn new(hours: i64, polls: inside::Polls) -> Self {
        let reasons = polls.reasons.into_iter();
        Self {
            hours,
            polls: polls.polls,
            conflicts: polls.conflicts,
            reasons: reasons.map(|(advice, n)| Reason { advice, n }).collect(),
            pollers: polls.pollers.into_iter().map(Poller::from).collect(),
            rivals: polls.rivals.into(),
        }
    }
}

impl From<inside::Poller> for Poller {
    fn from(poller: inside::Poller) -> Self {
        Self {
            addr: poller.addr,
            agent: poller.agent,
            polls: poller.polls,
            conflicts: poller.conflicts,
            first_at: micro(poller.first_at),
            last_at: micro(poller.last_at),
        }
    }
}

impl From<inside::Rivals> for Rivals {
    fn from(rivals: inside::Rivals) -> Self {
        let (kind, clients) = match rivals {
            inside::Rivals::None => (RivalsKind::None, None),
            inside::Rivals::Through { clients } => (RivalsKind::Through, Some(clients)),
            inside::Rivals::Beside => (RivalsKind::Beside, None),
        };
        let clients = clients.and_then(|clients| i64::try_from(clients).ok());
        Self { kind, clients }
    }
}
