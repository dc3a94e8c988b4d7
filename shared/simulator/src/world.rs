//! Telegram's side of everything: bots, people, chats, messages, files, of one environment.
//!
//! In: calls (`methods.rs`) and what people do (`control.rs`), one at a time. Out: results,
//! and updates in the bots' queues; a poll that waits is answered through its [`Waiter`].
//! [`queue`] → [`polling`] (with [`webhook`], [`due`]) → [`bot`]; [`people`], [`message`], [`files`],
//! [`polls`], [`queries`], [`admission`] beside it.
//! Invariant: no I/O and no waiting in here; the same sequence of calls gives the same answers.
//! Bounded: messages per chat, updates per bot, file bytes; ids never run backwards.

pub(crate) mod admission;
pub(crate) mod bot;
pub(crate) mod due;
pub(crate) mod files;
mod kinds;
pub(crate) mod message;
pub(crate) mod people;
pub(crate) mod polling;
pub(crate) mod polls;
pub(crate) mod queries;
pub(crate) mod queue;
pub(crate) mod webhook;

use std::collections::HashMap;
use std::time::Duration;

use gramtap_telegram::queue::lifetime;
use tokio::sync::oneshot;

use crate::fail::Failure;
use crate::json::Raw;
use admission::Admission;
use bot::Bot;
use due::Due;
use files::Files;
use kinds::allows;
use message::{Message, MessageBox};
use people::{Chat, ChatKind, Standing, User, private_chat};
use polling::{Ended, Reply};
use polls::Polls;
use queries::Queries;

/// A connection that waits for a reply.
pub(crate) struct Waiter {
    pub(crate) reply: oneshot::Sender<Answered>,
    /// For the list of parked polls.
    pub(crate) connection: u64,
    pub(crate) request: u64,
    pub(crate) since: Duration,
}

/// What a waiting request ends with, and how long that is held back.
pub(crate) struct Answered {
    pub(crate) reply: Result<Reply, Failure>,
    pub(crate) pause: Duration,
}

/// One environment.
pub(crate) struct World {
    pub(crate) bots: HashMap<i64, Bot>,
    pub(crate) users: HashMap<i64, User>,
    pub(crate) chats: HashMap<i64, Chat>,
    boxes: HashMap<(i64, i64), MessageBox>,
    next_in_chat: HashMap<i64, i64>,
    pub(crate) files: Files,
    pub(crate) polls: Polls,
    pub(crate) queries: Queries,
    pub(crate) admission: Admission,
    /// Numbers for callback queries, polls, media groups and the like.
    counter: i64,
    /// Chats that nobody added are made on first use.
    pub(crate) any_chat: bool,
    /// Bots whose pushes are to be looked at.
    pub(crate) due: Due,
}

/// A message to be: all but what the world gives it.
#[derive(Default)]
pub(crate) struct Draft {
    pub(crate) fields: Vec<(&'static str, Raw)>,
    pub(crate) markup: Option<Raw>,
    pub(crate) reply_to: Option<i64>,
    pub(crate) thread: Option<i64>,
}

impl World {
    pub(crate) fn new(any_chat: bool, file_bytes: usize, due: Due) -> Self {
        Self {
            bots: HashMap::new(),
            users: HashMap::new(),
            chats: HashMap::new(),
            boxes: HashMap::new(),
            next_in_chat: HashMap::new(),
            files: Files::new(file_bytes),
            polls: Polls::default(),
            queries: Queries::default(),
            admission: Admission::default(),
            counter: 0,
            any_chat,
            due,
        }
    }

    /// A number never given before.
    pub(crate) fn number(&mut self) -> i64 {
        self.counter += 1;
        self.counter
    }

    /// The kind of a chat, by what is known of it.
    pub(crate) fn kind(&self, chat: i64) -> ChatKind {
        self.chats
            .get(&chat)
            .map_or(ChatKind::Private, |chat| chat.kind)
    }

