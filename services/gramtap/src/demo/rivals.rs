//! A bot that was started twice.
//!
//! In: updates, to one copy or the other. Out: answers, and polls that end each other with 409. Invariant: both copies come through
//! Gramtap, under the names of different versions of a library, as after a deploy that left the old one running.

use std::time::Duration;

use gramtap_actors::{DrainToken, spawn_local};
use gramtap_simulator::Control;
use serde_json::{Value, json};

use super::bots::RIVALS;
use super::client::{Client, chat};
use super::crowd::Crowd;

const EVERY: Duration = Duration::from_millis(900);
const COPIES: [&str; 2] = ["Python/3.11 aiohttp/3.9.5", "Python/3.12 aiohttp/3.10.10"];

pub(super) fn start(address: &str, telegram: &Control, stop: &DrainToken) {
    for agent in COPIES {
        let client = Client::new(address, RIVALS.token, agent);
        let stop = stop.clone();
        drop(spawn_local("rival_bot", async move {
            client.call("getMe", &json!({})).await;
            client.poll(&stop, &["message"], answer).await;
        }));
    }
    let crowd = Crowd::new(telegram, RIVALS.id());
    let step = |crowd: &mut Crowd| {
        if let Some(user) = crowd
            .newcomer()
            .map(|(_, user)| user)
            .or_else(|| crowd.regular())
        {
            crowd.say(user, "Anybody there?");
        }
    };
    drop(spawn_local(
        "rival_crowd",
        crowd.live(EVERY, stop.clone(), step),
    ));
}

async fn answer(client: &Client, update: &Value) {
    if let Some(chat) = chat(update) {
        let params = json!({"chat_id": chat, "text": "Both of us are."});
        client.call("sendMessage", &params).await;
    }
}
