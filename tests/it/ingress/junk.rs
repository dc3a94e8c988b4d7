//! Calls that strangers make in a bot's name, with tokens that are junk.
//!
//! In: an embedded ingress, a bot that works, many clients that know no more than its id. Out: pass
//! or fail: what the bot's numbers are made of (records of verified tokens, updates) is its own
//! calls and no more; Telegram and the process are burdened within bounds; the bot is served.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gramtap_events::call::TokenStanding;
use gramtap_simulator::{Fault, Filter};
use gramtap_tests::{DEADLINE, Ingress, Installation, Stores, calls, updates};
use tokio::task::JoinSet;

use super::*;

/// Clients of the strangers.
const STRANGERS: usize = 64;
/// Tokens that Telegram refuses at once.
const QUICK: usize = 8_000;
/// Those of them that come before the memory is looked at: what every process needs once.
const WARM: usize = 2_000;
/// Tokens that it takes its time over.
const SLOW: usize = 2_000;
/// How much time.
const DELAY_MS: u64 = 50;
/// What strangers call when Telegram is slow; the bot does not.
const SLOW_METHOD: &str = "getChat";
/// `GRAMTAP_INGRESS__WORKERS` of `Ingress`, and the default of `ingress.unverified_limit`.
const WORKERS: usize = 2;
const UNVERIFIED_LIMIT: usize = 4;
/// So many calls of a bot's unverified tokens may be at Telegram at a time (`standing.rs`).
const JUNK_CONNECTIONS: usize = WORKERS * UNVERIFIED_LIMIT * 4;
/// So much may the process grow by the others.
const MEMORY: u64 = 20 << 20;

fn junk(number: usize) -> String {
    format!("{BOT}:AAcanary-of-a-stranger_{number:012}")
}

/// One stranger: a call with each of its tokens. How often each status was the answer.
async fn stranger(mut client: Client, numbers: Vec<usize>, slow: bool) -> BTreeMap<u16, usize> {
    let mut seen = BTreeMap::new();
    for number in numbers {
        let method = match number % 4 {
            _ if slow => SLOW_METHOD,
            0 => "getUpdates",
            1 => "getMe",
            _ => "sendMessage",
        };
        let request = form(&junk(number), method, "chat_id=7&text=junk&timeout=50");
        let answer = client.ask(request).await;
        assert_eq!(answer.header("connection"), None, "{}", answer.text());
        *seen.entry(answer.status()).or_default() += 1;
    }
    seen
}

/// All strangers at once, while the bot works. How often each status was the strangers' answer.
async fn attack(
    ingress: &Ingress,
    numbers: std::ops::Range<usize>,
    slow: bool,
    bot: &mut Bot,
) -> BTreeMap<u16, usize> {
    let mut strangers = JoinSet::new();
    for first in 0..STRANGERS {
        let mine = numbers.clone().skip(first).step_by(STRANGERS).collect();
        strangers.spawn(stranger(ingress.client().await, mine, slow));
    }
    let mut seen = BTreeMap::new();
    while !strangers.is_empty() {
        bot.call().await;
        while let Some(ended) = strangers.try_join_next() {
            for (status, count) in ended.unwrap() {
                *seen.entry(status).or_default() += count;
            }
        }
    }
    seen
}

/// The bot itself.
struct Bot {
    client: Client,
    called: usize,
    slowest: Duration,
}

impl Bot {
    async fn call(&mut self) {
        let body = format!("chat_id={USER}&text=call+{}", self.called);
        let began = tokio::time::Instant::now();
        let answer = self.client.ask(form(TOKEN, "sendMessage", &body)).await;
        assert_eq!(answer.status(), 200, "{}", answer.text());
        self.slowest = self.slowest.max(began.elapsed());
        self.called += 1;
    }
}

