//! What people do, and the updates that bots get from it.
//!
//! In: [`Act`]s (`control.rs`). Out: messages and updates in the world, by [`write`] (messages),
//! [`ask`] (buttons, inline mode, payments, polls), [`member`] (blocking, joining, reacting) and
//! [`sample`] (any other kind). Invariant: an act changes the world first and tells the bot then,
//! as Telegram does; the ids in updates are those that methods take.

mod ask;
mod member;
mod sample;
mod write;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ControlError;
use crate::json::Raw;
use crate::world::World;
use crate::world::people::Standing;

pub(crate) use write::filler;

/// Something a person does. `bot` is who is told of it; `chat` is where, in private if not given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
#[allow(
    missing_docs,
    reason = "the fields that all acts share are told above, the others at their act"
)]
pub enum Act {
    /// Writes a text. A leading `/word` is marked as a command. In a channel it is a post.
    Say {
        bot: i64,
        user: i64,
        #[serde(default)]
        chat: Option<i64>,
        text: String,
        #[serde(default)]
        reply_to: Option<i64>,
    },
    /// Sends a file of a kind (photo, document, audio, video, animation, voice, video_note, sticker)
    /// and size, made up of a pattern.
    SendFile {
        bot: i64,
        user: i64,
        #[serde(default)]
        chat: Option<i64>,
        kind: String,
        #[serde(default)]
        name: String,
        #[serde(default)]
        caption: String,
        size: u64,
    },
    /// Edits the text of a message.
    Edit {
        bot: i64,
        user: i64,
        #[serde(default)]
        chat: Option<i64>,
        message_id: i64,
        text: String,
    },
    /// Presses a button with this `callback_data` under a message.
    Press {
        bot: i64,
        user: i64,
        #[serde(default)]
        chat: Option<i64>,
        message_id: i64,
        data: String,
    },
    /// Types `@bot query` somewhere; `offset` as given by the bot in its last answer.
    InlineQuery {
        bot: i64,
        user: i64,
        query: String,
        #[serde(default)]
        offset: String,
    },
    /// Picks a result of an inline query.
    ChooseResult {
        bot: i64,
        user: i64,
        result_id: String,
        #[serde(default)]
        query: String,
    },
    /// Is asked for a way of shipping an invoice with this payload.
    Shipping {
        bot: i64,
        user: i64,
        payload: String,
    },
    /// Is about to pay.
    PreCheckout {
        bot: i64,
        user: i64,
        payload: String,
        #[serde(default = "euro")]
        currency: String,
        total_amount: i64,
    },
    /// Has paid.
    Pay {
        bot: i64,
        user: i64,
        payload: String,
        #[serde(default = "euro")]
        currency: String,
        total_amount: i64,
    },
    /// Votes in a poll of the bot; no options: takes the vote back. Bots hear of votes in polls that are not anonymous.
    Vote {
        bot: i64,
        user: i64,
        #[serde(default)]
        chat: Option<i64>,
        message_id: i64,
        options: Vec<usize>,
    },
    /// Reacts to a message with an emoji; none: takes the reaction back.
    React {
        bot: i64,
        user: i64,
        #[serde(default)]
        chat: Option<i64>,
        message_id: i64,
        #[serde(default)]
        emoji: Option<String>,
    },
    /// Blocks the bot.
    Block { bot: i64, user: i64 },
    /// Unblocks the bot.
    Unblock { bot: i64, user: i64 },
    /// Changes how the bot stands to a chat: adds it, makes it an administrator, removes it.
    SetBot {
        bot: i64,
        user: i64,
        chat: i64,
        standing: Standing,
    },
    /// Joins a chat that the bot is in.
    Join { bot: i64, user: i64, chat: i64 },
    /// Leaves it.
    Leave { bot: i64, user: i64, chat: i64 },
    /// Asks to join.
    JoinRequest { bot: i64, user: i64, chat: i64 },
    /// An update of any kind, filled in plausibly: for kinds that no act above makes.
    Sample { bot: i64, user: i64, kind: String },
}

