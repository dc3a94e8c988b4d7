//! What people do, and the updates that bots get from it.
//!
//! In: [`Act`]s (`control.rs`). Out: messages and updates in the world. Invariant: an act changes
//! the world first and tells the bot then, as Telegram does; the ids in updates are those that
//! methods take.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ControlError;
use crate::json::{Object, Raw};
use crate::world::people::Standing;
use crate::world::{Draft, World};

/// Something a person does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// A user writes a text: in private, or in `chat`.
    Say {
        /// To which bot.
        bot: i64,
        /// Who.
        user: i64,
        /// Where; in private if not given.
        #[serde(default)]
        chat: Option<i64>,
        /// What. A leading `/word` is marked as a command.
        text: String,
        /// To which message it is an answer.
        #[serde(default)]
        reply_to: Option<i64>,
    },
    /// A user presses a button under a message of the bot.
    Press {
        /// Whose message.
        bot: i64,
        /// Who.
        user: i64,
        /// Where; in private if not given.
        #[serde(default)]
        chat: Option<i64>,
        /// Under which message.
        message_id: i64,
        /// The button's `callback_data`.
        data: String,
    },
    /// A user edits the text of a message of their own.
    Edit {
        /// Who is told.
        bot: i64,
        /// Who.
        user: i64,
        /// Where; in private if not given.
        #[serde(default)]
        chat: Option<i64>,
        /// Which.
        message_id: i64,
        /// The new text.
        text: String,
    },
    /// A user blocks the bot.
    Block {
        /// Which bot.
        bot: i64,
        /// Who.
        user: i64,
    },
    /// A user unblocks the bot.
    Unblock {
        /// Which bot.
        bot: i64,
        /// Who.
        user: i64,
    },
    /// A user types `@bot query` somewhere.
    InlineQuery {
        /// Which bot.
        bot: i64,
        /// Who.
        user: i64,
        /// What follows the bot's name.
        query: String,
        /// As given by the bot in its last answer.
        #[serde(default)]
        offset: String,
    },
}

/// What an act came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Acted {
    /// Whether the bot is told: it may not have asked for this kind of update.
    pub told: bool,
    /// The message written or edited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<i64>,
    /// The id of the query made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query_id: Option<String>,
}

/// Carries an act out.
pub(crate) fn perform(
    world: &mut World,
    act: &Act,
    now: Duration,
    unix: i64,
) -> Result<Acted, ControlError> {
    match act {
        Act::Say {
            bot,
            user,
            chat,
            text,
            reply_to,
        } => {
            let chat = place(world, *bot, *user, *chat)?;
            let draft = Draft {
                fields: text_fields(text),
                reply_to: *reply_to,
                ..Draft::default()
            };
            let message = world.add_message(*bot, chat, *user, draft, unix);
            let json = world.message_json(*bot, &message);
            let kind = if message.from.is_some() {
                "message"
            } else {
                "channel_post"
            };
            Ok(Acted {
                told: world.update(*bot, kind, &json, now),
                message_id: Some(message.id),
                query_id: None,
            })
        }
        Act::Press {
            bot,
            user,
            chat,
            message_id,
            data,
        } => {
            let chat = place(world, *bot, *user, *chat)?;
            let message = world.messages(*bot, chat).get(*message_id).cloned();
            let message = message.ok_or(ControlError::Message(*message_id))?;
            let query_id = query_id(world, *user);
            let json = Object::new()
                .put("id", &query_id)
                .raw("from", &world.user_json(*user))
                .raw("message", &world.message_json(*bot, &message))
                .put("chat_instance", &chat_instance(chat))
                .put("data", data)
                .end();
            Ok(Acted {
                told: world.update(*bot, "callback_query", &json, now),
                message_id: None,
                query_id: Some(query_id),
            })
        }
        Act::Edit {
            bot,
            user,
            chat,
            message_id,
            text,
        } => {
            let chat = place(world, *bot, *user, *chat)?;
            let message = world.messages(*bot, chat).get_mut(*message_id);
            let message = message.ok_or(ControlError::Message(*message_id))?;
            message.replace_content(text_fields(text));
            message.edit_date = Some(unix);
            let message = message.clone();
            let json = world.message_json(*bot, &message);
            let kind = if message.from.is_some() {
                "edited_message"
            } else {
                "edited_channel_post"
            };
            Ok(Acted {
                told: world.update(*bot, kind, &json, now),
                message_id: Some(message.id),
                query_id: None,
            })
        }
        Act::Block { bot, user } => stand(world, *bot, *user, Standing::Kicked, now, unix),
        Act::Unblock { bot, user } => stand(world, *bot, *user, Standing::Member, now, unix),
        Act::InlineQuery {
            bot,
            user,
            query,
            offset,
        } => {
            place(world, *bot, *user, None)?;
            let query_id = query_id(world, *user);
            let json = Object::new()
                .put("id", &query_id)
                .raw("from", &world.user_json(*user))
                .put("chat_type", "sender")
                .put("query", query)
                .put("offset", offset)
                .end();
            Ok(Acted {
                told: world.update(*bot, "inline_query", &json, now),
                message_id: None,
                query_id: Some(query_id),
            })
        }
    }
}

