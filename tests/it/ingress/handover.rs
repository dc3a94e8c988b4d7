//! One of two processes ends, and no bot notices.
//!
//! In: two ingress processes on Kafka, Postgres and Redis, behind a balancer (`balancer.rs`); bots
//! with parked polls, others that send without a pause. Out: pass or fail: no call fails, each bot
//! gets each update once, and Kafka holds each update and each message once. And what becomes of
//! bots that have nowhere else to go.

#[path = "handover/alone.rs"]
mod alone;
#[path = "handover/balancer.rs"]
mod balancer;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{SystemTime, UNIX_EPOCH};

use gramtap_simulator::CaptureConfig;
use gramtap_tests::{DEADLINE, Ingress, Installation, Stores, calls, updates, within};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::Value;
use tokio::sync::Notify;
use tokio::task::{JoinSet, yield_now};

use super::*;
use balancer::Balancer;

const BOTS: usize = 2_000;
const SENDERS: usize = 50;
/// Calls that each sender has made before, and makes after.
const SENT: usize = 4;
const TEXTS: [&str; 2] = ["one", "other"];

/// Different in every run: Kafka keeps what earlier runs said of their bots (tenants.v1), and a
/// process believes that until it has asked its registry.
fn bot(number: usize) -> i64 {
    static FIRST: LazyLock<u64> = LazyLock::new(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        10_000_000_000 + now.as_secs() % 1_000_000 * 10_000
    });
    i64::try_from(*FIRST + number as u64).unwrap()
}

fn token(number: usize) -> String {
    format!("{}:AAcanary", bot(number))
}

/// What is going on.
#[derive(Default)]
struct Progress {
    /// Polls that were answered without an update.
    empty: AtomicUsize,
    /// Sent and answered.
    sent: AtomicUsize,
    /// Either has grown.
    grown: Notify,
    enough: AtomicBool,
}

impl Progress {
    fn count(&self, number: &AtomicUsize) {
        number.fetch_add(1, Ordering::Relaxed);
        self.grown.notify_one();
    }

    /// Waits until one of its numbers is this large.
    async fn reach(&self, what: &str, number: &AtomicUsize, least: usize) {
        let reached = async {
            while number.load(Ordering::Relaxed) < least {
                self.grown.notified().await;
            }
        };
        within(what, reached).await;
    }
}

/// A connection as HTTP clients keep it: it is given up when an answer says so, or when the other
/// side has closed it while it was not in use.
struct KeptAlive {
    address: SocketAddr,
    client: Option<Client>,
}

impl KeptAlive {
    fn new(address: SocketAddr) -> Self {
        Self {
            address,
            client: None,
        }
    }

    /// A call; one that gets no answer, or no 200, has failed.
    async fn call(&mut self, request: &str) -> Value {
        if self.client.as_mut().is_some_and(Client::was_closed) {
            self.client = None;
        }
        let mut client = match self.client.take() {
            Some(client) => client,
            None => Client::connect(self.address).await,
        };
        client.send(request).await;
        let answer = client.answer().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{}", answer.text());
        if answer.header("connection") != Some("close") {
            self.client = Some(client);
        }
        answer.json()["result"].clone()
    }
}

