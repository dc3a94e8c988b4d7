//! What a batch adds to the numbers of one bot.
//!
//! In: `count.rs`. Out: `store/`, which adds it to the tables. Invariant: joining is adding; whatever depends on the order of
//! records carries the place of the first one (`seen`), so that joining parts in order is the same as
//! counting the whole. Pure.

use std::collections::BTreeMap;

use super::delivery::Deliveries;
use super::error::Group;
use super::first::{First, Refusals, Standing, Who};
use super::user::User;
use crate::zone::DAY;

/// What is counted by label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Events, by name.
    Event,
    /// Records lost, by reason.
    Gap,
    /// Kinds of media received.
    Media,
    /// Commands received.
    Command,
    /// Buttons pressed, by their data.
    Callback,
    /// Buttons pressed, by their text.
    Button,
    /// `/start` payloads.
    Source,
    /// UTM pairs in such payloads.
    Utm,
    /// Methods called. Only bounds `calls`.
    Method,
    /// Clients that poll. Only bounds `pollers`.
    Poller,
    /// Groups of errors. Only bounds `errors`.
    Error,
    /// Requests that were refused. Only bounds `refused`.
    Refused,
}

impl Kind {
    /// As stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Gap => "gap",
            Self::Media => "media",
            Self::Command => "command",
            Self::Callback => "callback",
            Self::Button => "button",
            Self::Source => "source",
            Self::Utm => "utm",
            Self::Method => "method",
            Self::Poller => "poller",
            Self::Error => "error",
            Self::Refused => "refused",
        }
    }

    /// The kind that is stored so.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let all = [
            Self::Event,
            Self::Gap,
            Self::Media,
            Self::Command,
            Self::Callback,
            Self::Button,
            Self::Source,
            Self::Utm,
            Self::Method,
            Self::Poller,
            Self::Error,
            Self::Refused,
        ];
        all.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether anybody outside can make up labels, so that a day's number of them is bounded.
    #[must_use]
    pub fn is_bounded(self) -> bool {
        !matches!(self, Self::Event | Self::Gap)
    }
}

/// A number, and the place of the first record that it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub n: i64,
    /// The place within the batch.
    pub seen: u64,
}

/// Calls of one method in one hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// All.
    pub calls: i64,
    /// Those that failed.
    pub failed: i64,
    /// Those that failed in an unexpected way.
    pub unexpected: i64,
    /// The place of the first.
    pub seen: u64,
}

/// Whose time a call took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Telegram's.
    Telegram,
    /// Gramtap's.
    Own,
    /// That of an update on its way to the bot's webhook: from when it was taken in to when it was delivered.
    Delivery,
    /// That of the bot's webhook: one attempt.
    Endpoint,
}

impl Side {
    /// As stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Telegram => "telegram",
            Self::Own => "own",
            Self::Delivery => "delivery",
            Self::Endpoint => "endpoint",
        }
    }
}

/// Polls of one client in one hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Poller {
    /// How many.
    pub polls: i64,
    /// Those that were ended by another poller or a webhook (409).
    pub conflicts: i64,
    /// The first and the last, in microseconds.
    pub active: (i64, i64),
    /// The place of the first.
    pub seen: u64,
}

/// A client: its address and its `User-Agent`.
pub type Client = (Box<str>, Box<str>);

/// By label.
pub type ByLabel<T> = BTreeMap<Box<str>, T>;

/// What a batch adds to the numbers of one bot. Hours are the seconds they begin with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sums {
    /// By kind and hour.
    pub labels: BTreeMap<(Kind, i64), ByLabel<Tally>>,
    /// By hour, by method.
    pub calls: BTreeMap<i64, ByLabel<Calls>>,
    /// By hour and side, by method: the number in each bucket of `histogram.rs`.
    pub latency: BTreeMap<(i64, Side), ByLabel<BTreeMap<i64, i64>>>,
    /// By hour, by address and `User-Agent`.
    pub pollers: BTreeMap<i64, BTreeMap<Client, Poller>>,
    /// By group.
    pub errors: ByLabel<Group>,
    /// By id.
    pub users: BTreeMap<i64, User>,
    /// Calls that say whether the bot has come.
    pub firsts: BTreeMap<Standing, First>,
    /// Requests that were refused; of the unattributed tenant alone.
    pub refused: BTreeMap<Who, Refusals>,
    /// What was delivered to its webhook.
    pub deliveries: Deliveries,
}

/// Changes the entry of a label, a new one if need be. A label that is known is not copied.
pub(super) fn at<T>(
    map: &mut ByLabel<T>,
    label: &str,
    new: impl FnOnce() -> T,
    change: impl FnOnce(&mut T),
) {
    if let Some(known) = map.get_mut(label) {
        return change(known);
    }
    change(map.entry(label.into()).or_insert_with(new));
}

impl Sums {
    /// Counts a label.
    pub(super) fn label(&mut self, kind: Kind, hour: i64, label: &str, n: i64, seen: u64) {
        let labels = self.labels.entry((kind, hour)).or_default();
        at(labels, label, || Tally { n: 0, seen }, |it| it.n += n);
    }

