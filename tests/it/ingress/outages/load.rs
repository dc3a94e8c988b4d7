//! Bots that call in a closed loop, and what Kafka has to hold of them afterwards.
//!
//! In: a process, the simulated Telegram, how long to go on. Out: pass or fail. Each bot sends
//! numbered messages over one connection and polls over another one. Invariant: every call is
//! answered 200, and soon; every call and every update is one record, in the order of its
//! connection, and no loss is told.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde_json::Value;

use super::*;

/// Between two messages of a bot.
const PACE: Duration = Duration::from_millis(60);
/// A message in so many makes a user write to the bot.
const SPOKEN_TO: usize = 10;
/// What a call may take on a machine that is busy, besides its own wait at Telegram.
const LONGEST: Duration = Duration::from_secs(10);
/// What a poll waits at Telegram, in seconds; Telegram raises what is less.
const POLL: u64 = 3;

/// A bot, and what it has done so far.
pub(super) struct Bot {
    pub(super) id: i64,
    token: String,
    pub(super) tenant: TenantId,
    sent: Cell<usize>,
    polls: Cell<u64>,
    seen: RefCell<Vec<i64>>,
    /// It sends no more.
    quiet: Cell<bool>,
}

impl Bot {
    /// How often somebody has written to it.
    fn spoken_to(&self) -> usize {
        self.sent.get().div_ceil(SPOKEN_TO)
    }
}

/// Bots that call until they are told to end.
pub(super) struct Load {
    bots: Vec<Bot>,
    over: Cell<bool>,
}

/// A bot that exists at Telegram.
pub(super) fn newcomer(telegram: &Telegram) -> (i64, String) {
    let id = fresh_bot();
    let token = format!("{id}:AAcanary");
    telegram.control.add_bot_token(&token).unwrap();
    (id, token)
}

/// A message to be sent, with a text of one word.
pub(super) fn message(token: &str, text: &str) -> String {
    form(token, "sendMessage", &format!("chat_id={USER}&text={text}"))
}

/// What Kafka has of one bot.
#[derive(Debug, Default)]
struct Told {
    texts: Vec<String>,
    /// Messages without a text, as nobody knew whose they are.
    unattributed: usize,
    polls: u64,
    /// Updates seen while nobody knew whose they are.
    early: Vec<i64>,
    updates: Vec<i64>,
}

impl Load {
    /// Connected bots.
    pub(super) async fn new(telegram: &Telegram, at: &Installation, count: usize) -> Self {
        let mut bots = Vec::new();
        for _ in 0..count {
            let (id, token) = newcomer(telegram);
            bots.push(Bot {
                id,
                token,
                tenant: at.add(Some(id)).await.id,
                sent: Cell::default(),
                polls: Cell::default(),
                seen: RefCell::default(),
                quiet: Cell::default(),
            });
        }
        Self {
            bots,
            over: Cell::default(),
        }
    }

    /// Calls until the script has come to its end.
    pub(super) async fn beside<T>(
        &self,
        telegram: &Telegram,
        ingress: &Ingress,
        script: impl Future<Output = T>,
    ) -> T {
        self.over.set(false);
        self.bots.iter().for_each(|bot| bot.quiet.set(false));
        let sends = join_all(
            self.bots
                .iter()
                .map(|bot| self.send(bot, telegram, ingress)),
        );
        let polls = join_all(self.bots.iter().map(|bot| self.poll(bot, ingress)));
        let script = async {
            let done = script.await;
            self.over.set(true);
            done
        };
        let (done, ..) = tokio::join!(script, sends, polls);
        done
    }

    /// Waits until every bot has sent so many messages more.
    pub(super) async fn goes_on(&self, messages: usize, when: &str) {
        let before: Vec<_> = self.bots.iter().map(|bot| bot.sent.get()).collect();
        let began = Instant::now();
        for (bot, before) in self.bots.iter().zip(before) {
            while bot.sent.get() < before + messages {
                assert!(began.elapsed() < DEADLINE, "{when}: a bot does not go on");
                // paced: looks at what the bots have done
                sleep(PACE).await;
            }
        }
    }

    async fn send(&self, bot: &Bot, telegram: &Telegram, ingress: &Ingress) {
        let mut client = ingress.client().await;
        while !self.over.get() {
            let number = bot.sent.get();
            if number.is_multiple_of(SPOKEN_TO) {
                telegram.control.backlog(bot.id, 1, 0).unwrap();
            }
            let request = message(&bot.token, &format!("call-{number}"));
            self.ask(&mut client, request, LONGEST).await;
            bot.sent.set(number + 1);
            // paced: so that the number of calls stays small
            sleep(PACE).await;
        }
        bot.quiet.set(true);
    }