    /// Finds a chat by id or @username; makes it if that is allowed.
    pub(crate) fn find_chat(&mut self, text: &str) -> Result<i64, Failure> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Failure::bad("chat_id is empty"));
        }
        let unknown = Failure::bad("chat not found");
        if let Some(name) = text.strip_prefix('@') {
            let fits = |username: &Option<String>| {
                username
                    .as_deref()
                    .is_some_and(|own| own.eq_ignore_ascii_case(name))
            };
            let chat = self
                .chats
                .values()
                .find(|chat| fits(&chat.username))
                .map(|chat| chat.id);
            return chat.ok_or(unknown);
        }
        let id: i64 = text.parse().map_err(|_| unknown.clone())?;
        if self.chats.contains_key(&id) || self.users.contains_key(&id) {
            return Ok(id);
        }
        if self.bots.contains_key(&id) {
            return Err(Failure::forbidden("bots can't send messages to bots"));
        }
        if !self.any_chat || id == 0 {
            return Err(unknown);
        }
        if id > 0 {
            self.users.insert(id, User::new(id, ""));
        } else {
            let kind = if id < -1_000_000_000_000 {
                ChatKind::Supergroup
            } else {
                ChatKind::Group
            };
            self.chats.insert(id, Chat::new(id, kind, ""));
        }
        Ok(id)
    }

    /// Finds a chat that the bot may write to.
    pub(crate) fn writable_chat(&mut self, bot: i64, text: &str) -> Result<i64, Failure> {
        let id = self.find_chat(text)?;
        let standing = self
            .bots
            .get(&bot)
            .map_or(Standing::Member, |bot| bot.standing(id));
        let Some(chat) = self.chats.get(&id) else {
            let gone = self.users.get(&id).is_some_and(|user| user.deactivated);
            return match standing {
                _ if gone => Err(Failure::forbidden("user is deactivated")),
                Standing::Kicked => Err(Failure::forbidden("bot was blocked by the user")),
                Standing::NeverStarted | Standing::Left => Err(Failure::forbidden(
                    "bot can't initiate conversation with a user",
                )),
                Standing::Member | Standing::Administrator => Ok(id),
            };
        };
        if let Some(to) = chat.migrated_to {
            return Err(Failure::migrated(to));
        }
        let kind = chat.kind.name();
        match standing {
            _ if chat.deleted => Err(Failure::forbidden("the group chat was deleted")),
            Standing::Kicked => Err(Failure::forbidden(&format!(
                "bot was kicked from the {kind} chat"
            ))),
            Standing::Left | Standing::NeverStarted => Err(Failure::forbidden(&format!(
                "bot is not a member of the {kind} chat"
            ))),
            Standing::Member | Standing::Administrator => Ok(id),
        }
    }

    /// The `User` object of a person or bot.
    pub(crate) fn user_json(&self, id: i64) -> Raw {
        match self
            .bots
            .get(&id)
            .map(|bot| &bot.user)
            .or_else(|| self.users.get(&id))
        {
            Some(user) => user.json(),
            None => User::new(id, "").json(),
        }
    }

    /// The `Chat` object.
    pub(crate) fn chat_json(&self, id: i64) -> Raw {
        match (self.chats.get(&id), self.users.get(&id)) {
            (Some(chat), _) => chat.json(),
            (None, Some(user)) => private_chat(user).end(),
            (None, None) => private_chat(&User::new(id, "")).end(),
        }
    }

    /// Adds a message to a chat: `from` writes it, `bot` is whose view it is in private chats and groups.
    pub(crate) fn add_message(
        &mut self,
        bot: i64,
        chat: i64,
        from: i64,
        draft: Draft,
        unix: i64,
    ) -> Message {
        let kind = self.kind(chat);
        let shared = matches!(kind, ChatKind::Supergroup | ChatKind::Channel);
        let id = match self.bots.get_mut(&bot).filter(|_| !shared) {
            Some(bot) => next(&mut bot.next_message),
            None => next(self.next_in_chat.entry(chat).or_insert(1)),
        };
        let channel = kind == ChatKind::Channel;
        let message = Message {
            id,
            chat,
            from: (!channel).then_some(from),
            sender_chat: channel.then_some(chat),
            thread: draft.thread,
            date: unix,
            edit_date: None,
            reply_to: draft.reply_to,
            fields: draft.fields,
            markup: draft.markup,
        };
        self.boxes
            .entry(self.place(bot, chat))
            .or_default()
            .add(message.clone());
        message
    }

    /// The messages of a chat as a bot sees them.
    pub(crate) fn messages(&mut self, bot: i64, chat: i64) -> &mut MessageBox {
        self.boxes.entry(self.place(bot, chat)).or_default()
    }

    /// The `Message` object.
    pub(crate) fn message_json(&self, bot: i64, message: &Message) -> Raw {
        let view = self.boxes.get(&self.place(bot, message.chat));
        let replied = message
            .reply_to
            .and_then(|id| view?.get(id))
            .map(|replied| {
                let shallow = Message {
                    reply_to: None,
                    ..replied.clone()
                };
                self.message_json(bot, &shallow)
            });
        let from = message.from.map(|id| self.user_json(id));
        let sender = message.sender_chat.map(|id| self.chat_json(id));
        message.json(
            from.as_ref(),
            sender.as_ref(),
            &self.chat_json(message.chat),
            replied.as_ref(),
        )
    }

    /// Puts an update into a bot's queue: a poll that waits is answered with it, or it is pushed to the
    /// bot's webhook. Kinds that the bot did not ask for are left out. Gives whether it was taken.
    pub(crate) fn update(&mut self, id: i64, kind: &str, payload: &Raw, now: Duration) -> bool {
        let Some(bot) = self.bots.get_mut(&id) else {
            return false;
        };
        if !allows(bot.allowed.as_deref(), kind) {
            return false;
        }
        let before = bot.polling.queue().tail();
        let ended = bot.polling.push(
            format!("\"{kind}\":{}", payload.as_str()),
            lifetime(kind),
            now,
        );
        let taken = bot.polling.queue().tail() > before;
        if bot.polling.webhook().is_set() {
            self.due.touch(id);
        }
        answer(ended);
        taken
    }

    fn place(&self, bot: i64, chat: i64) -> (i64, i64) {
        match self.kind(chat) {
            ChatKind::Supergroup | ChatKind::Channel => (0, chat),
            ChatKind::Private | ChatKind::Group => (bot, chat),
        }
    }
}

fn next(counter: &mut i64) -> i64 {
    let id = *counter;
    *counter += 1;
    id
}

/// Answers those who waited. A connection that is gone is no error: Telegram's server does not notice either.
pub(crate) fn answer(ended: impl IntoIterator<Item = Ended<Waiter>>) {
    for one in ended {
        let answered = Answered {
            reply: one.reply,
            pause: one.pause,
        };
        one.waiter.reply.send(answered).ok();
    }
}