    /// Takes in a call that says whether the bot has come.
    pub(super) fn first(&mut self, standing: Standing, first: First) {
        match self.firsts.get_mut(&standing) {
            Some(known) => known.join(standing, first),
            None => drop(self.firsts.insert(standing, first)),
        }
    }

    /// Moves the places of all records behind those of an earlier batch.
    pub(super) fn delay(&mut self, by: u64) {
        let labels = self.labels.values_mut().flat_map(BTreeMap::values_mut);
        labels.for_each(|tally| tally.seen += by);
        let calls = self.calls.values_mut().flat_map(BTreeMap::values_mut);
        calls.for_each(|calls| calls.seen += by);
        let pollers = self.pollers.values_mut().flat_map(BTreeMap::values_mut);
        pollers.for_each(|poller| poller.seen += by);
        let errors = self
            .errors
            .values_mut()
            .flat_map(|group| group.hours.values_mut());
        errors.for_each(|tally| tally.seen += by);
        self.refused.values_mut().for_each(|it| it.seen += by);
    }

    /// Puts every record at the same place.
    #[cfg(test)]
    pub(super) fn forget_places(&mut self) {
        self.labels
            .values_mut()
            .flat_map(BTreeMap::values_mut)
            .for_each(|it| it.seen = 0);
        self.calls
            .values_mut()
            .flat_map(BTreeMap::values_mut)
            .for_each(|it| it.seen = 0);
        self.pollers
            .values_mut()
            .flat_map(BTreeMap::values_mut)
            .for_each(|it| it.seen = 0);
        let errors = self
            .errors
            .values_mut()
            .flat_map(|group| group.hours.values_mut());
        errors.for_each(|it| it.seen = 0);
        self.refused.values_mut().for_each(|it| it.seen = 0);
    }

    /// Adds what came later.
    pub(super) fn join(&mut self, later: Self) {
        for (key, labels) in later.labels {
            let known = self.labels.entry(key).or_default();
            for (label, tally) in labels {
                known.entry(label).or_insert(Tally { n: 0, ..tally }).n += tally.n;
            }
        }
        for (hour, methods) in later.calls {
            let known = self.calls.entry(hour).or_default();
            for (method, calls) in methods {
                let seen = calls.seen;
                let known = known.entry(method).or_insert(Calls {
                    seen,
                    ..Calls::default()
                });
                known.calls += calls.calls;
                known.failed += calls.failed;
                known.unexpected += calls.unexpected;
            }
        }
        for (key, methods) in later.latency {
            let known = self.latency.entry(key).or_default();
            for (method, buckets) in methods {
                let known = known.entry(method).or_default();
                for (bucket, n) in buckets {
                    *known.entry(bucket).or_default() += n;
                }
            }
        }
        for (hour, pollers) in later.pollers {
            let known = self.pollers.entry(hour).or_default();
            for (client, poller) in pollers {
                known
                    .entry(client)
                    .and_modify(|known| known.join(poller))
                    .or_insert(poller);
            }
        }
        for (group, errors) in later.errors {
            match self.errors.get_mut(&group) {
                Some(known) => known.join(errors),
                None => drop(self.errors.insert(group, errors)),
            }
        }
        for (id, user) in later.users {
            self.users.entry(id).or_default().join(user);
        }
        for (standing, first) in later.firsts {
            self.first(standing, first);
        }
        self.deliveries.join(later.deliveries);
        for (who, refusals) in later.refused {
            let known = self.refused.entry(who);
            known
                .and_modify(|known| known.join(refusals))
                .or_insert(refusals);
        }
    }

    /// Leaves only what belongs to a window of whole days (UTC), `from..to` in seconds. What is known of users stays: it is the
    /// same however often it is told.
    pub(super) fn keep(&mut self, from: i64, to: i64) {
        let inside = |second: i64| (from..to).contains(&second);
        self.labels.retain(|(_, hour), _| inside(*hour));
        self.calls.retain(|hour, _| inside(*hour));
        self.latency.retain(|(hour, _), _| inside(*hour));
        self.pollers.retain(|hour, _| inside(*hour));
        for group in self.errors.values_mut() {
            group.hours.retain(|hour, _| inside(*hour));
            group.hits.retain(|(_, day), _| inside(day * DAY));
            group
                .examples
                .retain(|(at, _), _| inside(at.div_euclid(1_000_000)));
        }
        for user in self.users.values_mut() {
            user.days.retain(|day, _| inside(day * DAY));
        }
        self.refused.retain(|who, _| inside(who.day * DAY));
    }
}

impl Poller {
    /// Adds polls that came later in the log.
    pub(crate) fn join(&mut self, later: Self) {
        self.polls += later.polls;
        self.conflicts += later.conflicts;
        let (first, last) = self.active;
        self.active = (first.min(later.active.0), last.max(later.active.1));
    }
}
