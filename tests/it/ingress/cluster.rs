//! Two ingress processes on Kafka, Postgres and Redis.
//!
//! In: bots that call both by turns. Out: pass or fail: what is in Kafka afterwards is each call and
//! each update once, in the order in which its bot made it at its process.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use gramtap_tests::{Ingress, Installation, Stores, calls, updates};
use serde_json::Value;

use super::*;

const BOTS: i64 = 10;
const CALLS: usize = 200;
const UPDATES: usize = 100;
const POLLED: usize = 25;

/// One bot: calls at both processes by turns, then all its updates at the first. Gives their ids.
async fn run(token: &str, processes: &[Ingress; 2]) -> Vec<i64> {
    let mut clients = [processes[0].client().await, processes[1].client().await];
    for number in 0..CALLS {
        let body = format!("chat_id={USER}&text=call {number}").replace(' ', "+");
        let request = form(token, "sendMessage", &body);
        let answer = clients[number % 2].ask(request).await;
        assert_eq!(answer.status(), 200, "{}", answer.text());
    }
    let mut got = Vec::new();
    while got.len() < UPDATES {
        let offset = got.last().map_or(0, |id| id + 1);
        let body = format!("offset={offset}&limit={POLLED}&timeout=30");
        let answer = clients[0].ask(form(token, "getUpdates", &body)).await;
        for update in answer.json()["result"].as_array().unwrap() {
            got.push(update["update_id"].as_i64().unwrap());
        }
    }
    got
}

#[tokio::test]
async fn two_processes_bring_each_call_and_update_to_kafka_once() {
    let telegram = Telegram::start().await;
    let installation = Installation::new(Stores::Servers).await;
    let (mut tenants, mut tokens) = (Vec::new(), Vec::new());
    for bot in BOT + 1..=BOT + BOTS {
        let token = format!("{bot}:AAcanary");
        telegram.control.add_bot_token(&token).unwrap();
        telegram.control.backlog(bot, UPDATES, 0).unwrap();
        tenants.push(installation.add(Some(bot)).await.id);
        tokens.push(token);
    }
    let url = telegram.url();
    let processes = [
        Ingress::start(&installation, "one", &url).await,
        Ingress::start(&installation, "other", &url).await,
    ];
    let polled = join_all(tokens.iter().map(|token| run(token, &processes))).await;
    let pids = processes.each_ref().map(Ingress::pid);
    let [one, other] = processes;
    tokio::join!(one.stop(), other.stop());

    let bus = installation.open_bus();
    let mut records = BTreeMap::new();
    let mut made = Vec::new();
    let told = only_calls(calls(&bus, &tenants).await);
    made.extend(told.iter().map(|it| it.record.as_str().to_owned()));
    for call in told {
        let process = pids
            .iter()
            .position(|pid| call.record.as_str().contains(&format!(".{pid}-")));
        let said = call.params.as_ref().map_or(Value::Null, |params| {
            serde_json::from_str::<Value>(params.get()).unwrap()
        });
        let whose = (call.tenant.to_string(), process.unwrap(), call.method);
        let text = said["text"].as_str().unwrap_or_default().to_owned();
        records.entry(whose).or_insert_with(Vec::new).push(text);
    }
    let seen = updates(&bus, &tenants).await;
    made.extend(seen.iter().map(|it| it.record.as_str().to_owned()));
    for (tenant, polled) in tenants.iter().zip(polled) {
        for process in 0..2 {
            let whose = (tenant.to_string(), process, "sendMessage".to_owned());
            let mine = (0..CALLS).filter(|number| number % 2 == process);
            let expected: Vec<_> = mine.map(|number| format!("call {number}")).collect();
            assert_eq!(records.remove(&whose), Some(expected), "{whose:?}");
        }
        let whose = (tenant.to_string(), 0, "getUpdates".to_owned());
        let polls = records.remove(&whose).unwrap();
        assert_eq!(polls.len(), UPDATES / POLLED);
        let mine = seen.iter().filter(|it| it.tenant == *tenant);
        let ids: Vec<_> = mine.map(|it| it.update_id.unwrap()).collect();
        assert_eq!(ids, polled, "{tenant}");
    }
    assert!(records.is_empty(), "{records:?}");
    let count = made.len();
    made.sort();
    made.dedup();
    assert_eq!(made.len(), count, "ids of records are used once");
    installation.remove().await;
}
