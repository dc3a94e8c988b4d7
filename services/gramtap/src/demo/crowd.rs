//! People who do not exist, and what they do.
//!
//! In: the simulated Telegram. Out: users in it, and their acts. Invariant: the same crowd does the same in the same order,
//! whatever the bots answer in between; what cannot be done at the moment (a button under a message that is not there yet) is let be.

use std::time::Duration;

use gramtap_actors::DrainToken;
use gramtap_simulator::{Act, Control, User};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::Value;

/// People of one bot.
const PEOPLE: usize = 36;

const NAMES: [&str; 12] = [
    "Ada", "Boris", "Chiara", "Deniz", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Katya",
    "Leila",
];
const LANGUAGES: [&str; 9] = ["en", "en", "ru", "ru", "de", "es", "pt-br", "tr", "fa"];

/// The people of one bot.
pub(super) struct Crowd {
    pub(super) telegram: Control,
    pub(super) bot: i64,
    people: Vec<i64>,
    /// How many of them have come.
    here: usize,
    /// Who has blocked the bot.
    away: Vec<i64>,
    chance: StdRng,
}

impl Crowd {
    /// Makes them; none has written yet.
    pub(super) fn new(telegram: &Control, bot: i64) -> Self {
        let mut people = Vec::new();
        for (number, id) in (0..PEOPLE).zip(bot % 1_000 * 1_000_000 + 1..) {
            let name = NAMES[number % NAMES.len()];
            let mut user = User::new(id, name);
            let username = format!("{}_{number}", name.to_ascii_lowercase());
            user.username = (number % 4 != 3).then_some(username);
            user.language_code = Some(LANGUAGES[number % LANGUAGES.len()].to_owned());
            user.is_premium = number % 6 == 0;
            telegram.add_user(user);
            people.push(id);
        }
        Self {
            telegram: telegram.clone(),
            bot,
            people,
            here: 0,
            away: Vec::new(),
            chance: StdRng::seed_from_u64(bot.unsigned_abs()),
        }
    }

    /// A number below `sides`.
    pub(super) fn roll(&mut self, sides: usize) -> usize {
        self.chance.random_range(0..sides.max(1))
    }

    /// The next one who has not been here, with their number.
    pub(super) fn newcomer(&mut self) -> Option<(usize, i64)> {
        let (number, user) = (self.here, *self.people.get(self.here)?);
        self.here += 1;
        Some((number, user))
    }

    /// One of those who have, and have not gone.
    pub(super) fn regular(&mut self) -> Option<i64> {
        let number = self.roll(self.here);
        let user = self.people[..self.here].get(number).copied();
        user.filter(|user| !self.away.contains(user))
    }

    /// Somebody has had enough.
    pub(super) fn leave(&mut self, user: i64) {
        let bot = self.bot;
        self.act(&Act::Block { bot, user });
        self.away.push(user);
    }

    /// Somebody who had comes back.
    pub(super) fn come_back(&mut self) {
        let bot = self.bot;
        if let Some(user) = self.away.pop() {
            self.act(&Act::Unblock { bot, user });
            self.say(user, "/start");
        }
    }

    /// Somebody writes.
    pub(super) fn say(&self, user: i64, text: &str) {
        self.act(&Act::Say {
            bot: self.bot,
            user,
            chat: None,
            text: text.to_owned(),
            reply_to: None,
        });
    }

    /// Somebody does something.
    pub(super) fn act(&self, act: &Act) {
        if let Err(error) = self.telegram.act(act) {
            tracing::debug!(%error, "somebody could not do what they wanted");
        }
    }

    /// The newest message in a chat that has this field.
    pub(super) fn newest(&self, user: i64, field: &str) -> Option<(i64, Value)> {
        let messages = self.telegram.messages(self.bot, user);
        let found = messages.iter().rev().find_map(|text| {
            let message: Value = serde_json::from_str(text).ok()?;
            (!message[field].is_null()).then_some(message)
        })?;
        Some((found["message_id"].as_i64()?, found))
    }

    /// Does something again and again, until `stop`.
    pub(super) async fn live(
        mut self,
        every: Duration,
        stop: DrainToken,
        mut step: impl FnMut(&mut Self),
    ) {
        let mut beat = tokio::time::interval(every);
        loop {
            tokio::select! {
                () = stop.draining() => return,
                _ = beat.tick() => step(&mut self),
            }
        }
    }
}
