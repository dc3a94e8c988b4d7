//! A bot's side of the Bot API, as the usual libraries have it.
//!
//! In: an address and a token. Out: calls through it. Invariant: it knows nothing of Gramtap but an address; a call that fails
//! gives its answer like any other, and one without an answer gives null. It polls until it is told to stop.

use std::time::Duration;

use gramtap_actors::DrainToken;
use serde_json::{Value, json};

/// Above the longest poll.
const PATIENCE: Duration = Duration::from_secs(40);
/// Seconds that a poll waits.
const POLL: u64 = 25;
/// After a poll that failed.
const PAUSE: Duration = Duration::from_secs(1);

/// Calls as one bot.
pub(super) struct Client {
    http: awc::Client,
    base: String,
}

impl Client {
    /// `agent` is what a library calls itself.
    pub(super) fn new(address: &str, token: &str, agent: &str) -> Self {
        let http = awc::Client::builder()
            .timeout(PATIENCE)
            .disable_redirects()
            .add_default_header(("User-Agent", agent))
            .finish();
        let base = format!("{address}/bot{token}");
        Self { http, base }
    }

    /// Calls a method; gives the whole answer.
    pub(super) async fn call(&self, method: &str, params: &Value) -> Value {
        let asked = self.http.post(format!("{}/{method}", self.base));
        match asked.send_json(params).await {
            Ok(mut answer) => answer.json().await.unwrap_or_default(),
            Err(_) => Value::Null,
        }
    }

    /// Asks for updates until `stop`, and has each answered before the next.
    pub(super) async fn poll(
        &self,
        stop: &DrainToken,
        kinds: &[&str],
        mut react: impl AsyncFnMut(&Self, &Value),
    ) {
        let mut offset = 0;
        while !stop.is_draining() {
            let params = json!({"offset": offset, "timeout": POLL, "allowed_updates": kinds});
            let answer = tokio::select! {
                () = stop.draining() => return,
                answer = self.call("getUpdates", &params) => answer,
            };
            let Some(updates) = answer["result"].as_array() else {
                tokio::select! {
                    () = stop.draining() => return,
                    () = tokio::time::sleep(PAUSE) => continue,
                }
            };
            for update in updates {
                offset = update["update_id"].as_i64().unwrap_or(offset) + 1;
                react(self, update).await;
            }
        }
    }
}

/// The chat that an update is of.
pub(super) fn chat(update: &Value) -> Option<i64> {
    let message = message(update);
    message["chat"]["id"].as_i64()
}

/// The message in an update, or under its button.
pub(super) fn message(update: &Value) -> &Value {
    match &update["callback_query"] {
        Value::Null => &update["message"],
        query => &query["message"],
    }
}
