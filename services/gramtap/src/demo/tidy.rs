//! A bot that does everything right, and the people who like it.
//!
//! In: updates. Out: calls, each of which Telegram accepts. Invariant: every kind of update that it asks for is answered; it
//! answers nobody who has not written.

use std::time::Duration;

use gramtap_actors::{DrainToken, spawn_local};
use gramtap_simulator::{Act, Control};
use serde_json::{Value, json};

use super::bots::TIDY;
use super::client::{Client, chat, message};
use super::crowd::Crowd;

const EVERY: Duration = Duration::from_millis(350);
const KINDS: [&str; 6] = [
    "message",
    "callback_query",
    "poll_answer",
    "pre_checkout_query",
    "my_chat_member",
    "message_reaction",
];
/// Where people come from; the last but one is base64url of `utm_source=newsletter&utm_campaign=autumn`.
const SOURCES: [&str; 8] = [
    "ads_winter",
    "ads_winter",
    "friend_1042",
    "",
    "channel",
    "ads_spring",
    "dXRtX3NvdXJjZT1uZXdzbGV0dGVyJnV0bV9jYW1wYWlnbj1hdXR1bW4",
    "",
];
const BUTTONS: [(&str, &str); 3] = [
    ("Opening hours", "hours"),
    ("Prices", "prices"),
    ("Order", "order"),
];

pub(super) fn start(address: &str, telegram: &Control, stop: &DrainToken) {
    let client = Client::new(address, TIDY.token, "python-httpx/0.27.0");
    let (crowd, ends, polls) = (Crowd::new(telegram, TIDY.id()), stop.clone(), stop.clone());
    drop(spawn_local("tidy_bot", async move {
        client.call("getMe", &json!({})).await;
        let commands = json!({"commands": [
            {"command": "start", "description": "Begin"}, {"command": "menu", "description": "What there is"},
            {"command": "poll", "description": "Have a say"}, {"command": "help", "description": "Help"},
        ]});
        client.call("setMyCommands", &commands).await;
        client.poll(&polls, &KINDS, answer).await;
    }));
    drop(spawn_local("tidy_crowd", crowd.live(EVERY, ends, step)));
}

/// What somebody does next.
fn step(crowd: &mut Crowd) {
    let dice = crowd.roll(20);
    if dice < 5
        && let Some((number, user)) = crowd.newcomer()
    {
        let start = format!("/start {}", SOURCES[number % SOURCES.len()]);
        return crowd.say(user, start.trim_end());
    }
    let Some(user) = crowd.regular() else {
        return;
    };
    let bot = crowd.bot;
    match dice {
        0..5 => crowd.say(user, "/menu"),
        5..10 => press(crowd, user),
        10 => crowd.say(user, "/help"),
        11 => crowd.say(user, "/poll"),
        12 => vote(crowd, user),
        13 => crowd.act(&Act::SendFile {
            bot,
            user,
            chat: None,
            kind: "photo".to_owned(),
            name: "cat.jpg".to_owned(),
            caption: "look".to_owned(),
            size: 48_000,
        }),
        14 => pay(crowd, user),
        15 => react(crowd, user),
        16 => crowd.leave(user),
        17 => crowd.come_back(),
        18 => crowd.say(user, "/menu"),
        _ => crowd.say(user, "Do you deliver on Sundays?"),
    }
}

fn press(crowd: &mut Crowd, user: i64) {
    let data = BUTTONS[crowd.roll(BUTTONS.len())].1.to_owned();
    if let Some((message_id, _)) = crowd.newest(user, "reply_markup") {
        crowd.act(&Act::Press {
            bot: crowd.bot,
            user,
            chat: None,
            message_id,
            data,
        });
    }
}

fn vote(crowd: &mut Crowd, user: i64) {
    let options = vec![crowd.roll(3)];
    if let Some((message_id, _)) = crowd.newest(user, "poll") {
        crowd.act(&Act::Vote {
            bot: crowd.bot,
            user,
            chat: None,
            message_id,
            options,
        });
    }
}

