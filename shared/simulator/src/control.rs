//! Drives the simulated people, plays faults, and shows what arrived: the Rust side of it.
//!
//! In: tests, `gramtap simulate`, and the same over HTTP (`control/http.rs`). Out: the worlds, the
//! journal. [`acts`] holds what people do, [`observe`] and [`push`] show
//! what there is, [`spec`] is what is given and shown, [`view`] the JSON of requests. Invariant: a call
//! returns when what it asked for has happened: the update is in the queue, the waiting poll is answered.

pub(crate) mod acts;
pub(crate) mod http;
mod observe;
mod push;
mod spec;
pub(crate) mod view;

use std::sync::Arc;

use crate::clock::Clock;
use crate::content::Content;
use crate::fail::Failure;
use crate::fault::{ArmedFault, Fault};
use crate::json::Raw;
use crate::route::Environment;
use crate::shared::{Connection, ConnectionRules, Shared};
use crate::world::bot::Bot;
use crate::world::people::{Chat, Standing, User};
use crate::world::{self, World};

pub use acts::{Act, Acted};
pub use spec::{
    AddedFile, BotSpec, ControlError, DeliveryFilter, FileSpec, Filter, KnownBot, OpenConnection,
    ParkedPoll, WaitingQueue, WebhookState,
};

/// Drives one environment of a simulator. Clones drive the same.
#[derive(Clone, Debug)]
pub struct Control {
    shared: Arc<Shared>,
    environment: Environment,
}