/// A bot that polls until it has all its updates.
async fn poll(number: usize, address: SocketAddr, progress: Arc<Progress>) {
    let mut connection = KeptAlive::new(address);
    let (mut offset, mut got) = (0, Vec::new());
    while got.len() < TEXTS.len() {
        let body = format!("offset={offset}&timeout=50");
        let result = connection
            .call(&form(&token(number), "getUpdates", &body))
            .await;
        let updates = result.as_array().unwrap();
        if updates.is_empty() {
            progress.count(&progress.empty);
        }
        for update in updates {
            offset = update["update_id"].as_i64().unwrap() + 1;
            got.push(update["message"]["text"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(got, TEXTS, "bot {number}");
}

/// A bot that sends until it is enough. How many it has sent.
async fn send(number: usize, address: SocketAddr, progress: Arc<Progress>) -> usize {
    let mut connection = KeptAlive::new(address);
    let mut sent = 0;
    while !progress.enough.load(Ordering::Relaxed) {
        let body = format!("chat_id={USER}&text=call+{sent}");
        connection
            .call(&form(&token(number), "sendMessage", &body))
            .await;
        sent += 1;
        progress.count(&progress.sent);
    }
    sent
}

/// Waits for something that happens while all bots go on: one that fails is no bot to wait for.
async fn meanwhile<T: std::fmt::Debug + 'static, R>(
    bots: &mut JoinSet<T>,
    wait: impl Future<Output = R>,
) -> R {
    tokio::select! {
        biased;
        happened = wait => happened,
        Some(ended) = bots.join_next() => panic!("a bot ended too early: {ended:?}"),
    }
}

/// As many descriptors as the system allows; the processes inherit it.
fn raise_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    setrlimit(Resource::Nofile, raised).unwrap();
    // Of each bot: its connection, both sides of the balancer's, the simulator's; twice, while it
    // changes over.
    let needed = BOTS as u64 * 8;
    assert!(
        limit.maximum.is_none_or(|most| most >= needed),
        "{needed} descriptors are needed"
    );
}

#[tokio::test]
async fn two_thousand_polls_and_fifty_senders_are_handed_over() {
    raise_descriptors();
    let telegram = Telegram::with(SimulatorConfig {
        capture: CaptureConfig {
            enabled: false,
            ..CaptureConfig::default()
        },
        ..SimulatorConfig::default()
    })
    .await;
    for number in 0..BOTS {
        telegram.control.add_bot_token(&token(number)).unwrap();
    }
    let installation = Installation::new(Stores::Servers).await;
    let tenants = installation.add_all((0..BOTS).map(bot)).await;
    let tenants: Vec<_> = tenants.into_iter().map(|tenant| tenant.id).collect();
    let url = telegram.url();
    let processes = [
        Ingress::start(&installation, "one", &url).await,
        Ingress::start(&installation, "other", &url).await,
    ];
    let balancer = Balancer::start(&processes).await;
    let progress = Arc::new(Progress::default());

    let mut polls = JoinSet::new();
    for number in 0..BOTS {
        polls.spawn(poll(number, balancer.address(), Arc::clone(&progress)));
    }
    let parked = meanwhile(&mut polls, telegram.control.wait_for_polls(BOTS, DEADLINE)).await;
    assert_eq!(parked.len(), BOTS);
    let mut senders = JoinSet::new();
    for number in 0..SENDERS {
        senders.spawn(send(number, balancer.address(), Arc::clone(&progress)));
    }
    let enough = progress.reach("messages", &progress.sent, SENDERS * SENT);
    meanwhile(&mut senders, enough).await;

    let [one, other] = processes;
    // On a slow machine a poll may have come to its own end already.
    let empty = progress.empty.load(Ordering::Relaxed);
    one.sigterm();
    let handed_over = progress.reach("the end of a poll", &progress.empty, empty + 1);
    meanwhile(&mut polls, handed_over).await;
    for text in TEXTS {
        for number in 0..BOTS {
            telegram.control.say(bot(number), USER, text).unwrap();
            if number % 10 == 0 {
                yield_now().await;
            }
        }
    }
    let status = one.ended().await;
    assert!(status.success(), "{status}");
    while let Some(polled) = within("all updates", polls.join_next()).await {
        polled.unwrap();
    }
    let sent = progress.sent.load(Ordering::Relaxed);
    let enough = progress.reach("messages", &progress.sent, sent + SENDERS * SENT);
    meanwhile(&mut senders, enough).await;
    progress.enough.store(true, Ordering::Relaxed);
    let sent: usize = senders.join_all().await.into_iter().sum();
    other.stop().await;

    let bus = installation.open_bus();
    let mut seen: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for update in updates(&bus, &tenants).await {
        seen.entry(update.tenant.to_string())
            .or_default()
            .push(update.update_id);
    }
    assert_eq!(seen.len(), BOTS);
    for (tenant, ids) in seen {
        let mut once = ids.clone();
        once.sort();
        once.dedup();
        assert_eq!(
            (ids.len(), once.len()),
            (TEXTS.len(), TEXTS.len()),
            "{tenant}: {ids:?}"
        );
    }
    let mut told = calls(&bus, &tenants).await;
    told.retain(|it| !matches!(it, CallRecord::Polls(_)));
    let told = only_calls(told);
    let drained = told
        .iter()
        .filter(|it| it.label.as_deref() == Some("drained"));
    let drained = drained.count();
    assert!(drained > 0, "none was handed over");
    let mut messages: Vec<_> = told
        .iter()
        .filter(|it| it.method == "sendMessage")
        .map(|it| (it.tenant.to_string(), it.params.as_ref().unwrap().get()))
        .collect();
    assert_eq!(messages.len(), sent);
    messages.sort();
    messages.dedup();
    assert_eq!(messages.len(), sent, "each message is told once");
    println!("{sent} messages, {drained} polls handed over");
    installation.remove().await;
}
