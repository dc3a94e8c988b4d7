//! Which dates a page shows.
//!
//! In: `?days=` of the address. Out: a [`Period`] of the bot's own dates. Invariant: only the spans that the pages offer, so that no
//! question costs more than it is known to.

use serde::Deserialize;

use super::Site;
use super::bot::Bot;
use crate::query::Period;

/// The spans that can be chosen: days, and what they are called.
pub const SPANS: [(i64, &str); 4] = [
    (1, "Today"),
    (7, "7 days"),
    (30, "30 days"),
    (90, "90 days"),
];

/// `?days=`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Span {
    days: Option<i64>,
}

impl Span {
    /// How many days are shown: what was asked for if it is offered, else `usual`.
    #[must_use]
    pub fn days(self, usual: i64) -> i64 {
        let offered = |days: &i64| SPANS.iter().any(|(offered, _)| offered == days);
        self.days.filter(offered).unwrap_or(usual)
    }

    /// The bot's dates up to today.
    #[must_use]
    pub fn period(self, site: &Site, bot: &Bot, usual: i64) -> Period {
        Period::last(bot.zone.clone(), (site.clock)(), self.days(usual))
    }
}
