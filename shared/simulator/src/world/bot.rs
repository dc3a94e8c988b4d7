//! One bot: who it is, and how it gets its updates.
//!
//! In: the control API, or the first call with an unknown token (`world.rs`). Out: the result of
//! getMe, and the bot's [`Polling`]. Invariant: the token shows nowhere but in [`Bot::is`]'s comparison.

use std::collections::BTreeMap;
use std::fmt;

use super::Waiter;
use super::people::{Standing, User};
use super::polling::Polling;
use crate::json::{Object, Raw};

/// A bot.
pub(crate) struct Bot {
    token: String,
    pub(crate) user: User,
    pub(crate) polling: Polling<Waiter>,
    /// The kinds it asked for; `None`: the default.
    pub(crate) allowed: Option<Vec<&'static str>>,
    /// Where it differs from [`Standing::Member`].
    pub(crate) standings: BTreeMap<i64, Standing>,
    /// The id of its next message in private chats and basic groups.
    pub(crate) next_message: i64,
    /// Settings that methods write and read back, by method and arguments (`methods/profile.rs`).
    pub(crate) settings: BTreeMap<String, Raw>,
    pub(crate) logged_out: bool,
    /// It has been called, and does not count as new.
    pub(crate) live: bool,
    /// When the session began, in the clock's time; `close` is refused for ten minutes.
    pub(crate) live_since: std::time::Duration,
}

impl Bot {
    pub(crate) fn new(
        id: i64,
        token: &str,
        name: &str,
        username: &str,
        now: std::time::Duration,
    ) -> Self {
        let mut user = User::new(id, name);
        user.username = Some(username.to_owned());
        user.language_code = None;
        user.is_bot = true;
        Self {
            token: token.to_owned(),
            user,
            // Any number would do; one that is the same in every run and not near another bot's.
            polling: Polling::new(100_000_000 + (id % 1_000_003) * 641),
            allowed: None,
            standings: BTreeMap::new(),
            next_message: 1,
            settings: BTreeMap::new(),
            logged_out: false,
            live: false,
            live_since: now,
        }
    }

    /// Whether this is the bot's token.
    pub(crate) fn is(&self, token: &str) -> bool {
        self.token == token
    }

    pub(crate) fn standing(&self, chat: i64) -> Standing {
        self.standings.get(&chat).copied().unwrap_or_default()
    }

    /// The result of getMe.
    pub(crate) fn me(&self) -> Raw {
        Object::new()
            .number("id", self.user.id)
            .put("is_bot", &true)
            .put("first_name", &self.user.shown_name())
            .some("username", self.user.username.as_ref())
            .put("can_join_groups", &true)
            .put("can_read_all_group_messages", &false)
            .put("supports_inline_queries", &true)
            .put("can_connect_to_business", &false)
            .put("has_main_web_app", &false)
            .put("has_topics_enabled", &false)
            .put("allows_users_to_create_topics", &false)
            .end()
    }
}

impl fmt::Debug for Bot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bot")
            .field("id", &self.user.id)
            .finish_non_exhaustive()
    }
}
