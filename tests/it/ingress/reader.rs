//! What is in Kafka, told by a reader that knows none of our code.
//!
//! In: what bots did, from the tests beside this; `tests/reader/check`, which is Python. Out: the
//! reader's word. Invariant: the script says of each bot what it did at which process, in order; the
//! reader says every difference. No python3: the test fails and says so.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use gramtap_events::TenantId;
use gramtap_tests::{Ingress, Installation, broker, within};
use serde_json::{Value, json};
use tokio::process::Command;

/// What bots did.
#[derive(Clone)]
pub(super) struct Script {
    since_ms: u64,
    bots: Vec<Value>,
}

/// What a bot did at one process.
#[derive(Default)]
pub(super) struct Deeds {
    pub(super) calls: Vec<Value>,
    pub(super) updates: Vec<Value>,
}

impl Script {
    /// One that begins now.
    pub(super) fn begin() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Self {
            since_ms: u64::try_from(now.as_millis()).unwrap(),
            bots: Vec::new(),
        }
    }

    /// Writes down what a bot did, by process.
    pub(super) fn add(&mut self, tenant: TenantId, bot: i64, deeds: Vec<(String, Deeds)>) {
        let (mut calls, mut updates) = (BTreeMap::new(), BTreeMap::new());
        for (instance, deeds) in deeds {
            calls.insert(instance.clone(), deeds.calls);
            updates.insert(instance, deeds.updates);
        }
        self.bots
            .push(json!({"tenant": tenant, "bot": bot, "calls": calls, "updates": updates}));
    }

    /// The same with one bot's deeds changed.
    pub(super) fn but(&self, change: impl FnOnce(&mut Value)) -> Self {
        let mut other = self.clone();
        change(&mut other.bots[0]);
        other
    }

    /// Has it compared with what is in Kafka: whether it is the same, and the reader's words.
    pub(super) async fn compare(&self, installation: &Installation) -> (bool, String) {
        let script = json!({
            "broker": broker::address(), "since_ms": self.since_ms, "bots": self.bots,
        });
        let file = installation.folder().join("script.json");
        std::fs::write(&file, script.to_string()).unwrap();
        let reader = concat!(env!("CARGO_MANIFEST_DIR"), "/reader/check");
        let reader = Command::new("python3").arg(reader).arg(&file).output();
        let output = within("the reader's word", reader).await.unwrap();
        let words = [output.stdout, output.stderr].concat();
        let words = String::from_utf8(words).unwrap();
        match output.status.code() {
            Some(code @ (0 | 1)) => (code == 0, words),
            other => panic!("the reader ended with {other:?}: {words}"),
        }
    }
}

/// How the records of a process are named.
pub(super) fn instance(process: &Ingress) -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    format!("{}.{}", host.trim(), process.pid())
}
