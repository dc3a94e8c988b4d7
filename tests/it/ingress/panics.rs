//! A panic in each actor of a process, while bots call.
//!
//! In: an embedded ingress whose actors can be made to panic; calls in a closed loop, parked polls.
//! Out: pass or fail: the actor is back and counted, no call failed, and what its mailbox held is
//! the most that is missing, told as a gap. Invariant: the process says which actors it has, so
//! one that this test does not know fails it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use gramtap_events::call::CallRecord;
use gramtap_tests::{Client, DEADLINE, Ingress, Installation, Stores, calls};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::*;

/// Each actor, and how many of it there are in a process with two workers.
const ACTORS: [(&str, usize); 3] = [("batcher", 1), ("directory", 1), ("outbound_pool", 2)];
/// A bot that is removed.
const LEAVER: i64 = BOT + 1_000;
const SENDERS: usize = 4;
const POLLS: usize = 3;
/// Calls of all senders between a panic and the next.
const BETWEEN: usize = 200;

/// Bots' calls, made one after the other until they are told to stop.
struct Load {
    made: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    senders: Vec<tokio::task::JoinHandle<()>>,
}

impl Load {
    async fn start(ingress: &Ingress) -> Self {
        let (made, stop) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let mut senders = Vec::new();
        for sender in 0..SENDERS {
            let client = ingress.client().await;
            let (made, stop) = (Arc::clone(&made), Arc::clone(&stop));
            #[allow(
                clippy::disallowed_methods,
                reason = "a panic in it is seen where it is awaited"
            )]
            senders.push(tokio::spawn(call(client, sender, made, stop)));
        }
        Self {
            made,
            stop,
            senders,
        }
    }

    /// Waits until so many more calls were answered.
    async fn more(&self, calls: usize) {
        let wanted = self.made.load(Ordering::Relaxed) + calls;
        let until = Instant::now() + DEADLINE;
        while self.made.load(Ordering::Relaxed) < wanted {
            assert!(Instant::now() < until, "the bots' calls stand still");
            // paced: the senders count without telling
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// How many were made. Each was answered as Telegram does.
    async fn end(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        for sender in self.senders {
            sender.await.unwrap();
        }
        self.made.load(Ordering::Relaxed)
    }
}

async fn call(mut client: Client, sender: usize, made: Arc<AtomicUsize>, stop: Arc<AtomicBool>) {
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let body = format!("chat_id={USER}&text={sender}.{number}");
        let answer = client.ask(form(TOKEN, "sendMessage", &body)).await;
        assert_eq!(answer.line, "HTTP/1.1 200 OK", "{}", answer.text());
        made.fetch_add(1, Ordering::Relaxed);
    }
}

/// How often each actor was built anew.
async fn restarts(ingress: &Ingress) -> BTreeMap<String, u64> {
    let text = ingress.operator("/-/metrics").await.text();
    let lines = text
        .lines()
        .filter(|line| line.starts_with("gramtap_actor_restarts_total{"));
    let row = |line: &str| {
        assert!(line.contains("cause=\"panic\""), "{line}");
        let actor = line.split("actor=\"").nth(1).unwrap().split('"').next();
        let count = line.rsplit(' ').next().unwrap().parse().unwrap();
        (actor.unwrap().to_owned(), count)
    };
    lines.map(row).collect()
}

/// Waits until the actors that live are those that this test knows: workers start their own.
async fn all_live(ingress: &Ingress) {
    let known: Vec<_> = ACTORS.map(|(name, count)| format!("{name} {count}")).into();
    let until = Instant::now() + DEADLINE;
    loop {
        let living = ingress.operator("/-/poison").await.text();
        if living.lines().eq(&known) {
            return;
        }
        assert!(Instant::now() < until, "the actors that live:\n{living}");
        // paced: asks the process until it has them
        sleep(Duration::from_millis(20)).await;
    }
}