fn euro() -> String {
    "EUR".to_owned()
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
    /// The id of the file sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_id: Option<String>,
}

/// An act under way.
struct Scene<'a> {
    world: &'a mut World,
    bot: i64,
    user: i64,
    chat: i64,
    now: Duration,
    unix: i64,
}

type Result<T = Acted> = std::result::Result<T, ControlError>;

/// Carries an act out.
pub(crate) fn perform(world: &mut World, act: &Act, now: Duration, unix: i64) -> Result {
    // An act has one scene: the world is moved into it.
    let scene = |bot: i64, user: i64, chat: Option<i64>| {
        let world = { world };
        let chat = place(world, bot, user, chat)?;
        Ok::<_, ControlError>(Scene {
            world,
            bot,
            user,
            chat,
            now,
            unix,
        })
    };
    match act {
        Act::Say {
            bot,
            user,
            chat,
            text,
            reply_to,
        } => Ok(scene(*bot, *user, *chat)?.say(text, *reply_to)),
        Act::SendFile {
            bot,
            user,
            chat,
            kind,
            name,
            caption,
            size,
        } => scene(*bot, *user, *chat)?.send_file(kind, name, caption, *size),
        Act::Edit {
            bot,
            user,
            chat,
            message_id,
            text,
        } => scene(*bot, *user, *chat)?.edit(*message_id, text),
        Act::Press {
            bot,
            user,
            chat,
            message_id,
            data,
        } => scene(*bot, *user, *chat)?.press(*message_id, data),
        Act::InlineQuery {
            bot,
            user,
            query,
            offset,
        } => Ok(scene(*bot, *user, None)?.inline_query(query, offset)),
        Act::ChooseResult {
            bot,
            user,
            result_id,
            query,
        } => Ok(scene(*bot, *user, None)?.choose_result(result_id, query)),
        Act::Shipping { bot, user, payload } => Ok(scene(*bot, *user, None)?.shipping(payload)),
        Act::PreCheckout {
            bot,
            user,
            payload,
            currency,
            total_amount,
        } => Ok(scene(*bot, *user, None)?.pre_checkout(payload, currency, *total_amount)),
        Act::Pay {
            bot,
            user,
            payload,
            currency,
            total_amount,
        } => Ok(scene(*bot, *user, None)?.pay(payload, currency, *total_amount)),
        Act::Vote {
            bot,
            user,
            chat,
            message_id,
            options,
        } => scene(*bot, *user, *chat)?.vote(*message_id, options),
        Act::React {
            bot,
            user,
            chat,
            message_id,
            emoji,
        } => scene(*bot, *user, *chat)?.react(*message_id, emoji.as_deref()),
        Act::Block { bot, user } => scene(*bot, *user, None)?.stand(Standing::Kicked),
        Act::Unblock { bot, user } => scene(*bot, *user, None)?.stand(Standing::Member),
        Act::SetBot {
            bot,
            user,
            chat,
            standing,
        } => scene(*bot, *user, Some(*chat))?.stand(*standing),
        Act::Join { bot, user, chat } => scene(*bot, *user, Some(*chat))?.join(),
        Act::Leave { bot, user, chat } => scene(*bot, *user, Some(*chat))?.leave(),
        Act::JoinRequest { bot, user, chat } => Ok(scene(*bot, *user, Some(*chat))?.join_request()),
        Act::Sample { bot, user, kind } => scene(*bot, *user, None)?.sample(kind),
    }
}

impl Scene<'_> {
    /// Tells the bot.
    fn tell(&mut self, kind: &str, payload: &Raw) -> Acted {
        let told = self.world.update(self.bot, kind, payload, self.now);
        Acted {
            told,
            ..Acted::default()
        }
    }

    /// The `User` who acts.
    fn person(&self) -> Raw {
        self.world.user_json(self.user)
    }
}

/// Where an act happens: checks that all who take part exist.
fn place(world: &World, bot: i64, user: i64, chat: Option<i64>) -> Result<i64> {
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