fn pay(crowd: &mut Crowd, user: i64) {
    let Some((_, invoice)) = crowd.newest(user, "invoice") else {
        return crowd.say(user, "/menu");
    };
    let total_amount = invoice["invoice"]["total_amount"].as_i64().unwrap_or(900);
    let (bot, payload, currency) = (crowd.bot, "order".to_owned(), "EUR".to_owned());
    let (same_payload, same_currency) = (payload.clone(), currency.clone());
    crowd.act(&Act::PreCheckout {
        bot,
        user,
        payload,
        currency,
        total_amount,
    });
    crowd.act(&Act::Pay {
        bot,
        user,
        payload: same_payload,
        currency: same_currency,
        total_amount,
    });
}

fn react(crowd: &mut Crowd, user: i64) {
    if let Some((message_id, _)) = crowd.newest(user, "text") {
        crowd.act(&Act::React {
            bot: crowd.bot,
            user,
            chat: None,
            message_id,
            emoji: Some("👍".to_owned()),
        });
    }
}

/// Answers an update.
async fn answer(client: &Client, update: &Value) {
    if let Some(query) = update.get("callback_query") {
        return pressed(client, update, query).await;
    }
    if let Some(query) = update.get("pre_checkout_query") {
        let params = json!({"pre_checkout_query_id": query["id"], "ok": true});
        client.call("answerPreCheckoutQuery", &params).await;
        return;
    }
    let Some(chat) = chat(update) else {
        return;
    };
    let message = message(update);
    if let Some(photos) = message["photo"].as_array() {
        let file = photos.last().map(|photo| photo["file_id"].clone());
        client
            .call(
                "sendChatAction",
                &json!({"chat_id": chat, "action": "typing"}),
            )
            .await;
        client.call("getFile", &json!({"file_id": file})).await;
        client
            .call(
                "sendPhoto",
                &json!({"chat_id": chat, "photo": file, "caption": "Here it is back."}),
            )
            .await;
        return;
    }
    if message.get("successful_payment").is_some() {
        let thanks = json!({"chat_id": chat, "text": "Paid, thank you. It is on its way."});
        client.call("sendMessage", &thanks).await;
        return;
    }
    let text = message["text"].as_str().unwrap_or_default();
    match text.split(' ').next().unwrap_or_default() {
        "/start" => {
            let text = "Welcome to the tidy shop. What would you like?";
            let menu = json!({"chat_id": chat, "text": text, "reply_markup": keyboard()});
            client.call("sendMessage", &menu).await;
        }
        "/menu" => {
            let menu = json!({"chat_id": chat, "text": "What would you like?", "reply_markup": keyboard()});
            client.call("sendMessage", &menu).await;
        }
        "/poll" => {
            let options = ["Croissant", "Pretzel", "Simit"].map(|text| json!({"text": text}));
            let poll = json!({"chat_id": chat, "question": "What shall we bake tomorrow?",
                "options": options, "is_anonymous": false});
            client.call("sendPoll", &poll).await;
        }
        "/help" => {
            let help = json!({"chat_id": chat, "text": "<b>/menu</b> shows what there is.", "parse_mode": "HTML"});
            client.call("sendMessage", &help).await;
        }
        _ => {
            let reply = json!({"chat_id": chat, "text": "We do. Try /menu.",
                "reply_parameters": {"message_id": message["message_id"]}});
            client.call("sendMessage", &reply).await;
        }
    }
}

async fn pressed(client: &Client, update: &Value, query: &Value) {
    let answered = json!({"callback_query_id": query["id"], "text": "One moment"});
    client.call("answerCallbackQuery", &answered).await;
    let Some(chat) = chat(update) else {
        return;
    };
    if query["data"] == "order" {
        let invoice = json!({"chat_id": chat, "title": "Breakfast", "description": "For two", "payload": "order",
            "provider_token": "demo", "currency": "EUR", "prices": [{"label": "Breakfast", "amount": 900}]});
        client.call("sendInvoice", &invoice).await;
        return;
    }
    let text = match query["data"].as_str() {
        Some("hours") => "Open from 7 to 19, on Sundays too.",
        _ => "A croissant is 1.80, a pretzel 1.20.",
    };
    let message = message(update);
    // Telegram refuses an edit that changes nothing.
    if message["text"] != text {
        let edit = json!({"chat_id": chat, "message_id": message["message_id"], "text": text,
            "reply_markup": keyboard()});
        client.call("editMessageText", &edit).await;
    }
}

fn keyboard() -> Value {
    let row = BUTTONS.map(|(text, data)| json!({"text": text, "callback_data": data}));
    json!({"inline_keyboard": [row]})
}
