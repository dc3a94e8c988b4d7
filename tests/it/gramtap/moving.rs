//! A bot's webhook is moved by command, beside a running `up`.
//!
//! In: `gramtap bots add|release|rotate-hook`, a bot that sets its webhook through Gramtap, a simulated Telegram that pushes. Out: pass or fail. Invariant: where
//! Telegram pushes to is read from Telegram itself; which way an update came is told by its headers, at the bot's own endpoint.

use std::pin::pin;

use gramtap_simulator::User;
use gramtap_tests::{Endpoint, Pushed, until};
use serde_json::{Value, json};

use super::*;

const USER: i64 = 7;
const SECRET: &str = "AAcanary-of-the-secret-header";
const KEPT: &str = "max_connections=7&allowed_updates=%5B%22message%22%2C%22poll%22%5D";

/// A bot that has set its webhook through Gramtap, which has taken it over.
struct Rig {
    place: Place,
    up: Running,
    endpoint: Endpoint,
    settings: [(&'static str, String); 3],
    code: String,
}

impl Rig {
    async fn start() -> Self {
        let (endpoint, place) = (Endpoint::start().await, Place::new().await);
        place.control.add_user(User::new(USER, "Ann"));
        let settings = [
            ("GRAMTAP_WEBHOOKS__ALLOW", r#"["127.0.0.0/8"]"#.to_owned()),
            ("GRAMTAP_WEBHOOKS__HTTP", "true".to_owned()),
            (
                "GRAMTAP_WEBHOOKS__PORTS",
                format!("[\"{}\"]", endpoint.address().port()),
            ),
        ];
        let more = settings
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        let url = own(&endpoint);
        let add = [
            "bots",
            "add",
            "--token",
            TOKEN,
            "--store-token",
            "--webhook-url",
            &url,
            "--webhook-secret",
            SECRET,
            "--mode",
            "relay",
            "--json",
        ];
        let added = place.run_with(&add, &more).await;
        assert_eq!(added.code, OK, "{}", added.err);
        let row: Value = serde_json::from_str(&added.out).unwrap();
        let code = row["code"].as_str().unwrap().to_owned();
        let up = place.up(&more).await;
        let rig = Self {
            place,
            up,
            endpoint,
            settings,
            code,
        };
        let pushed_to = rig.set().await;
        assert!(rig.is_ours(&pushed_to), "{pushed_to}");
        rig
    }

    /// The bot sets its webhook, through Gramtap; where Telegram pushes to then.
    async fn set(&self) -> String {
        let url = own(&self.endpoint).replace('?', "%3F").replace('=', "%3D");
        let target = format!("/bot{TOKEN}/setWebhook?url={url}&secret_token={SECRET}&{KEPT}");
        until("setWebhook is taken", async || {
            // 429: Telegram takes one a second.
            let answer = self.place.get(&target).await;
            (answer.json()["ok"] == true).then_some(())
        })
        .await;
        self.info().await["url"].as_str().unwrap().to_owned()
    }

    /// What Telegram says of the webhook, but for what is under way just now.
    async fn info(&self) -> Value {
        let mut client = Client::connect(self.place.simulator.http_addr().unwrap()).await;
        let answer = client
            .ask(get(&format!("/bot{TOKEN}/getWebhookInfo")))
            .await;
        let mut info = answer.json()["result"].clone();
        info["pending_update_count"].take();
        info
    }

    /// The bot is told its own address, and all else as Telegram has it.
    async fn is_told_its_own(&self) {
        let answer = self.place.get(&format!("/bot{TOKEN}/getWebhookInfo")).await;
        let told = &answer.json()["result"];
        assert_eq!(told["url"], own(&self.endpoint), "{}", answer.text());
        assert_eq!(
            (&told["max_connections"], &told["allowed_updates"]),
            (&json!(7), &json!(["message", "poll"]))
        );
    }

    fn is_ours(&self, url: &str) -> bool {
        url.starts_with(&format!("http://{}/webhook/", self.place.address))
    }

    /// A command about the bot; what it printed.
    async fn command(&self, name: &str) -> String {
        let more = self
            .settings
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        let line = ["bots", name, self.code.as_str()];
        let done = self.place.run_with(&line, &more).await;
        assert_eq!(done.code, OK, "{}", done.err);
        assert!(!done.out.contains("AAcanary") && !done.err.contains("AAcanary"));
        done.out
    }

    /// Somebody writes; how the endpoint gets it.
    async fn say(&self, text: &str) -> Pushed {
        let before = self.endpoint.pushed().len();
        self.place.control.say(BOT, USER, text).unwrap();
        let pushed = self.endpoint.wait(before + 1).await.pop().unwrap();
        assert_eq!(pushed.text(), text);
        assert_eq!(pushed.head[0], "POST /updates?with=AAcanary HTTP/1.1");
        assert_eq!(
            pushed.header("x-telegram-bot-api-secret-token"),
            Some(SECRET)
        );
        pushed
    }

    /// What is answered to an update that is pushed to one of our addresses.
    async fn push(&self, address: &str, update: i64) -> u16 {
        let path = address
            .strip_prefix(&format!("http://{}", self.place.address))
            .unwrap();
        let body =
            json!({"update_id": update, "message": {"text": update.to_string()}}).to_string();
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: gramtap.test\r\nContent-Type: application/json\r\n\
             X-Telegram-Bot-Api-Secret-Token: {SECRET}\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        self.place.client().await.ask(request).await.status()
    }

    async fn end(self) {
        self.up.stop().await;
    }
}

fn own(endpoint: &Endpoint) -> String {
    format!("http://{}/updates?with=AAcanary", endpoint.address())
}

fn came_through_us(pushed: &Pushed) -> bool {
    pushed.header("x-forwarded-for").is_some()
}

#[tokio::test]
async fn a_webhook_that_is_given_back_is_the_bots_own_at_telegram() {
    let rig = Rig::start().await;
    assert!(came_through_us(&rig.say("before").await));
    let before = rig.info().await;
    let said = rig.command("release").await;
    assert!(
        said.contains(&format!(
            "pushes to http://{} again",
            rig.endpoint.address()
        )),
        "{said}"
    );
    // All is as it was at Telegram, but for the address.
    let mut expected = before.clone();
    expected["url"] = own(&rig.endpoint).into();
    assert_eq!(rig.info().await, expected);
    assert!(!came_through_us(&rig.say("after").await));
    // What the bot sets is left alone from now on, as soon as `up` has heard of it.
    until("the bot's own setWebhook passes as it is", async || {
        (rig.set().await == own(&rig.endpoint)).then_some(())
    })
    .await;
    assert!(!came_through_us(&rig.say("later").await));
    rig.is_told_its_own().await;
    // Our address is good for what is still on its way.
    let address = before["url"].as_str().unwrap();
    assert_eq!(rig.push(address, 77).await, 200);
    assert_eq!(rig.endpoint.pushed().pop().unwrap().text(), "77");
    rig.end().await;
}

#[tokio::test]
async fn an_address_that_is_replaced_is_good_until_the_next_is() {
    let rig = Rig::start().await;
    let mut addresses = vec![rig.info().await["url"].as_str().unwrap().to_owned()];
    for number in [1, 2] {
        let before = rig.info().await;
        let mut rotated = pin!(rig.command("rotate-hook"));
        // Whoever asks meanwhile is told the bot's own address.
        let said = loop {
            tokio::select! {
                said = &mut rotated => break said,
                () = rig.is_told_its_own() => {}
            }
        };
        assert!(said.contains("pushes to a new address"), "{said}");
        let now = rig.info().await;
        let address = now["url"].as_str().unwrap().to_owned();
        assert!(
            rig.is_ours(&address) && !addresses.contains(&address),
            "{address}"
        );
        let mut expected = before;
        expected["url"] = address.as_str().into();
        assert_eq!(now, expected, "nothing changes but the address");
        addresses.push(address);
        rig.is_told_its_own().await;
        assert!(came_through_us(&rig.say(&format!("after {number}")).await));
        // This one and the one before are good; others are refused, as soon as `up` has heard of it.
        let (refused, good) = addresses.split_at(addresses.len() - 2);
        for address in good {
            assert_eq!(rig.push(address, 100 + number).await, 200);
        }
        for address in refused {
            until("the former one is refused", async || {
                (rig.push(address, 200).await == 404).then_some(())
            })
            .await;
        }
    }
    assert_eq!(addresses.len(), 3);
    // The bot starts anew and says what it has said before: nothing changes.
    let newest = addresses.pop().unwrap();
    assert_eq!(rig.set().await, newest);
    rig.is_told_its_own().await;
    assert!(came_through_us(&rig.say("at the end").await));
    rig.end().await;
}
