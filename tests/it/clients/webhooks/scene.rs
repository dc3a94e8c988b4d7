//! What people say to a bot, and all that comes of it.
//!
//! In: a running server and its bot (`player.rs`). Out: a [`Scene`], which is held against another. Invariant: a scene is over when every update is handled and
//! everything that was asked for is done, and it holds all that has come since its [`Mark`], so that what comes too often shows, now or when it is looked at later.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use gramtap_simulator::{Control, DeliveryFilter, Filter};
use gramtap_tests::DEADLINE;
use serde_json::Value;
use tokio::time::{Duration, Instant, sleep};

use super::act::Act;
use super::answer::Answer;
use super::player::Player;
use crate::clients::server::{Handled, Running};

/// What is said, by whom, at once. What begins with an `a` asks for something.
pub(super) const SAID: [(i64, &str); 9] = [
    (7, "one"),
    (8, "answer to the other"),
    (7, "act"),
    (7, "answer"),
    (8, "two"),
    (7, "answer with a file"),
    (7, "three"),
    (8, "four"),
    (7, "five"),
];
const CHATS: [i64; 2] = [7, 8];
/// What a message has of the moment.
const OF_THE_MOMENT: [&str; 3] = ["message_id", "file_id", "file_unique_id"];

/// How far all was before a scene.
pub(super) struct Mark {
    handled: usize,
    delivery: Option<u64>,
    call: Option<u64>,
    messages: [usize; CHATS.len()],
}

/// What came of all that was said.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scene {
    /// What pushes were answered, by update.
    answers: Vec<Answer>,
    /// What the bot has called, or somebody for it.
    calls: Vec<Act>,
    /// The bot's messages in each chat.
    chats: [Vec<String>; CHATS.len()],
}

impl Scene {
    /// What Telegram did for the answers.
    pub(super) fn performed(&self) -> impl Iterator<Item = &Act> {
        self.answers.iter().filter_map(|it| it.performed.as_ref())
    }

    /// For each update, what Telegram did for its answer.
    pub(super) fn replies(&self) -> impl Iterator<Item = Option<&Act>> {
        self.answers.iter().map(|it| it.performed.as_ref())
    }

    /// What comes through Gramtap is answered the same as what does not.
    pub(super) fn same(&self, through: &Self) -> Result<()> {
        for ((direct, through), (_, text)) in self.answers.iter().zip(&through.answers).zip(SAID) {
            ensure!(
                direct == through,
                "{text:?} was answered\n{direct:?}, through Gramtap\n{through:?}"
            );
        }
        let (direct, calls) = (&self.calls, &through.calls);
        ensure!(direct == calls, "calls: {direct:?}, {calls:?}");
        self.same_chats(through)
    }

    /// What is taken in first comes to the same: Telegram learns nothing from the answer to a push, and is asked by calls for just what it did by itself.
    pub(super) fn means_the_same(&self, through: &Self) -> Result<()> {
        let performed: Vec<&Act> = through.performed().collect();
        ensure!(performed.is_empty(), "Telegram did {performed:?} by itself");
        let mut direct: Vec<&Act> = self.calls.iter().chain(self.performed()).collect();
        direct.sort();
        let calls: Vec<&Act> = through.calls.iter().collect();
        ensure!(direct == calls, "asked for: {direct:?}, {calls:?}");
        self.same_chats(through)
    }

    fn same_chats(&self, through: &Self) -> Result<()> {
        let (direct, through) = (&self.chats, &through.chats);
        ensure!(direct == through, "chats: {direct:?}, {through:?}");
        Ok(())
    }
}

impl Player {
    /// Everything is said; waits until all of it is handled and done.
    pub(super) async fn scene(&self, running: &Running) -> Result<(Mark, Scene)> {
        let mark = self.mark(running);
        for (user, text) in SAID {
            self.control.say(self.bot, user, text)?;
        }
        let taken = DeliveryFilter {
            taken: true,
            ..self.deliveries(mark.delivery)
        };
        let waiting = self
            .control
            .wait_for_deliveries(&taken, SAID.len(), DEADLINE);
        let made = waiting.await.len();
        let until = Instant::now() + DEADLINE;
        while running.handled().len() < mark.handled + SAID.len() && Instant::now() < until {
            // paced: handlers that run in the background tell when they like
            sleep(Duration::from_millis(20)).await;
        }
        ensure!(made == SAID.len(), "{made} were taken");
        let asking = SAID.iter().filter(|(_, text)| text.starts_with('a'));
        let asking = asking.count();
        let done = |_: &Control| {
            let scene = self.answers(&mark).ok()?;
            let performed = scene.iter().filter(|it| it.performed.is_some()).count();
            (performed + self.calls(&mark).ok()?.len() >= asking).then_some(())
        };
        // What is missing shows when scenes are held against each other.
        self.control.wait_for(done, DEADLINE).await;
        let scene = self.since(running, &mark)?;
        Ok((mark, scene))
    }

