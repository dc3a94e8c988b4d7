//! Bots that hang up while they wait, and a process that is told to end while they wait.
//!
//! In: an embedded ingress, polls that nobody answers. Out: pass or fail.

use std::time::Duration;

use gramtap_events::call::Origin;
use gramtap_simulator::{Fault, Filter};
use gramtap_tests::{DEADLINE, Ingress, Installation, Stores, calls};
use tokio::time::sleep;

use super::*;

const POLLS: usize = 50;
/// Longer than a call takes in Gramtap.
const WAITED: Duration = Duration::from_secs(1);
/// Sooner than a poll would end by itself.
const SOON: Duration = Duration::from_secs(20);

/// Whether Telegram still has this connection.
fn is_open(control: &Control, id: u64) -> bool {
    control.connections().iter().any(|one| one.id == id)
}

#[tokio::test]
async fn a_bot_that_hangs_up_ends_its_poll_at_telegram() {
    let telegram = Telegram::start().await;
    let installation = Installation::new(Stores::Embedded).await;
    let tenant = installation.add(Some(BOT)).await;
    let ingress = Ingress::start(&installation, "ingress", &telegram.url()).await;
    let prefix = format!("/c/{}", tenant.code);
    for prefix in ["", &prefix] {
        let mut client = ingress.client().await;
        let target = format!("{prefix}/bot{TOKEN}/getUpdates");
        let kind = "application/x-www-form-urlencoded";
        client.send(post(&target, kind, "timeout=50")).await;
        let parked = telegram.control.wait_for_polls(1, DEADLINE).await;
        let connection = parked[0].connection;
        assert!(is_open(&telegram.control, connection), "{prefix}");
        // paced: for so long it is Telegram's time
        sleep(WAITED).await;
        drop(client);
        // The simulator keeps a poll whose client has left, as Telegram does; so what closes the
        // connection is the other side.
        let closed = |control: &Control| (!is_open(control, connection)).then_some(());
        let seen = |control: &Control| {
            let polls = control.requests(&Filter::method("getUpdates"));
            polls.last().and_then(|poll| poll.left)
        };
        let left = telegram.control.wait_for(seen, SOON).await;
        assert!(left.is_some(), "{prefix}: the poll goes on without its bot");
        // The next update ends the poll that nobody waits for.
        telegram.control.say(BOT, USER, "too late").unwrap();
        let closed = telegram.control.wait_for(closed, SOON).await;
        assert_eq!(closed, Some(()), "{prefix}: the connection is still there");
        let offset = telegram.control.bots()[0].pending_updates;
        assert_eq!(offset, 1, "{prefix}: the update waits for the next poll");
        let mut client = ingress.client().await;
        let answer = client.ask(form(TOKEN, "getUpdates", "timeout=50")).await;
        let id = answer.json()["result"][0]["update_id"].as_i64().unwrap();
        let body = format!("offset={}", id + 1);
        client.ask(form(TOKEN, "getUpdates", &body)).await;
    }
    ingress.stop().await;
    let told = calls(&installation.open_bus(), &[tenant.id]).await;
    let left: Vec<_> = told.iter().filter_map(unanswered).collect();
    assert_eq!(left.len(), 2, "{told:?}");
    for call in left {
        let ending = (call.ok, call.origin, call.label.as_deref());
        assert_eq!(ending, (None, Origin::Client, Some("client_left")));
        is_telegrams_time(call);
    }
}

