//! Bots that hang up while they wait, and a process that is told to end while they wait.
//!
//! In: an embedded ingress, polls that nobody answers. Out: pass or fail.

use gramtap_events::call::Origin;
use gramtap_simulator::Filter;
use gramtap_tests::{DEADLINE, Ingress, Installation, Stores, calls};

use super::*;

const POLLS: usize = 50;

#[tokio::test]
async fn a_bot_that_hangs_up_ends_its_poll_at_telegram() {
    let telegram = Telegram::start().await;
    let installation = Installation::new(Stores::Embedded).await;
    let tenant = installation.add(Some(BOT)).await;
    let ingress = Ingress::start(&installation, "ingress", &telegram.url()).await;
    let mut client = ingress.client().await;
    client.send(form(TOKEN, "getUpdates", "timeout=50")).await;
    let polls = telegram.control.wait_for_polls(1, DEADLINE).await;
    assert_eq!(polls.len(), 1);
    drop(client);
    let left = Filter {
        left: true,
        ..Filter::method("getUpdates")
    };
    // Sooner than the poll would have ended by itself.
    let soon = std::time::Duration::from_secs(20);
    let left = telegram.control.wait_for_requests(&left, 1, soon).await;
    assert_eq!(left.len(), 1, "the poll goes on without its bot");
    ingress.stop().await;
    let told = only_calls(calls(&installation.open_bus(), &[tenant.id]).await);
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].ok, told[0].http.status), (None, None));
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
