//! Who uses a bot, as JSON. See `query/audience.rs`. Pure.
//!
//! In: an answer. Out: the same, for scripts. Invariant: names and definitions are those inside.

use serde::Serialize;
use utoipa::ToSchema;

use crate::query::audience as inside;

/// Who used a bot in a period.
#[derive(Serialize, ToSchema)]
pub struct Audience {
    /// *Active users*: different users with at least one update whose own date falls into the period; bots and Telegram's service
    /// accounts excluded.
    pub active: i64,
    /// *Users*: all that were ever active, as long as the audience's numbers are kept.
    pub ever: i64,
    /// *Blocked now*: users whose last sign is that they blocked the bot: that update, or a refused call, is later than their
    /// last unblocking and any other update of theirs.
    pub blocked: i64,
    /// *Languages*: users seen since the period began, by the language of their client as last told; the most first.
    pub languages: Vec<Language>,
    /// *No language*: users seen since the period began of whom Telegram told no language.
    pub no_language: i64,
    /// *Premium*: users seen since the period began who had Telegram Premium when last seen.
    pub premium: i64,
    /// *Not Premium*: users seen since the period began who had not Telegram Premium when last seen.
    pub regular: i64,
}

/// Users of a language.
#[derive(Serialize, ToSchema)]
pub struct Language {
    /// An IETF language tag.
    pub language: String,
    /// How many users.
    pub n: i64,
}

impl From<inside::Audience> for Audience {
    fn from(audience: inside::Audience) -> Self {
        let languages = audience.languages.into_iter();
        Self {
            active: audience.active,
            ever: audience.ever,
            blocked: audience.blocked,
            languages: languages
                .map(|(language, n)| Language { language, n })
                .collect(),
            no_language: audience.no_language,
            premium: audience.premium,
            regular: audience.regular,
        }
    }
}