async fn poison(ingress: &Ingress, actor: &str) -> String {
    let request =
        format!("POST /-/poison/{actor} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let mut client = Client::connect(ingress.admin()).await;
    client.ask(request).await.text()
}

#[tokio::test]
async fn actors_that_panic_are_back_and_no_call_fails() {
    let telegram = Telegram::start().await;
    let installation = Installation::new(Stores::Embedded).await;
    let tenant = installation.add(Some(BOT)).await.id;
    let ingress = Ingress::start(&installation, "ingress", &telegram.url()).await;
    all_live(&ingress).await;

    let mut polls = Vec::new();
    for bot in BOT + 1..=BOT + i64::try_from(POLLS).unwrap() {
        let token = format!("{bot}:AAcanary");
        telegram.control.add_bot_token(&token).unwrap();
        installation.add(Some(bot)).await;
        let mut client = ingress.client().await;
        client.send(form(&token, "getUpdates", "timeout=50")).await;
        polls.push(client);
    }
    let parked = telegram.control.wait_for_polls(POLLS, DEADLINE).await;
    assert_eq!(parked.len(), POLLS);
    let load = Load::start(&ingress).await;
    load.more(BETWEEN).await;

    let mut expected = BTreeMap::new();
    for (actor, count) in ACTORS {
        assert_eq!(poison(&ingress, actor).await, count.to_string(), "{actor}");
        expected.insert(actor.to_owned(), count as u64);
        let until = Instant::now() + DEADLINE;
        while restarts(&ingress).await != expected {
            assert!(
                Instant::now() < until,
                "{actor}: {:?}",
                restarts(&ingress).await
            );
            // paced: asks the process until it has counted
            sleep(Duration::from_millis(20)).await;
        }
        load.more(BETWEEN).await;
        assert_eq!(ingress.operator("/-/ready").await.status(), 200, "{actor}");
    }
    all_live(&ingress).await;

    // The directory works: only it learns that a bot that it knew is gone.
    let leaver = installation.add(Some(LEAVER)).await;
    let token = format!("{LEAVER}:AAcanary");
    telegram.control.add_bot_token(&token).unwrap();
    let get_me = get(&format!("/bot{token}/getMe"));
    let mut client = ingress.client().await;
    assert_eq!(client.ask(&get_me).await.status(), 200);
    let removed = installation.registry().remove(leaver.code, true).await;
    removed.unwrap();
    let until = Instant::now() + DEADLINE;
    while client.ask(&get_me).await.status() != 404 {
        assert!(Instant::now() < until, "a removed bot is served for ever");
        // paced: asks until the process has heard of it
        sleep(Duration::from_millis(20)).await;
    }

    // The polls never noticed.
    let still = telegram.control.wait_for_polls(POLLS, DEADLINE).await;
    assert_eq!(still.len(), POLLS);
    let made = load.end().await;
    drop(client);
    drop(polls);
    ingress.stop().await;

    let told = calls(&installation.open_bus(), &[tenant]).await;
    let (mut last, mut texts, mut gaps) = (BTreeMap::new(), 0, 0);
    for record in told {
        match record {
            CallRecord::Call(call) if call.method == "sendMessage" => {
                let params: Value = serde_json::from_str(call.params.unwrap().get()).unwrap();
                let text = params["text"].as_str().unwrap();
                let (sender, number) = text.split_once('.').unwrap();
                let number: usize = number.parse().unwrap();
                let before = last.insert(sender.to_owned(), number);
                assert!(
                    before.is_none_or(|it| it < number),
                    "{text} comes after {before:?}"
                );
                texts += 1;
            }
            CallRecord::Call(call) => panic!("{call:?}"),
            CallRecord::Gap(gap) => {
                assert_eq!(gap.reason, "unhandled");
                gaps += gap.count;
            }
            CallRecord::Polls(_) => panic!("nobody polled for nothing"),
        }
    }
    assert_eq!(texts + usize::try_from(gaps).unwrap(), made);
    // What a batcher held is little, and everything else is there.
    assert!(gaps < 1_000, "{gaps}");
    for (sender, number) in last {
        let after = made / SENDERS / 2;
        assert!(number > after, "records of sender {sender} end at {number}");
    }
}