    /// Polls until it has seen all.
    async fn poll(&self, bot: &Bot, ingress: &Ingress) {
        let mut client = ingress.client().await;
        while !bot.quiet.get() || bot.seen.borrow().len() < bot.spoken_to() {
            let offset = bot.seen.borrow().last().map_or(0, |id| id + 1);
            let body = format!("offset={offset}&timeout={POLL}");
            let request = form(&bot.token, "getUpdates", &body);
            let bound = LONGEST + Duration::from_secs(POLL);
            let answer = self.ask(&mut client, request, bound).await;
            bot.polls.set(bot.polls.get() + 1);
            let got = answer["result"].as_array().unwrap();
            let ids = got.iter().map(|it| it["update_id"].as_i64().unwrap());
            bot.seen.borrow_mut().extend(ids);
        }
    }

    async fn ask(&self, client: &mut Client, request: String, bound: Duration) -> Value {
        let began = Instant::now();
        let answer = client.ask(request).await;
        let took = began.elapsed();
        assert_eq!(answer.status(), 200, "{}", answer.text());
        assert!(took < bound, "a call took {took:?}");
        answer.json()
    }

    /// Kafka has every call and every update once, in order; none of them is unattributed.
    pub(super) async fn is_told(&self, installation: &Installation, pid: u32) {
        let unattributed = self.is_told_in_part(installation, pid).await;
        assert!(
            unattributed.iter().all(|count| *count == 0),
            "{unattributed:?}"
        );
    }

    /// The same, where the bots were unknown to the process at first. Gives how many of each bot's
    /// messages are unattributed.
    pub(super) async fn is_told_in_part(&self, at: &Installation, pid: u32) -> Vec<usize> {
        let mut told = self.read(at, pid).await;
        let mut unattributed = Vec::new();
        for bot in &self.bots {
            let told = told.get_mut(&bot.id).unwrap();
            // They lie in another partition.
            told.early.append(&mut told.updates);
            let texts = told.unattributed..bot.sent.get();
            let texts: Vec<_> = texts.map(|number| format!("call-{number}")).collect();
            assert_eq!(told.texts, texts, "messages of {}", bot.id);
            assert_eq!(told.polls, bot.polls.get(), "polls of {}", bot.id);
            assert_eq!(told.early, *bot.seen.borrow(), "updates of {}", bot.id);
            assert_eq!(told.early.len(), bot.spoken_to());
            unattributed.push(told.unattributed);
        }
        unattributed
    }

    /// What Kafka has of these bots, by their ids. Of unattributed records, those of this process.
    async fn read(&self, at: &Installation, pid: u32) -> BTreeMap<i64, Told> {
        let bus = at.open_bus();
        let mut tenants: Vec<_> = self.bots.iter().map(|bot| bot.tenant).collect();
        tenants.push(TenantId::UNATTRIBUTED);
        let mine = |record: &str| record.contains(&format!(".{pid}-"));
        let mut by_bot: BTreeMap<_, _> = (self.bots.iter())
            .map(|bot| (bot.id, Told::default()))
            .collect();
        let mut records = Vec::new();
        for record in calls(&bus, &tenants).await {
            let (id, bot, tenant) = match &record {
                CallRecord::Call(call) => (&call.record, call.bot, call.tenant),
                CallRecord::Polls(polls) => (&polls.record, polls.bot, polls.tenant),
                CallRecord::Gap(gap) if !mine(gap.record.as_str()) => continue,
                CallRecord::Gap(gap) => panic!("{gap:?}"),
            };
            let Some(told) = bot.and_then(|bot| by_bot.get_mut(&bot.0)) else {
                continue;
            };
            records.push(id.as_str().to_owned());
            match &record {
                CallRecord::Call(call) if call.method == "getUpdates" => told.polls += 1,
                CallRecord::Call(_) if tenant == TenantId::UNATTRIBUTED => told.unattributed += 1,
                CallRecord::Call(call) => {
                    let params = call.params.as_ref().unwrap().get();
                    let params: Value = serde_json::from_str(params).unwrap();
                    told.texts.push(params["text"].as_str().unwrap().to_owned());
                }
                CallRecord::Polls(polls) => told.polls += polls.count,
                CallRecord::Gap(_) => unreachable!(),
            }
        }
        for update in updates(&bus, &tenants).await {
            let Some(told) = update.bot.and_then(|bot| by_bot.get_mut(&bot.0)) else {
                continue;
            };
            records.push(update.record.as_str().to_owned());
            let updates = match update.tenant {
                TenantId::UNATTRIBUTED => &mut told.early,
                _ => &mut told.updates,
            };
            updates.push(update.update_id.unwrap());
        }
        let count = records.len();
        records.sort();
        records.dedup();
        assert_eq!(records.len(), count, "records are there twice");
        by_bot
    }
}