/// One message of a backlog.
pub(crate) fn filler(
    world: &mut World,
    bot: i64,
    at: usize,
    size: usize,
    now: Duration,
    unix: i64,
) -> Result<(), ControlError> {
    let user = 1_000_000 + i64::try_from(at % 1_000).unwrap_or(0);
    world
        .users
        .entry(user)
        .or_insert_with(|| crate::world::people::User::new(user, "Filler"));
    place(world, bot, user, None)?;
    let number = format!("{at} ");
    let written = |world: &World, text: &str| {
        Object::new()
            .put("message_id", &at)
            .raw("from", &world.user_json(user))
            .raw("chat", &world.chat_json(user))
            .number("date", unix)
            .put("text", text)
            .end()
    };
    // `{"update_id":100000000,\n"message":…}` comes around it.
    let bare = written(world, &number).as_str().len() + 36;
    let text = number + &"x".repeat(size.saturating_sub(bare));
    let json = written(world, &text);
    world.update(bot, "message", &json, now);
    Ok(())
}

/// Where an act happens: checks that all who take part exist.
fn place(world: &World, bot: i64, user: i64, chat: Option<i64>) -> Result<i64, ControlError> {
    if !world.bots.contains_key(&bot) {
        return Err(ControlError::Bot(bot));
    }
    if !world.users.contains_key(&user) {
        return Err(ControlError::User(user));
    }
    match chat {
        Some(chat) if chat != user && !world.chats.contains_key(&chat) => {
            Err(ControlError::Chat(chat))
        }
        Some(chat) => Ok(chat),
        None => Ok(user),
    }
}

/// The fields of a text written by a person.
fn text_fields(text: &str) -> Vec<(&'static str, Raw)> {
    let mut fields = vec![("text", Raw::of(text))];
    if text.starts_with('/') {
        let command = text.split_whitespace().next().unwrap_or(text);
        let entity = Object::new()
            .put("offset", &0)
            .put("length", &command.encode_utf16().count())
            .put("type", "bot_command")
            .end();
        fields.push(("entities", Raw::array([&entity])));
    }
    fields
}

/// A query's id, unique and the same in every run.
fn query_id(world: &mut World, user: i64) -> String {
    let number = world.number();
    format!("{}", (user << 32) | number)
}

fn chat_instance(chat: i64) -> String {
    format!("{}", chat.wrapping_mul(1_000_003))
}

/// Changes how a bot stands to a user, and tells it.
fn stand(
    world: &mut World,
    bot: i64,
    user: i64,
    standing: Standing,
    now: Duration,
    unix: i64,
) -> Result<Acted, ControlError> {
    place(world, bot, user, None)?;
    let me = world.bots.get_mut(&bot).ok_or(ControlError::Bot(bot))?;
    let before = me.standing(user);
    me.standings.insert(user, standing);
    let own = world.user_json(bot);
    let member = |standing: Standing| {
        let object = Object::new()
            .raw("user", &own)
            .put("status", standing.status());
        match standing {
            Standing::Kicked => object.number("until_date", 0),
            _ => object,
        }
        .end()
    };
    let json = Object::new()
        .raw("chat", &world.chat_json(user))
        .raw("from", &world.user_json(user))
        .number("date", unix)
        .raw("old_chat_member", &member(before))
        .raw("new_chat_member", &member(standing))
        .end();
    Ok(Acted {
        told: world.update(bot, "my_chat_member", &json, now),
        ..Acted::default()
    })
}