#[tokio::test]
async fn junk_tokens_change_no_numbers_and_hold_up_nobody() {
    let telegram = Telegram::start().await;
    let installation = Installation::new(Stores::Embedded).await;
    let tenant = installation.add(Some(BOT)).await;
    let ingress = Ingress::start(&installation, "ingress", &telegram.url()).await;
    let mut bot = Bot {
        client: ingress.client().await,
        called: 0,
        slowest: Duration::ZERO,
    };
    for _ in 0..20 {
        bot.call().await;
    }
    let warm = attack(&ingress, 0..WARM, false, &mut bot).await;
    assert_eq!(warm, BTreeMap::from([(401, WARM)]));
    let before = ingress.peak_memory();
    let unauthorized = BTreeMap::from([(401, QUICK - WARM)]);
    assert_eq!(
        attack(&ingress, WARM..QUICK, false, &mut bot).await,
        unauthorized
    );
    telegram.control.fault(Fault {
        method: Some(SLOW_METHOD.to_owned()),
        status: Some(401),
        delay_ms: DELAY_MS,
        ..Fault::default()
    });
    let refused = attack(&ingress, QUICK..QUICK + SLOW, true, &mut bot).await;
    // Whose turn does not come in time gets 429.
    let only: BTreeSet<_> = refused.keys().copied().collect();
    assert!(only.is_subset(&BTreeSet::from([401, 429])), "{refused:?}");
    assert_eq!(refused.values().sum::<usize>(), SLOW);
    for _ in 0..20 {
        bot.call().await;
    }
    let grown = ingress.peak_memory().saturating_sub(before);
    assert!(grown < MEMORY, "{grown} bytes for junk");
    assert!(bot.slowest < DEADLINE / 6, "a call took {:?}", bot.slowest);

    // Connections are kept, so that each that was needed at a time was opened once.
    let requests = telegram.control.requests(&Filter::default());
    let passed = requests
        .iter()
        .filter(|one| !one.target.contains("stranger"));
    assert_eq!(passed.count(), bot.called);
    let connections: BTreeSet<_> = requests.iter().map(|one| one.connection).collect();
    let bound = JUNK_CONNECTIONS + WORKERS;
    assert!(
        connections.len() <= bound,
        "{} connections",
        connections.len()
    );

    ingress.stop().await;
    let bus = installation.open_bus();
    let told = only_calls(calls(&bus, &[tenant.id]).await);
    let verified = told.iter().filter(|it| it.token == TokenStanding::Verified);
    let mut texts = Vec::new();
    for call in verified {
        assert_eq!((call.ok, call.method.as_str()), (Some(true), "sendMessage"));
        texts.push(call.params.as_ref().unwrap().get().to_owned());
    }
    let expected = (0..bot.called).map(|it| format!(r#"{{"chat_id":7,"text":"call {it}"}}"#));
    assert!(
        texts == expected.collect::<Vec<_>>(),
        "{} calls",
        texts.len()
    );
    let junk = told
        .iter()
        .filter(|it| it.token == TokenStanding::Unverified);
    assert!(junk.clone().all(|it| it.ok != Some(true)));
    let at_telegram = requests.len() - bot.called;
    assert_eq!(junk.count(), at_telegram, "counted apart, but counted");
    assert_eq!(updates(&bus, &[tenant.id]).await.len(), 0);
    println!(
        "{} calls of the bot, the slowest {:?}; junk: {refused:?} when slow, {} connections, {grown} bytes",
        bot.called,
        bot.slowest,
        connections.len()
    );
}

#[tokio::test]
async fn who_does_not_send_the_body_keeps_nobody_out() {
    let telegram = Telegram::start().await;
    let installation = Installation::new(Stores::Embedded).await;
    installation.add(Some(BOT)).await;
    let ingress = Ingress::start(&installation, "ingress", &telegram.url()).await;
    let mut waiting = Vec::new();
    for number in 0..8 * JUNK_CONNECTIONS {
        let mut client = ingress.client().await;
        // Small bodies are read before a call takes a place; large ones are passed on as they come.
        // Workers take connections by turns.
        let length = if (number / WORKERS).is_multiple_of(2) {
            9
        } else {
            1_000_000
        };
        let target = format!("/bot{}/sendMessage", junk(number));
        let head =
            format!("POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\nch");
        client.send(head).await;
        waiting.push(client);
    }
    let sends = Filter::method("sendMessage");
    let streaming = telegram
        .control
        .wait_for_requests(&sends, JUNK_CONNECTIONS, DEADLINE)
        .await;
    assert_eq!(streaming.len(), JUNK_CONNECTIONS);
    // The first call with the bot's token: it is not verified yet either.
    for _ in 0..WORKERS * 2 {
        let mut client = ingress.client().await;
        let answer = client.ask(get(&format!("/bot{TOKEN}/getMe"))).await;
        assert_eq!(answer.status(), 200, "{}", answer.text());
    }
    let sent = telegram.control.requests(&sends);
    assert_eq!(sent.len(), JUNK_CONNECTIONS, "no more at a time");
    drop(waiting);
    ingress.stop().await;
}
