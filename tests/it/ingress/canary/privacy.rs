//! What a bot's privacy mode keeps out of the records, and what it lets in.
//!
//! In: bots in each mode, words of their own at every place of calls, answers and updates. Out: pass
//! or fail: a word is among the bytes of the installation if, and only if, the contract says so of
//! its mode. Invariant: each word occurs for one mode and one place alone, so a word that is found
//! tells where it came from.

use serde_json::json;

use super::*;

const MODES: [Privacy; 4] = [
    Privacy::Off,
    Privacy::Metadata,
    Privacy::Pseudonymous,
    Privacy::Full,
];

/// Places of texts and names: only `full` keeps them.
const TEXTS: [&str; 14] = [
    "sent-text",
    "caption",
    "file-name",
    "contact-name",
    "poll-question",
    "title",
    "received-text",
    "first-name",
    "username",
    "chat-title",
    "query",
    "button-received",
    "answered-name",
    "unknown-field",
];
/// Commands, payloads, callback data and the bot's own buttons: all modes but `off` keep them.
const DATA: [&str; 4] = [
    "start-payload",
    "callback-data",
    "pressed-data",
    "own-button",
];

/// The word of a place in a mode.
fn word(mode: Privacy, place: &str) -> String {
    format!("{}-{place}", mode.as_str())
}

/// What Telegram's users do to a bot.
fn updates(mode: Privacy) -> Vec<serde_json::Value> {
    let word = |place| word(mode, place);
    let from = json!({"id": USER, "is_bot": false, "first_name": word("first-name"), "username": word("username")});
    let chat = json!({"id": -1_007, "type": "group", "title": word("chat-title")});
    let message = |text: String| {
        json!({"message_id": 1, "date": 1_760_000_000, "from": from, "chat": chat, "text": text,
            "not_yet_known": word("unknown-field")})
    };
    let keyboard =
        json!({"inline_keyboard": [[{"text": word("button-received"), "url": "https://x.test"}]]});
    let mut quoted = message("x".to_owned());
    quoted["reply_markup"] = keyboard;
    let mut replying = message(word("received-text"));
    replying["reply_to_message"] = quoted;
    vec![
        json!({"message": replying}),
        json!({"message": message(format!("/start {}", word("start-payload")))}),
        json!({"callback_query": {"id": "1", "from": from, "chat_instance": "1", "data": word("pressed-data")}}),
        json!({"inline_query": {"id": "2", "from": from, "query": word("query"), "offset": ""}}),
    ]
}

/// What the bot sends.
fn calls_of(token: &str, mode: Privacy) -> Vec<String> {
    let word = |place| word(mode, place);
    let json = |method: &str, body: serde_json::Value| {
        post(
            &format!("/bot{token}/{method}"),
            "application/json",
            &body.to_string(),
        )
    };
    let keyboard = json!({"inline_keyboard": [[{"text": word("own-button"), "callback_data": word("callback-data")}]]});
    let file = format!(
        "--b\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n7\r\n\
         --b\r\nContent-Disposition: form-data; name=\"caption\"\r\n\r\n{}\r\n\
         --b\r\nContent-Disposition: form-data; name=\"document\"; filename=\"{}\"\r\n\r\nx\r\n--b--\r\n",
        word("caption"),
        word("file-name"),
    );
    vec![
        json(
            "sendMessage",
            json!({"chat_id": 7, "text": word("sent-text"), "reply_markup": keyboard}),
        ),
        post(
            &format!("/bot{token}/sendDocument"),
            "multipart/form-data; boundary=b",
            &file,
        ),
        json(
            "sendContact",
            json!({"chat_id": 7, "phone_number": "1", "first_name": word("contact-name")}),
        ),
        json(
            "sendPoll",
            json!({"chat_id": 7, "question": word("poll-question"), "options": ["a", "b"]}),
        ),
        form(
            token,
            "setChatTitle",
            &format!("chat_id=-1007&title={}", word("title")),
        ),
        form(token, "getMyName", ""),
        form(token, "getUpdates", "timeout=0"),
    ]
}

#[tokio::test]
async fn words_are_kept_in_the_modes_that_keep_them_and_in_no_other() {
    let telegram = Telegram::start().await;
    let installation = Installation::new(Stores::Embedded).await;
    let bots = (BOT + 1..).map(|bot| {
        (
            bot,
            format!("{bot}:AAcanary-of-a-bot-with-privacy-mode_006"),
        )
    });
    let bots: Vec<_> = MODES.into_iter().zip(bots).collect();
    for (mode, (bot, token)) in &bots {
        telegram.control.add_bot_token(token).unwrap();
        let new = NewTenant {
            bot: Some(BotId(*bot)),
            privacy: Some(*mode),
            ..NewTenant::default()
        };
        installation.registry().add(&new).await.unwrap();
    }
    let ingress = Ingress::start(&installation, "ingress", &telegram.url()).await;
    let mut client = ingress.client().await;
    for (mode, (bot, token)) in &bots {
        for update in updates(*mode) {
            assert!(telegram.control.inject(*bot, &update.to_string()).unwrap());
        }
        let named = json!({"ok": true, "result": {"name": word(*mode, "answered-name")}});
        let named = Fault {
            body: Some(named.to_string()),
            ..Fault::default()
        };
        telegram.control.fault(named.bot(*bot).method("getMyName"));
        for request in calls_of(token, *mode) {
            let answer = client.ask(&request).await;
            let polled = request.contains("/getUpdates ");
            assert!(!polled || answer.text().contains(&word(*mode, "query")));
        }
    }
    drop(client);
    ingress.stop().await;
    let mut wrong = Vec::new();
    for mode in MODES {
        for (places, kept) in [
            (&TEXTS[..], mode == Privacy::Full),
            (&DATA[..], mode != Privacy::Off),
        ] {
            for place in places {
                let found = installation.canaries(&[&word(mode, place)]).await;
                if found.is_empty() == kept {
                    wrong.push(format!("{}: kept should be {kept}", word(mode, place)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
