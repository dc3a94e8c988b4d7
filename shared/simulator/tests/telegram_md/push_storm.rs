//! §2.4, webhook delivery, under a storm: many chats, an endpoint that fails in every way.
//!
//! In: updates of many chats at once, answers chosen by a fixed sequence: taken, refused, cut.
//! Out: what arrived when, seen from the endpoint alone: every update, in its chat's order, and never
//! more at once than max_connections.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gramtap_simulator::{DeliveryFilter, User};
use tokio::task::JoinSet;

use crate::endpoint::{Endpoint, Line, OK};
use crate::pushes::set;
use crate::wire::{BOT, PATIENCE, Stage};

const CHATS: i64 = 25;
const EACH: usize = 12;
const MOST: usize = 5;

/// What the endpoint has seen.
#[derive(Default)]
struct Seen {
    /// By chat: the texts that were answered 200, in order.
    taken: BTreeMap<i64, Vec<String>>,
    /// The chats whose update is in hand.
    in_hand: BTreeSet<i64>,
    most_in_hand: usize,
    failed: usize,
    turn: u64,
}

impl Seen {
    /// A push has arrived; gives the answer to it, none to cut.
    fn arrives(&mut self, chat: i64) -> Option<&'static str> {
        assert!(self.in_hand.insert(chat), "two of one chat at once");
        self.most_in_hand = self.most_in_hand.max(self.in_hand.len());
        self.turn = self
            .turn
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let answer = match (self.turn >> 33) % 10 {
            0 | 1 => Some("HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\n"),
            2 => Some("HTTP/1.1 429 x\r\nRetry-After: 3\r\nConnection: close\r\n\r\n"),
            3 => None,
            4 => Some("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"),
            _ => Some(OK),
        };
        self.failed += usize::from(answer.is_none_or(|answer| !answer.contains("200 OK")));
        answer
    }

    fn answered(&mut self, chat: i64, text: String, answer: Option<&str>) {
        self.in_hand.remove(&chat);
        if answer.is_some_and(|answer| answer.contains("200 OK")) {
            self.taken.entry(chat).or_default().push(text);
        }
    }
}

async fn serve(mut line: Line, seen: Arc<Mutex<Seen>>) {
    while let Some(push) = line.next().await {
        let chat = push.update()["message"]["chat"]["id"].as_i64().unwrap();
        let answer = seen.lock().unwrap().arrives(chat);
        tokio::task::yield_now().await;
        // Before the answer is out: the next push may be here before this task goes on.
        seen.lock().unwrap().answered(chat, push.text(), answer);
        let Some(answer) = answer else {
            return;
        };
        line.answer(answer).await;
        if answer.contains("close") {
            return;
        }
    }
}

#[tokio::test]
async fn every_update_arrives_once_in_its_chats_order() {
    let stage = Stage::still().await;
    let endpoint = Endpoint::start().await;
    set(&stage, &endpoint, &format!("&max_connections={MOST}")).await;
    let seen = Arc::new(Mutex::new(Seen::default()));
    let mut expected: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    for user in 100..100 + CHATS {
        stage.control.add_user(User::new(user, "Bob"));
    }
    for turn in 0..EACH {
        for user in 100..100 + CHATS {
            let text = format!("{user} {turn}");
            stage.control.say(BOT, user, &text).unwrap();
            expected.entry(user).or_default().push(text);
        }
    }
    let all = usize::try_from(CHATS).unwrap() * EACH;
    let taken = DeliveryFilter {
        taken: true,
        ..DeliveryFilter::default()
    };
    let mut lines = JoinSet::new();
    let serving = async {
        loop {
            let line = endpoint.line().await;
            lines.spawn(serve(line, Arc::clone(&seen)));
        }
    };
    // Time passes only while nothing is on the way: no answer is late, however slow this machine is.
    let passing = async {
        loop {
            if stage.control.webhook(BOT).unwrap().in_flight == 0 {
                stage.control.clock().advance(Duration::from_millis(250));
            }
            tokio::task::yield_now().await;
        }
    };
    let delivered = tokio::select! {
        delivered = stage.control.wait_for_deliveries(&taken, all, PATIENCE) => delivered,
        () = serving => unreachable!(),
        () = passing => unreachable!(),
    };
    assert_eq!(delivered.len(), all);
    let state = stage.control.webhook(BOT).unwrap();
    assert_eq!((state.pending_updates, state.expired_updates), (0, 0));
    let seen = seen.lock().unwrap();
    assert_eq!(seen.taken, expected);
    assert!(
        seen.most_in_hand > 1 && seen.most_in_hand <= MOST,
        "{}",
        seen.most_in_hand
    );
    let attempts = stage.control.deliveries(&DeliveryFilter::ended());
    assert_eq!(attempts.len(), all + seen.failed);
}