impl Control {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            environment: Environment::Production,
        }
    }

    /// The same for the other environment.
    #[must_use]
    pub fn environment(&self, environment: Environment) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            environment,
        }
    }

    /// Adds a bot; gives its id. One that is there is replaced, its polls end with 401.
    ///
    /// # Errors
    ///
    /// If the token is none.
    pub fn add_bot(&self, spec: &BotSpec) -> Result<i64, ControlError> {
        let id = gramtap_telegram::Token::parse(&spec.token)?.bot().0;
        let username = spec
            .username
            .clone()
            .unwrap_or_else(|| format!("bot{id}_bot"));
        let name = spec
            .first_name
            .clone()
            .unwrap_or_else(|| format!("Bot {id}"));
        let bot = Bot::new(
            id,
            &spec.token,
            &name,
            &username,
            self.shared.config.clock.now(),
        );
        let before = self.world(|world| world.bots.insert(id, bot));
        if let Some(mut before) = before {
            world::answer(before.polling.end_all(&Failure::new(401, "Unauthorized")));
        }
        Ok(id)
    }

    /// Adds a bot by its token alone; gives its id.
    ///
    /// # Errors
    ///
    /// If the token is none.
    pub fn add_bot_token(&self, token: &str) -> Result<i64, ControlError> {
        self.add_bot(&BotSpec {
            token: token.to_owned(),
            username: None,
            first_name: None,
        })
    }

    /// Removes a bot: its token is 401 from now on, as if revoked. Waiting polls end so too.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn remove_bot(&self, bot: i64) -> Result<(), ControlError> {
        let removed = self.world(|world| world.bots.remove(&bot));
        let mut removed = removed.ok_or(ControlError::Bot(bot))?;
        world::answer(removed.polling.end_all(&Failure::new(401, "Unauthorized")));
        Ok(())
    }

    /// Adds a user, or replaces one.
    pub fn add_user(&self, user: User) {
        self.world(|world| world.users.insert(user.id, user));
    }

    /// Adds a group, supergroup or channel, or replaces one.
    pub fn add_chat(&self, chat: Chat) {
        self.world(|world| world.chats.insert(chat.id, chat));
    }

    /// Adds a file.
    #[must_use]
    pub fn add_file(&self, spec: &FileSpec) -> AddedFile {
        let content = match &spec.text {
            Some(text) => Content::from(text.clone()),
            None => Content::Pattern {
                length: spec.size,
                seed: 0,
            },
        };
        self.world(|world| {
            let file = world.files.add(
                "document",
                &spec.name,
                "application/octet-stream",
                content.length(),
                Some(content),
            );
            if let Some(path) = &spec.path {
                world.files.rename(&file.id, path);
            }
            AddedFile {
                file_id: file.id,
                file_path: spec.path.clone().unwrap_or(file.path),
            }
        })
    }

    /// Sets how a bot stands to a chat or user, without telling the bot (see [`Act::Block`] for that).
    ///
    /// # Errors
    ///
    /// If there is no such bot.
    pub fn set_standing(
        &self,
        bot: i64,
        chat: i64,
        standing: Standing,
    ) -> Result<(), ControlError> {
        self.world(|world| {
            let bot = world.bots.get_mut(&bot).ok_or(ControlError::Bot(bot))?;
            bot.standings.insert(chat, standing);
            Ok(())
        })
    }

    /// A person does something.
    ///
    /// # Errors
    ///
    /// If the bot, user, chat or message in it does not exist.
    pub fn act(&self, act: &Act) -> Result<Acted, ControlError> {
        let clock = &self.shared.config.clock;
        let (now, unix) = (clock.now(), clock.unix());
        self.world(|world| acts::perform(world, act, now, unix))
    }

    /// A user writes to a bot in private.
    ///
    /// # Errors
    ///
    /// If there is no such bot or user.
    pub fn say(&self, bot: i64, user: i64, text: &str) -> Result<Acted, ControlError> {
        self.act(&Act::Say {
            bot,
            user,
            chat: None,
            text: text.to_owned(),
            reply_to: None,
        })
    }

    /// Puts any update into a bot's queue: `{"message":{…}}`, with or without an `update_id` (it is
    /// given a new one). Unknown kinds pass; kinds that the bot did not ask for are left out.
    ///
    /// # Errors
    ///
    /// If there is no such bot, or the text is no object with one kind of update.
    pub fn inject(&self, bot: i64, update: &str) -> Result<bool, ControlError> {
        let invalid = || {
            ControlError::Invalid("an update is an object with the field of its kind".to_owned())
        };
        let fields: std::collections::BTreeMap<String, Box<serde_json::value::RawValue>> =
            serde_json::from_str(update).map_err(|_| invalid())?;
        let (kind, payload) = fields
            .iter()
            .find(|(key, _)| *key != "update_id")
            .ok_or_else(invalid)?;
        let payload = Raw::parse(payload.get()).ok_or_else(invalid)?;
        let now = self.shared.config.clock.now();
        self.world(|world| {
            if !world.bots.contains_key(&bot) {
                return Err(ControlError::Bot(bot));
            }
            Ok(world.update(bot, kind, &payload, now))
        })
    }

    /// Puts `count` messages of a made-up user into a bot's queue, each update about `size` bytes
    /// long (if that is more than the rest of it).
    ///
    /// # Errors
    ///
    /// If there is no such bot.
    pub fn backlog(&self, bot: i64, count: usize, size: usize) -> Result<(), ControlError> {
        let clock = &self.shared.config.clock;
        let (now, unix) = (clock.now(), clock.unix());
        (0..count)
            .try_for_each(|at| self.world(|world| acts::filler(world, bot, at, size, now, unix)))
    }

    /// Arms a fault; gives its id. Of several that fit a request, the one armed first is played.
    pub fn fault(&self, fault: Fault) -> u64 {
        self.shared.faults.arm(fault)
    }

    /// Disarms a fault; gives whether it was there.
    pub fn clear_fault(&self, id: u64) -> bool {
        self.shared.faults.disarm(id)
    }

    /// Disarms all faults.
    pub fn clear_faults(&self) {
        self.shared.faults.clear();
    }

    /// The faults that were armed and not cleared, with how often each was played.
    #[must_use]
    pub fn faults(&self) -> Vec<ArmedFault> {
        self.shared.faults.list()
    }

    /// Sets how connections end from the server's side, from the next request on.
    pub fn set_connection_rules(&self, rules: ConnectionRules) {
        self.shared.set_connection_rules(rules);
    }

    /// Ends connections now, whatever they are doing: one, or all that are open; gives how many.
    /// In silence, or by a reset. Those that orders came on stay.
    pub fn close_connections(&self, id: Option<u64>, reset: bool) -> usize {
        let all = self.shared.connections();
        let fits = |one: &&Arc<Connection>| match id {
            Some(id) => one.id == id,
            None => !one.control.load(std::sync::atomic::Ordering::Relaxed),
        };
        let meant: Vec<_> = all.iter().filter(fits).collect();
        meant.iter().for_each(|one| one.throw_out(reset));
        meant.len()
    }

    /// Forgets everything: bots, people, messages, files, faults, requests. Polls that wait end with
    /// `500 Internal Server Error: restart`. Numbers start again, so that the same calls give the same answers.
    pub fn reset(&self) {
        for environment in [Environment::Production, Environment::Test] {
            let old = self.shared.renew(environment);
            for mut bot in old.bots.into_values() {
                world::answer(
                    bot.polling
                        .end_all(&Failure::new(500, "Internal Server Error: restart")),
                );
            }
        }
        self.shared.faults.clear();
        self.shared.set_connection_rules(ConnectionRules::default());
        self.shared.journal.clear();
        self.shared.deliveries.clear();
    }

    /// The clock; a manual one can be advanced.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.shared.config.clock
    }

    fn world<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        act(&mut self.shared.world(self.environment))
    }
}
