//! What is known of one user of one bot.
//!
//! In: updates that the user caused, calls that were refused because the user has blocked the bot. Out: rows of `bot_users`
//! and `bot_user_days`. Invariant: the latest of what was said holds, by Telegram's date (seconds), then by when Gramtap
//! received it, then by arrival; joining parts in order is the same as seeing the whole. Pure.

use std::collections::BTreeMap;

use crate::zone::{DAY, QUARTER};

/// Quarters of an hour in half a day.
pub const HALF: u32 = 48;

/// When something was said: Telegram's date in seconds, and receipt in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct When {
    /// Seconds since 1970.
    pub second: i64,
    /// Microseconds since 1970.
    pub at: i64,
}

/// A user, as far as a batch tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// The first and the last update, in microseconds.
    pub active: Option<(i64, i64)>,
    /// The quarters of each day (UTC) in which there was an update: bit 0 is the first after midnight.
    pub days: BTreeMap<i64, u128>,
    /// What Telegram said last.
    pub profile: Option<(When, Profile)>,
    /// The payload of the first `/start` that had one.
    pub source: Option<(When, Box<str>)>,
    /// Whether the last sign of life or death was that the bot is blocked.
    pub blocked: Option<(When, bool)>,
}

/// What Telegram says of a user in every update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// IETF language tag of the user's client.
    pub language: Option<Box<str>>,
    /// Telegram Premium.
    pub premium: bool,
}

impl User {
    /// The user caused an update.
    pub fn acted(&mut self, at: i64) {
        let (first, last) = self.active.unwrap_or((at, at));
        self.active = Some((first.min(at), last.max(at)));
        let second = at.div_euclid(1_000_000);
        let quarter = second.rem_euclid(DAY) / QUARTER;
        *self.days.entry(second.div_euclid(DAY)).or_default() |= 1 << quarter;
    }

    /// Telegram told about the user.
    pub fn told(&mut self, when: When, profile: Profile) {
        latest(&mut self.profile, when, profile);
    }

    /// The user came by a link with a payload.
    pub fn came(&mut self, when: When, payload: Box<str>) {
        if self.source.as_ref().is_none_or(|(known, _)| when < *known) {
            self.source = Some((when, payload));
        }
    }

    /// The user has blocked the bot, or shows that they have not.
    pub fn signalled(&mut self, when: When, blocked: bool) {
        latest(&mut self.blocked, when, blocked);
    }

    /// Adds what was seen later in the log.
    pub fn join(&mut self, later: Self) {
        if let Some((first, last)) = later.active {
            let known = self.active.unwrap_or((first, last));
            self.active = Some((known.0.min(first), known.1.max(last)));
        }
        for (day, quarters) in later.days {
            *self.days.entry(day).or_default() |= quarters;
        }
        if let Some((when, profile)) = later.profile {
            self.told(when, profile);
        }
        if let Some((when, payload)) = later.source {
            self.came(when, payload);
        }
        if let Some((when, blocked)) = later.blocked {
            self.signalled(when, blocked);
        }
    }
}

fn latest<T>(known: &mut Option<(When, T)>, when: When, value: T) {
    if known.as_ref().is_none_or(|(known, _)| when >= *known) {
        *known = Some((when, value));
    }
}

/// The two halves of a day's quarters, as they are stored.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "48 bits")]
pub fn halves(quarters: u128) -> (i64, i64) {
    let mask = (1u128 << HALF) - 1;
    ((quarters & mask) as i64, ((quarters >> HALF) & mask) as i64)
}

/// A day's quarters of the two halves.
#[must_use]
pub fn whole(early: i64, late: i64) -> u128 {
    u128::from(early.cast_unsigned()) | (u128::from(late.cast_unsigned()) << HALF)
}

/// The quarters that a span of seconds covers, by day (UTC). Both ends are whole quarters.
pub fn quarters(from: i64, to: i64) -> impl Iterator<Item = (i64, u128)> {
    let days = from.div_euclid(DAY)..=(to - 1).div_euclid(DAY);
    days.map(move |day| {
        let place = |second: i64| ((second - day * DAY) / QUARTER).clamp(0, DAY / QUARTER);
        let below = |count: i64| (1u128 << count) - 1;
        (day, below(place(to)) & !below(place(from)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_make_the_whole_again() {
        for quarters in [0, 1, 1 << 47, 1 << 48, 1 << 95, (1 << 96) - 1] {
            let (early, late) = halves(quarters);
            assert!(early >= 0 && late >= 0);
            assert_eq!(whole(early, late), quarters);
        }
    }

    #[test]
    fn a_span_covers_its_quarters() {
        let all = (1u128 << 96) - 1;
        let of = |from, to| quarters(from, to).collect::<Vec<_>>();
        assert_eq!(of(0, DAY), [(0, all)]);
        assert_eq!(of(DAY - QUARTER, DAY + 2 * QUARTER), [(0, 1 << 95), (1, 3)]);
        assert_eq!(of(QUARTER, 2 * DAY), [(0, all ^ 1), (1, all)]);
    }

    #[test]
    fn ties_are_settled_by_arrival() {
        let when = When { second: 5, at: 7 };
        let mut user = User::default();
        user.signalled(when, true);
        user.signalled(when, false);
        user.signalled(When { second: 5, at: 6 }, true);
        user.signalled(When { second: 4, at: 9 }, true);
        assert_eq!(user.blocked, Some((when, false)));
        user.came(when, "first".into());
        user.came(when, "second".into());
        assert_eq!(user.source, Some((when, "first".into())));
    }
}