    fn mark(&self, running: &Running) -> Mark {
        let call = self.control.requests(&self.requests(None)).pop();
        let delivery = self.control.deliveries(&self.deliveries(None)).pop();
        Mark {
            handled: running.handled().len(),
            delivery: delivery.map(|it| it.id),
            call: call.map(|it| it.id),
            messages: CHATS.map(|chat| self.control.messages(self.bot, chat).len()),
        }
    }

    /// All that has come of a scene so far.
    pub(super) fn since(&self, running: &Running, mark: &Mark) -> Result<Scene> {
        let handled = running.handled().split_off(mark.handled);
        let by_chat = |one: &Handled| (one.chat, one.text.clone());
        let said = SAID.map(|(user, text)| (user, text.to_owned()));
        ensure!(
            chats(handled.iter().map(by_chat)) == chats(said),
            "handled were {handled:?}: {}",
            running.words()
        );
        let answers = self.answers(mark)?;
        ensure!(answers.len() == SAID.len(), "{} pushes", answers.len());
        let mut sent = [Vec::new(), Vec::new()];
        for ((sent, chat), known) in sent.iter_mut().zip(CHATS).zip(mark.messages) {
            *sent = self.sent(chat, known)?;
        }
        Ok(Scene {
            answers,
            calls: self.calls(mark)?,
            chats: sent,
        })
    }

    /// The answers to pushes, by update.
    fn answers(&self, mark: &Mark) -> Result<Vec<Answer>> {
        let mut deliveries = self.control.deliveries(&self.deliveries(mark.delivery));
        deliveries.sort_by_key(|one| one.update_id);
        deliveries.iter().map(Answer::of).collect()
    }

    /// The calls that were answered, sorted. Some libraries ask who they are when the first update comes.
    fn calls(&self, mark: &Mark) -> Result<Vec<Act>> {
        let filter = Filter {
            answered: true,
            ..self.requests(mark.call)
        };
        let mut made = self.control.requests(&filter);
        made.retain(|call| call.method.as_deref() != Some("getme"));
        let mut calls = made.iter().map(Act::of_call).collect::<Result<Vec<_>>>()?;
        calls.sort();
        Ok(calls)
    }

    /// What the bot has sent to a chat: in order where all of it goes with answers, which are executed in order.
    fn sent(&self, chat: i64, known: usize) -> Result<Vec<String>> {
        let mut sent = Vec::new();
        for message in self.control.messages(self.bot, chat).split_off(known) {
            let mut message: Value = serde_json::from_str(&message)?;
            if message["from"]["id"] == self.bot {
                strip(&mut message);
                sent.push(message.to_string());
            }
        }
        let sending = |text: &&(i64, &str)| text.1.starts_with("answer");
        if self.server.answers.len() < SAID.iter().filter(sending).count() {
            sent.sort();
        }
        Ok(sent)
    }

    fn requests(&self, after: Option<u64>) -> Filter {
        Filter {
            bot: Some(self.bot),
            after,
            ..Filter::default()
        }
    }

    fn deliveries(&self, after: Option<u64>) -> DeliveryFilter {
        DeliveryFilter {
            bot: Some(self.bot),
            after,
            ..DeliveryFilter::default()
        }
    }
}

/// What was said in each chat, in order.
fn chats(said: impl IntoIterator<Item = (i64, String)>) -> BTreeMap<i64, Vec<String>> {
    let mut chats = BTreeMap::<i64, Vec<String>>::new();
    for (chat, text) in said {
        chats.entry(chat).or_default().push(text);
    }
    chats
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !OF_THE_MOMENT.contains(&name.as_str()));
            members.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}
