//! A bot with a webhook that falls over once a minute.
//!
//! In: updates that Gramtap delivers. Out: answers, in the response; for ten seconds of each minute nothing but errors, so that updates wait, are tried again, and come through. Invariant: the
//! bot sets its own address, as it would without Gramtap, and knows nothing of the one that Telegram gets. Its server knows just what Gramtap sends; it ends with the process.

use std::io;
use std::ops::Range;
use std::time::{Duration, Instant};

use gramtap_actors::{DrainToken, spawn_local};
use gramtap_simulator::Control;
use gramtap_tenants::{Webhook, WebhookError};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::bots::SLEEPY;
use super::client::{Client, chat};
use super::crowd::Crowd;

const EVERY: Duration = Duration::from_millis(1_500);
/// It sleeps in these seconds of each minute: soon, so that nobody has to wait to see it.
const ASLEEP: Range<u64> = 10..20;
const MINUTE: u64 = 60;
/// Made up, and good for the simulated Telegram alone.
const SECRET: &str = "AAdemo_of_a_webhooks_secret";
/// Bytes of an update.
const LARGEST: usize = 1 << 20;

/// Where it takes updates.
pub(super) fn webhook(port: u16) -> Result<Webhook, WebhookError> {
    let mut webhook = Webhook::new(&format!("http://127.0.0.1:{port}/updates"))?;
    webhook.secret = Some(SECRET.to_owned().into());
    Ok(webhook)
}

pub(super) fn start(address: &str, telegram: &Control, listener: TcpListener, stop: &DrainToken) {
    let client = Client::new(address, SLEEPY.token, "node-fetch/1.0");
    let own = listener
        .local_addr()
        .map(|own| format!("http://{own}/updates"));
    let ends = stop.clone();
    drop(spawn_local("sleepy_bot", async move {
        let params = json!({"url": own.unwrap_or_default(), "secret_token": SECRET});
        client.call("setWebhook", &params).await;
        let since = Instant::now();
        loop {
            let accepted = tokio::select! {
                () = ends.draining() => return,
                accepted = listener.accept() => accepted,
            };
            let Ok((stream, _)) = accepted else { return };
            let ends = ends.clone();
            drop(spawn_local("sleepy_webhook", async move {
                tokio::select! {
                    () = ends.draining() => {}
                    // Whatever ends it, Gramtap connects again.
                    _ = serve(stream, since) => {}
                }
            }));
        }
    }));
    let crowd = Crowd::new(telegram, SLEEPY.id());
    let step = |crowd: &mut Crowd| {
        let newcomer = crowd.newcomer().map(|(_, user)| user);
        if let Some(user) = newcomer.or_else(|| crowd.regular()) {
            crowd.say(user, "Are you awake?");
        }
    };
    drop(spawn_local(
        "sleepy_crowd",
        crowd.live(EVERY, stop.clone(), step),
    ));
}

/// Answers the updates of one connection.
async fn serve(stream: TcpStream, since: Instant) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut length, mut line) = (0, String::new());
        loop {
            line.clear();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let header = line.trim_end().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0).min(LARGEST);
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        let (status, answer) = match ASLEEP.contains(&(since.elapsed().as_secs() % MINUTE)) {
            true => ("500 Internal Server Error", "asleep".to_owned()),
            false => ("200 OK", answered(&body)),
        };
        let length = answer.len();
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        );
        stream
            .write_all(format!("{head}{answer}").as_bytes())
            .await?;
    }
}

/// A method in the answer, which is executed with the token that Gramtap was given.
fn answered(update: &[u8]) -> String {
    let update: Value = serde_json::from_slice(update).unwrap_or_default();
    let chat = chat(&update);
    chat.map_or_else(String::new, |chat| {
        json!({"method": "sendMessage", "chat_id": chat, "text": "Most of the time."}).to_string()
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_update_with_a_chat_is_answered() {
        let update = br#"{"update_id":1,"message":{"chat":{"id":7},"text":"x"}}"#;
        let answer: Value = serde_json::from_str(&answered(update)).unwrap();
        assert_eq!(
            (&answer["method"], &answer["chat_id"]),
            (&json!("sendMessage"), &json!(7))
        );
        assert_eq!(answered(b"{}"), "");
        assert_eq!(webhook(9).unwrap().given(), "http://127.0.0.1:9/updates");
    }
}
