//! The head of a bot's page: its title, its dates, and the choice of others.
//!
//! In: the page, its period, the bot. Out: `heading.html`. Invariant: the time zone is named here, once for all times of the page. Pure.

use super::asked::SPANS;
use super::bot::Bot;
use super::clock;
use crate::query::Period;

/// The head of a page.
#[derive(Clone, Debug)]
pub struct Heading {
    /// The title.
    pub title: &'static str,
    /// How many dates are shown.
    pub days: i64,
    /// Links to the other spans: address, name, whether it is this one.
    pub spans: Vec<(String, &'static str, bool)>,
    /// Which dates are shown.
    pub dates: String,
    /// Which dates they are compared with; empty where nothing is compared.
    pub before: String,
    /// Whose they are.
    pub zone: String,
}

impl Heading {
    /// The head of a bot's page; `page` is its path below the bot's.
    #[must_use]
    pub fn new(title: &'static str, bot: &Bot, page: &str, period: &Period) -> Self {
        let code = &bot.tenant.code;
        let link = |(days, name): (i64, &'static str)| {
            let address = format!("/bots/{code}/{page}?days={days}");
            (address, name, days == period.days)
        };
        Self {
            title,
            days: period.days,
            spans: SPANS.into_iter().map(link).collect(),
            dates: dates(period),
            before: dates(&period.before()),
            zone: period.zone.name().to_owned(),
        }
    }

    /// The head of a page that compares nothing.
    #[must_use]
    pub fn alone(title: &'static str, bot: &Bot, page: &str, period: &Period) -> Self {
        Self {
            before: String::new(),
            ..Self::new(title, bot, page, period)
        }
    }
}

fn dates(period: &Period) -> String {
    let zone = &period.zone;
    let (first, last) = (period.from(), zone.start(period.end() - 1));
    match period.days {
        1 => clock::weekday(zone, first),
        _ => format!("{} – {}", clock::day(zone, first), clock::day(zone, last)),
    }
}
