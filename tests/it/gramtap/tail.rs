//! `gramtap tail` beside a running `up`.
//!
//! In: calls of two bots. Out: pass or fail: a line for each record made after it began, and of that
//! bot alone which was asked for.

use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;

use super::*;

const OTHER: i64 = BOT + 1;

async fn send(place: &Place, bot: i64, text: &str) {
    let target = format!("/bot{bot}:AAcanary/sendMessage?chat_id=7&text={text}");
    let answer = place.get(&target).await;
    assert_eq!(answer.status(), 200, "{}", answer.text());
}

/// Calls of both bots until it shows its first line: it does not say when it begins to look.
async fn shows(place: &Place, tail: &mut Running, text: &str) -> String {
    let mut first = Box::pin(tail.line());
    loop {
        send(place, OTHER, "of-another-bot").await;
        send(place, BOT + 2, text).await;
        if let Ok(line) = timeout(Duration::from_millis(100), &mut first).await {
            return line;
        }
    }
}

#[tokio::test]
async fn records_are_shown_as_they_come() {
    let place = Place::new().await;
    let up = place.up(&[]).await;
    for bot in [BOT + 2, OTHER] {
        let token = format!("{bot}:AAcanary");
        place.control.add_bot_token(&token).unwrap();
        let id = bot.to_string();
        let add = ["bots", "add", "--id", &id, "--privacy", "full"];
        assert_eq!(place.run(&add).await.code, OK);
    }
    let bot = BOT + 2;
    let id = bot.to_string();
    let only = ["tail", "--bot", &id, "--topic", "calls", "--json"];
    let mut early = Running::start(place.gramtap(&only));
    shows(&place, &mut early, "before").await;
    // A bot's records are in order: with this one all before it are in the log.
    send(&place, bot, "settled").await;
    while !early.said.contains("\"settled\"") {
        early.line().await;
    }

    let mut tail = Running::start(place.gramtap(&only));
    let mut colourless = Running::start(place.gramtap(&["tail"]));
    let line = shows(&place, &mut tail, "after").await;
    let record: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(record["kind"], "call");
    assert_eq!(record["bot"], bot);
    assert_eq!(record["method"], "sendMessage");
    assert_eq!(record["params"]["text"], "after");
    assert!(record["record"].is_string() && record["http"]["status"] == 200);
    send(&place, bot, "last").await;
    while !tail.said.contains("\"last\"") {
        tail.line().await;
    }
    for text in ["before", "settled"] {
        assert!(!tail.said.contains(text), "{}", tail.said);
    }
    assert!(!tail.said.contains("of-another-bot"), "{}", tail.said);

    // For people: a line with bot and method, of every bot; without colours, as this is no terminal.
    send(&place, OTHER, "of-another-bot").await;
    let line = loop {
        let line = colourless.line().await;
        if line.contains(&OTHER.to_string()) && line.contains("sendMessage") {
            break line;
        }
        send(&place, OTHER, "of-another-bot").await;
    };
    assert!(!line.contains('\u{1b}'), "{line}");
    assert!(!tail.said.contains("AAcanary") && !colourless.said.contains("AAcanary"));
    up.stop().await;
}