#[tokio::test]
async fn a_message_is_sent_although_its_bot_hangs_up() {
    let telegram = Telegram::start().await;
    let installation = Installation::new(Stores::Embedded).await;
    let tenant = installation.add(Some(BOT)).await;
    let ingress = Ingress::start(&installation, "ingress", &telegram.url()).await;
    telegram.control.fault(Fault {
        method: Some("sendMessage".to_owned()),
        perform: true,
        body: Some(r#"{"ok":true,"result":{"message_id":77}}"#.to_owned()),
        delay_ms: 3_000,
        ..Fault::default()
    });
    let mut client = ingress.client().await;
    client
        .send(form(TOKEN, "sendMessage", "chat_id=7&text=on+the+way"))
        .await;
    let complete = Filter {
        complete: true,
        ..Filter::method("sendMessage")
    };
    let arrived = telegram
        .control
        .wait_for_requests(&complete, 1, DEADLINE)
        .await;
    assert_eq!(arrived.len(), 1);
    drop(client);
    let answered = Filter {
        answered: true,
        ..Filter::method("sendMessage")
    };
    let answered = telegram
        .control
        .wait_for_requests(&answered, 1, DEADLINE)
        .await;
    assert_eq!(answered.len(), 1);
    assert_eq!(
        answered[0].left, None,
        "Telegram was left before it had answered"
    );
    ingress.stop().await;
    let told = only_calls(calls(&installation.open_bus(), &[tenant.id]).await);
    assert_eq!(told.len(), 1, "{told:?}");
    let ending = (told[0].ok, told[0].origin);
    assert_eq!(ending, (Some(true), Origin::Telegram));
    assert_eq!(told[0].http.status, None, "the bot got no answer");
    is_telegrams_time(&told[0]);
    let result = told[0].result.as_ref().map(|it| it.get().to_owned());
    assert!(result.is_some_and(|it| it.contains("77")), "{told:?}");
}

fn unanswered(record: &CallRecord) -> Option<&Call> {
    match record {
        CallRecord::Call(call) if call.http.status.is_none() => Some(call),
        _ => None,
    }
}

/// A call that waited for Telegram is not told as if Gramtap had held it up.
fn is_telegrams_time(call: &Call) {
    let took = &call.took;
    assert!(
        took.upstream_us > took.own_us,
        "{} of {} us are Gramtap's own",
        took.own_us,
        took.total_us
    );
}

#[tokio::test]
async fn polls_are_answered_when_the_process_is_told_to_end() {
    let telegram = Telegram::start().await;
    let installation = Installation::new(Stores::Embedded).await;
    let mut tokens = Vec::new();
    for number in 0..POLLS {
        let bot = BOT + 1 + i64::try_from(number).unwrap();
        let token = format!("{bot}:AAcanary");
        telegram.control.add_bot_token(&token).unwrap();
        tokens.push((installation.add(Some(bot)).await.id, token));
    }
    let ingress = Ingress::start(&installation, "ingress", &telegram.url()).await;
    let mut clients = Vec::new();
    for (_, token) in &tokens {
        let mut client = ingress.client().await;
        client.send(form(token, "getUpdates", "timeout=50")).await;
        clients.push(client);
    }
    let parked = telegram.control.wait_for_polls(POLLS, DEADLINE).await;
    assert_eq!(parked.len(), POLLS);
    // paced: for so long it is Telegram's time
    sleep(WAITED).await;

    ingress.sigterm();
    for client in &mut clients {
        let answer = client.answer().await.expect("an answer");
        assert_eq!(answer.line, "HTTP/1.1 200 OK");
        assert_eq!(answer.text(), r#"{"ok":true,"result":[]}"#);
        assert_eq!(answer.header("connection"), Some("close"));
        assert!(client.is_closed().await);
    }
    let status = ingress.ended().await;
    assert!(status.success(), "{status}");

    // Each of them is told, as answered by us.
    let tenants: Vec<_> = tokens.iter().map(|(id, _)| *id).collect();
    let told = only_calls(calls(&installation.open_bus(), &tenants).await);
    let mut drained: Vec<_> = told.iter().filter_map(|it| it.bot).collect();
    drained.sort();
    drained.dedup();
    assert_eq!((told.len(), drained.len()), (POLLS, POLLS));
    for call in told {
        let ending = (call.ok, call.origin, call.label.as_deref());
        assert_eq!(ending, (Some(true), Origin::Gramtap, Some("drained")));
        is_telegrams_time(&call);
    }
}

#[tokio::test]
async fn empty_polls_are_told_when_the_process_ends() {
    let telegram = Telegram::start().await;
    let installation = Installation::new(Stores::Embedded).await;
    let tenant = installation.add(Some(BOT)).await;
    let ingress = Ingress::start(&installation, "ingress", &telegram.url()).await;
    let mut client = ingress.client().await;
    let answer = client.ask(form(TOKEN, "getUpdates", "timeout=0")).await;
    assert_eq!(answer.text(), r#"{"ok":true,"result":[]}"#);
    ingress.stop().await;
    let told = calls(&installation.open_bus(), &[tenant.id]).await;
    let counts = told.iter().map(|record| match record {
        CallRecord::Polls(polls) => polls.count,
        other => panic!("{other:?}"),
    });
    assert_eq!(counts.collect::<Vec<_>>(), [1]);
}
