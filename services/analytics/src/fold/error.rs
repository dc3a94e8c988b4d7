//! One group of errors of one bot.
//!
//! In: errors of errors.v1 that differ in nothing a reader could act on. Out: rows of `error_groups`, `sum_errors`,
//! `error_hits` and `error_examples`. Invariant: bounded, whatever the number of errors: a few examples,
//! the newest; chats and users as sketches by day. Pure.

use std::collections::BTreeMap;

use super::sketch::Sketch;
use super::sums::Tally;
use crate::zone::DAY;

/// Examples that are kept of a group: the newest.
pub const EXAMPLES: usize = 5;

/// A group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What its errors have in common, as the newest one says it.
    pub traits: Traits,
    /// The first and the last of them, in microseconds.
    pub seen: (i64, i64),
    /// How many, by hour.
    pub hours: BTreeMap<i64, Tally>,
    /// Whom they hit, by day (UTC).
    pub hits: BTreeMap<(Who, i64), Sketch>,
    /// The newest, by time and id.
    pub examples: BTreeMap<(i64, Box<str>), Example>,
}

/// What the errors of a group have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traits {
    /// The description with numbers, ids and names replaced.
    pub template: Box<str>,
    /// The method.
    pub method: Box<str>,
    /// Telegram's `error_code`, or the HTTP status.
    pub code: Option<i64>,
    /// Who failed.
    pub origin: Box<str>,
    /// How much it matters.
    pub class: Box<str>,
    /// A key of the catalogue of advice.
    pub advice: Box<str>,
}

/// Whom an error hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// A chat.
    Chat,
    /// A user.
    User,
}

impl Who {
    /// As stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::User => "user",
        }
    }
}

/// One error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Example {
    /// The description that the privacy mode lets through.
    pub description: Option<Box<str>>,
    /// The chat it was meant for.
    pub chat_id: Option<i64>,
    /// The user it was meant for.
    pub user_id: Option<i64>,
    /// The update that it answered.
    pub update_id: Option<i64>,
    /// The address of who called.
    pub addr: Option<Box<str>>,
    /// The `User-Agent` of who called.
    pub agent: Option<Box<str>>,
}

impl Group {
    /// A group of no errors yet.
    #[must_use]
    pub fn new(traits: Traits, at: i64) -> Self {
        Self {
            traits,
            seen: (at, at),
            hours: BTreeMap::new(),
            hits: BTreeMap::new(),
            examples: BTreeMap::new(),
        }
    }

    /// Counts an error.
    pub fn add(&mut self, at: i64, hour: i64, seen: u64, id: Box<str>, example: Example) {
        self.seen = (self.seen.0.min(at), self.seen.1.max(at));
        self.hours.entry(hour).or_insert(Tally { n: 0, seen }).n += 1;
        let day = at.div_euclid(1_000_000).div_euclid(DAY);
        for (who, hit) in [(Who::Chat, example.chat_id), (Who::User, example.user_id)] {
            if let Some(hit) = hit {
                self.hits.entry((who, day)).or_default().add(hit);
            }
        }
        self.examples.insert((at, id), example);
        self.trim();
    }

    /// Adds errors that came later in the log.
    pub fn join(&mut self, later: Self) {
        if later.seen.1 >= self.seen.1 {
            self.traits = later.traits;
        }
        self.seen = (self.seen.0.min(later.seen.0), self.seen.1.max(later.seen.1));
        for (hour, tally) in later.hours {
            self.hours.entry(hour).or_insert(Tally { n: 0, ..tally }).n += tally.n;
        }
        for (key, sketch) in later.hits {
            self.hits.entry(key).or_default().join(&sketch);
        }
        self.examples.extend(later.examples);
        self.trim();
    }

    /// Takes out what happened on a day (UTC), as a part of all errors that were too many kinds to tell apart.
    #[must_use]
    pub fn take_day(&mut self, day: i64) -> Self {
        let of_day = |second: i64| second.div_euclid(DAY) == day;
        let traits = Traits {
            template: "".into(),
            method: "".into(),
            code: None,
            ..self.traits.clone()
        };
        let mut out = Self::new(traits, self.seen.1);
        out.seen = self.seen;
        out.hours = self.hours.extract_if(.., |hour, _| of_day(*hour)).collect();
        out.hits = self.hits.extract_if(.., |(_, of), _| *of == day).collect();
        self.examples
            .retain(|(at, _), _| !of_day(at.div_euclid(1_000_000)));
        out
    }

    fn trim(&mut self) {
        while self.examples.len() > EXAMPLES {
            self.examples.pop_first();
        }
    }
}
