//! Two ingress processes on Kafka, Postgres and Redis.
//!
//! In: bots that call both by turns; one whose updates have piled up. Out: pass or fail, by the word
//! of a plain reader of Kafka (`reader.rs`): each call and each update is there once, whole, in the
//! order in which its bot made it at its process. Invariant: the reader sees what is wrong: a
//! script that says something else fails.

use futures_util::future::join_all;
use gramtap_tests::{Ingress, Installation, Stores, fresh_bot};
use serde_json::{Value, json};

use super::reader::{Deeds, Script, instance};
use super::*;

const BOTS: usize = 10;
const CALLS: usize = 200;
const UPDATES: usize = 100;
const POLLED: usize = 25;
const LARGE: usize = 40 << 10;

/// One bot: calls at both processes by turns, then all its updates at the first.
async fn run(token: &str, processes: &[Ingress; 2]) -> [Deeds; 2] {
    let mut clients = [processes[0].client().await, processes[1].client().await];
    let mut deeds = [Deeds::default(), Deeds::default()];
    for number in 0..CALLS {
        let text = format!("call {number}");
        let body = format!("chat_id={USER}&text={text}").replace(' ', "+");
        let request = form(token, "sendMessage", &body);
        let answer = clients[number % 2].ask(request).await;
        assert_eq!(answer.status(), 200, "{}", answer.text());
        let call = json!({"method": "sendMessage", "text": text});
        deeds[number % 2].calls.push(call);
    }
    let [deed, _] = &mut deeds;
    let mut offset = 0;
    while deed.updates.len() < UPDATES {
        let body = format!("offset={offset}&limit={POLLED}&timeout=30");
        let answer = clients[0].ask(form(token, "getUpdates", &body)).await;
        deed.calls
            .push(json!({"method": "getUpdates", "text": null}));
        for update in answer.json()["result"].as_array().unwrap() {
            let id = update["update_id"].as_i64().unwrap();
            deed.updates
                .push(json!({"update_id": id, "type": "message"}));
            offset = id + 1;
        }
    }
    deeds
}

#[tokio::test]
async fn two_processes_bring_each_call_and_update_to_kafka_once() {
    let telegram = Telegram::start().await;
    let installation = Installation::new(Stores::Servers).await;
    let (mut bots, mut tokens) = (Vec::new(), Vec::new());
    for _ in 0..BOTS {
        let bot = fresh_bot();
        let token = format!("{bot}:AAcanary");
        telegram.control.add_bot_token(&token).unwrap();
        telegram.control.backlog(bot, UPDATES, 0).unwrap();
        bots.push((installation.add(Some(bot)).await.id, bot));
        tokens.push(token);
    }
    let url = telegram.url();
    let processes = [
        Ingress::start(&installation, "one", &url).await,
        Ingress::start(&installation, "other", &url).await,
    ];
    let mut script = Script::begin();
    let deeds = join_all(tokens.iter().map(|token| run(token, &processes))).await;
    for ((tenant, bot), deeds) in bots.iter().copied().zip(deeds) {
        let deeds = processes.iter().map(instance).zip(deeds).collect();
        script.add(tenant, bot, deeds);
    }
    let first = instance(&processes[0]);
    let [one, other] = processes;
    tokio::join!(one.stop(), other.stop());

    let (same, words) = script.compare(&installation).await;
    assert!(same, "{words}");
    assert_eq!(
        words,
        "10 bots, 2040 calls, 1000 updates: each once, in order\n"
    );

    // Each of these is something else than what happened.
    let calls = |bot: &mut Value| bot["calls"][&first].as_array_mut().unwrap().clone();
    let where_ = format!("of bot {} at {first}", bots[0].1);
    let (more, swapped, less) = (
        script.but(|bot| {
            let mut changed = calls(bot);
            changed.insert(3, json!({"method": "sendMessage", "text": "never"}));
            bot["calls"][&first] = changed.into();
        }),
        script.but(|bot| {
            let mut changed = calls(bot);
            changed.swap(3, 4);
            bot["calls"][&first] = changed.into();
        }),
        script.but(|bot| {
            bot["updates"][&first].as_array_mut().unwrap().remove(7);
        }),
    );
    for (script, difference) in [
        (
            more,
            format!(
                "calls {where_}: 1 missing: {{\"method\": \"sendMessage\", \"text\": \"never\"}}\n"
            ),
        ),
        (
            swapped,
            format!(
                "calls {where_}: at place 3 is {{\"method\": \"sendMessage\", \"text\": \"call 6\"}}, \
                 not {{\"method\": \"sendMessage\", \"text\": \"call 8\"}}\n"
            ),
        ),
        (less, format!("updates {where_}: 1 too many: ")),
    ] {
        let (same, words) = script.compare(&installation).await;
        assert!(!same && words.starts_with(&difference), "{words}");
        assert_eq!(words.lines().count(), 1, "{words}");
    }
    installation.remove().await;
}

#[tokio::test]
async fn a_backlog_of_large_updates_in_one_answer_is_told_whole() {
    // Two of them: who asks one twice at once is given less.
    let (near, far) = (Telegram::start().await, Telegram::start().await);
    let bot = fresh_bot();
    let token = format!("{bot}:AAcanary");
    for telegram in [&near, &far] {
        telegram.control.add_bot_token(&token).unwrap();
        telegram.control.backlog(bot, UPDATES, LARGE).unwrap();
    }
    let installation = Installation::new(Stores::Servers).await;
    let tenant = installation.add(Some(bot)).await.id;
    let ingress = Ingress::start(&installation, "one", &far.url()).await;
    let mut script = Script::begin();

    let poll = form(&token, "getUpdates", "timeout=30");
    let expected = near.client().await.ask(&poll).await;
    let got = ingress.client().await.ask(&poll).await;
    assert!(
        got.body.len() > UPDATES * LARGE * 9 / 10,
        "{}",
        got.body.len()
    );
    assert_eq!(got.line, expected.line);
    assert!(got.body == expected.body, "{} bytes differ", got.body.len());

    let updates = got.json()["result"].as_array().unwrap().clone();
    assert_eq!(updates.len(), UPDATES);
    let told = |update: &Value| json!({"update_id": update["update_id"], "type": "message", "update": update});
    let deeds = Deeds {
        calls: vec![json!({"method": "getUpdates", "text": null})],
        updates: updates.iter().map(told).collect(),
    };
    script.add(tenant, bot, vec![(instance(&ingress), deeds)]);
    ingress.stop().await;
    let (same, words) = script.compare(&installation).await;
    assert!(same, "{words}");
    let first = script.but(|bot| {
        let updates = bot["updates"].as_object_mut().unwrap().values_mut();
        updates.for_each(|it| it[99]["update"]["message"]["text"] = "another".into());
    });
    let (same, words) = first.compare(&installation).await;
    assert!(!same && words.contains("too many"), "{words}");
    installation.remove().await;
}
