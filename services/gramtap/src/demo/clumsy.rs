//! A bot that makes the mistakes that bots make, and the people who bear with it.
//!
//! In: updates. Out: for each a proper answer and then the next mistake of the list. Invariant: each mistake is one that Telegram
//! refuses for a reason of its own, so that the console shows every kind of advice; the scenery that makes it so (who has
//! blocked the bot, which group has moved) stands before the first call.

use std::cell::Cell;
use std::time::Duration;

use gramtap_actors::{DrainToken, spawn_local};
use gramtap_simulator::{Act, Chat, ChatKind, Control, Fault, FileSpec, Standing, User};
use serde_json::{Value, json};

use super::bots::CLUMSY;
use super::client::{Client, chat, message};
use super::crowd::Crowd;

const EVERY: Duration = Duration::from_millis(400);
/// Who has left, in one way or another.
const BLOCKED: i64 = 2_900_001;
const DEACTIVATED: i64 = 2_900_002;
const NEVER_CAME: i64 = 2_900_003;
const THREW_IT_OUT: i64 = -1_002_900_000_004;
const MOVED: i64 = -2_900_005;
const MOVED_TO: i64 = -1_002_900_000_005;
/// Nobody.
const NOBODY: i64 = 2_900_999;

pub(super) fn start(address: &str, telegram: &Control, stop: &DrainToken) {
    let video = scenery(telegram);
    let client = Client::new(address, CLUMSY.token, "Go-http-client/1.1");
    let (crowd, ends, polls) = (
        Crowd::new(telegram, CLUMSY.id()),
        stop.clone(),
        stop.clone(),
    );
    drop(spawn_local("clumsy_bot", async move {
        let turn = Cell::new(0);
        let react = async |client: &Client, update: &Value| {
            let Some(chat) = chat(update) else {
                return;
            };
            let params = json!({"chat_id": chat, "text": "Working on it"});
            let sent = client.call("sendMessage", &params).await;
            let scene = Scene {
                chat,
                message: sent["result"]["message_id"].as_i64().unwrap_or_default(),
                asked: message(update)["message_id"].as_i64().unwrap_or_default(),
                video: &video,
            };
            let (method, params) = mistake(turn.get(), &scene);
            client.call(method, &params).await;
            turn.set((turn.get() + 1) % MISTAKES);
        };
        client.poll(&polls, &["message"], react).await;
    }));
    let step = |crowd: &mut Crowd| {
        let user = crowd
            .newcomer()
            .map(|(_, user)| user)
            .or_else(|| crowd.regular());
        if let Some(user) = user {
            crowd.say(user, "/report");
        }
    };
    drop(spawn_local("clumsy_crowd", crowd.live(EVERY, ends, step)));
}

/// Puts people and chats where the mistakes need them. Gives a file that is too big to be fetched.
fn scenery(telegram: &Control) -> String {
    let bot = CLUMSY.id();
    for (user, name) in [
        (BLOCKED, "Mara"),
        (DEACTIVATED, "Nico"),
        (NEVER_CAME, "Olga"),
    ] {
        let deactivated = user == DEACTIVATED;
        let user = User::new(user, name);
        telegram.add_user(User {
            deactivated,
            ..user
        });
    }
    telegram.add_chat(Chat::new(THREW_IT_OUT, ChatKind::Supergroup, "Neighbours"));
    telegram.add_chat(Chat::new(MOVED_TO, ChatKind::Supergroup, "Choir"));
    telegram.add_chat(Chat {
        migrated_to: Some(MOVED_TO),
        ..Chat::new(MOVED, ChatKind::Group, "Choir")
    });
    for (chat, standing) in [
        (NEVER_CAME, Standing::NeverStarted),
        (THREW_IT_OUT, Standing::Kicked),
    ] {
        // The bot was added before.
        telegram.set_standing(bot, chat, standing).ok();
    }
    let blocked = telegram.say(bot, BLOCKED, "/start");
    let blocked = blocked.and_then(|_| telegram.act(&Act::Block { bot, user: BLOCKED }));
    if let Err(error) = blocked {
        tracing::debug!(%error, "nobody has blocked the bot");
    }
    // It sends to everybody at once, and Telegram's patience has an end.
    telegram.fault(Fault::flood(7).bot(bot).method("copyMessage"));
    telegram.fault(Fault::nginx(502).bot(bot).method("sendLocation"));
    let video = FileSpec {
        name: "holiday.mp4".to_owned(),
        size: 60 << 20,
        ..FileSpec::default()
    };
    telegram.add_file(&video).file_id
}

/// What a mistake is about.
struct Scene<'a> {
    chat: i64,
    /// What the bot has just sent.
    message: i64,
    /// What it answers.
    asked: i64,
    video: &'a str,
}

/// How many there are.
const MISTAKES: usize = 18;

/// The mistake of a turn: a method and its parameters.
fn mistake(turn: usize, scene: &Scene<'_>) -> (&'static str, Value) {
    let Scene {
        chat,
        message,
        asked,
        video,
    } = *scene;
    let to = |chat: i64| json!({"chat_id": chat, "text": "Your report is ready"});
    match turn {
        0 => ("sendMessage", to(BLOCKED)),
        1 => (
            "sendMessage",
            json!({"chat_id": chat, "text": "Total: 12.50 (incl. tax)", "parse_mode": "MarkdownV2"}),
        ),
        2 => (
            "editMessageText",
            json!({"chat_id": chat, "message_id": message, "text": "Working on it"}),
        ),
        3 => (
            "copyMessage",
            json!({"chat_id": chat, "from_chat_id": chat, "message_id": asked}),
        ),
        4 => ("getFile", json!({"file_id": video})),
        5 => ("sendMesage", to(chat)),
        6 => (
            "answerCallbackQuery",
            json!({"callback_query_id": "1", "text": "Done"}),
        ),
        7 => ("sendMessage", to(NOBODY)),
        8 => (
            "sendMessage",
            json!({"chat_id": chat, "text": "x".repeat(4_097)}),
        ),
        9 => ("sendMessage", json!({"chat_id": chat, "text": ""})),
        10 => (
            "deleteMessage",
            json!({"chat_id": chat, "message_id": 999_999}),
        ),
        11 => ("sendMessage", to(DEACTIVATED)),
        12 => ("sendMessage", to(NEVER_CAME)),
        13 => ("sendMessage", to(THREW_IT_OUT)),
        14 => ("sendMessage", to(MOVED)),
        15 => (
            "sendLocation",
            json!({"chat_id": chat, "latitude": 52.5, "longitude": 13.4}),
        ),
        16 => {
            let button = json!({"text": "More", "callback_data": "x".repeat(65)});
            let markup = json!({"inline_keyboard": [[button]]});
            (
                "sendMessage",
                json!({"chat_id": chat, "text": "More?", "reply_markup": markup}),
            )
        }
        _ => (
            "sendPhoto",
            json!({"chat_id": chat, "photo": "AgACAgIAAxkBAAIBbad"}),
        ),
    }
}
