//! Whether a bot has come, and who came without being connected.
//!
//! In: events of calls. Out: rows of `first_calls` and `refused`. Invariant: of a bot's good calls the first one is kept, of those whose token
//! was refused the last, whatever their order; refusals are told apart by what an operator could act on. Pure.

use super::fact::Fact;
use super::fact::{micros, shown};
use super::text::bounded;
use crate::zone::DAY;

/// Bytes of an address or a `User-Agent`.
const LONGEST: usize = 256;
/// Why ingress answers that there is no such bot here.
const REASONS: [&str; 3] = ["bot_unknown", "code_unknown", "bot_mismatch"];

/// Whether Telegram accepted a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It did.
    Good,
    /// It did not, so far.
    Refused,
}

impl Standing {
    /// As stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Refused => "refused",
        }
    }
}

/// A call that says whether a bot has come.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct First {
    /// When it came, in microseconds.
    pub at: i64,
    /// What it asked for.
    pub method: Box<str>,
    /// Its error code.
    pub code: Option<i64>,
    /// Where it came from, and its `User-Agent`; empty where the event does not say.
    pub client: (Box<str>, Box<str>),
    /// How long it took, in microseconds.
    pub took_us: i64,
}

impl First {
    /// What a call's event tells; `at` is when it came.
    pub(super) fn of(fact: &Fact<'_>, at: i64) -> Self {
        Self {
            at,
            method: bounded(shown(fact.method.as_ref()), LONGEST).into(),
            code: fact.error_code,
            client: client(fact),
            took_us: took(fact.took_ms.unwrap_or(0.0)),
        }
    }

    /// Takes in another one of the same standing.
    pub(super) fn join(&mut self, standing: Standing, other: Self) {
        let better = match standing {
            Standing::Good => other < *self,
            Standing::Refused => other > *self,
        };
        if better {
            *self = other;
        }
    }
}

/// What tells refusals apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Who {
    /// The day in UTC.
    pub day: i64,
    /// Why; empty for all that came after the day's bound was reached.
    pub reason: Box<str>,
    /// The bot id; 0 for none.
    pub bot: i64,
    /// The code that was called; empty for the shared host.
    pub code: Box<str>,
    /// Where they came from, and their `User-Agent`.
    pub client: (Box<str>, Box<str>),
}

impl Who {
    /// What it is known by among the labels of its day.
    pub(crate) fn label(&self) -> Box<str> {
        let (addr, agent) = &self.client;
        format!("{} {} {} {addr} {agent}", self.reason, self.bot, self.code).into()
    }

    /// All others of its day.
    pub(crate) fn others(day: i64) -> Self {
        Self {
            day,
            ..Self::default()
        }
    }
}

/// Refusals alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusals {
    /// How many were told of.
    pub n: i64,
    /// The first and the last, in microseconds.
    pub active: (i64, i64),
    /// The place of the first.
    pub seen: u64,
}

impl Refusals {
    /// Adds those that came later in the log.
    pub(crate) fn join(&mut self, later: Self) {
        self.n += later.n;
        let (first, last) = self.active;
        self.active = (first.min(later.active.0), last.max(later.active.1));
    }
}

/// The refusal that an event of the unattributed tenant tells of, if it does.
pub(super) fn refusal(fact: &Fact<'_>, seen: u64) -> Option<(Who, Refusals)> {
    let reason = shown(fact.props.label.as_ref());
    let at = micros(fact.at);
    let who = Who {
        day: at.div_euclid(1_000_000).div_euclid(DAY),
        reason: REASONS
            .iter()
            .find(|known| **known == reason)?
            .to_owned()
            .into(),
        bot: fact.bot.unwrap_or(0),
        code: bounded(shown(fact.props.code.as_ref()), 26).into(),
        client: client(fact),
    };
    let active = (at, at);
    Some((who, Refusals { n: 1, active, seen }))
}

fn client(fact: &Fact<'_>) -> (Box<str>, Box<str>) {
    let text = |text: &Option<super::fact::Text<'_>>| bounded(shown(text.as_ref()), LONGEST).into();
    (text(&fact.props.addr), text(&fact.props.agent))
}

/// Milliseconds as microseconds; a day at most.
#[expect(clippy::cast_possible_truncation, reason = "it is within bounds")]
fn took(ms: f64) -> i64 {
    (ms * 1_000.0).clamp(0.0, 86_400e6) as i64
}
