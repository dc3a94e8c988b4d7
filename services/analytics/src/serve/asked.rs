//! What the address of a page asks for, first of all which dates.
//!
//! In: the query of the address. Out: a [`Period`] of the bot's own dates. Invariant: only the spans that the pages offer, so that no
//! question costs more than it is known to; an address that cannot be read asks for what is usual.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use serde::Deserialize;
use serde::de::DeserializeOwned;

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

/// What an address asks for; what is usual where it cannot be read.
#[derive(Clone, Copy, Debug)]
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned + Default> FromRequest for Asked<T> {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let asked = web::Query::from_query(request.query_string());
        ready(Ok(Self(
            asked.map(web::Query::into_inner).unwrap_or_default(),
        )))
    }
}

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
