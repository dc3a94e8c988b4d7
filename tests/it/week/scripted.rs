//! The week that Python has written.
//!
//! In: `tests/week/make`, the installation's folder. Out: records, to the bus; the word of `tests/week/check`. Invariant: the records are
//! handed over as they stand in the file, in its order. No python3: the test fails and says so.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use gramtap_bus::{Bus, Header, Message, ProducerOptions, Ticket};
use gramtap_events::record::{KIND, VERSION};
use gramtap_events::topics::{CALLS, UPDATES};
use gramtap_events::{TenantId, Topic};
use gramtap_tests::{DEADLINE, Installation, within};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::process::Command;

/// When the week ends: an afternoon after clocks have changed in Germany. It lies ahead, so that nothing of it is ever too old to be kept.
const NOW: i64 = 1_951_054_200;

/// A week.
#[derive(Deserialize)]
pub(super) struct Week {
    pub(super) now: i64,
    pub(super) bots: Vec<Bot>,
    /// How many there must be.
    pub(super) events: u64,
    pub(super) errors: u64,
    #[serde(skip)]
    folder: PathBuf,
    /// Of this run alone.
    #[serde(skip)]
    pub(super) tag: String,
}

/// A bot of it.
#[derive(Clone, Deserialize)]
pub(super) struct Bot {
    pub(super) name: String,
    pub(super) tenant: TenantId,
    pub(super) zone: String,
    /// The first date and how many, by the period's name.
    pub(super) periods: std::collections::BTreeMap<String, (i64, i64)>,
}

#[derive(Deserialize)]
struct Line {
    topic: String,
    key: String,
    record: Box<RawValue>,
}

#[derive(Deserialize)]
struct Kind {
    kind: Option<String>,
}

pub(super) fn now_ms() -> u128 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_millis()
}

impl Week {
    /// Has it written.
    pub(super) async fn make(installation: &Installation, seed: u32) -> Self {
        let folder = installation.folder().join("week");
        std::fs::create_dir(&folder).unwrap();
        let tag = format!("{:x}", now_ms());
        let make = Command::new("python3")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/week/make"))
            .args([seed.to_string(), NOW.to_string()])
            .arg(&folder)
            .args(["shop", "tour", "news"].map(|name| format!("{name}={}", tenant(&tag, name))))
            .status();
        let made = within("the scripted week", make).await.expect("python3");
        assert!(made.success(), "{made}");
        let week = std::fs::read(folder.join("week.json")).unwrap();
        Self {
            folder,
            tag,
            ..serde_json::from_slice(&week).unwrap()
        }
    }

    /// Writes its records to the bus: one of so many parts, from 0.
    pub(super) async fn write(&self, bus: &Bus, (part, parts): (usize, usize)) {
        let told = |_: Ticket, outcome: Result<_, _>| {
            outcome.unwrap();
        };
        let producer = bus.producer(ProducerOptions::lossy("week"), told).unwrap();
        let records = std::fs::read_to_string(self.folder.join("records.jsonl")).unwrap();
        let many = records.lines().count();
        let (from, to) = (many * part / parts, many * (part + 1) / parts);
        for (number, line) in records.lines().enumerate().take(to).skip(from) {
            let line: Line = serde_json::from_str(line).unwrap();
            let topic: &'static Topic = if line.topic == "calls" {
                &CALLS
            } else {
                &UPDATES
            };
            let kind: Kind = serde_json::from_str(line.record.get()).unwrap();
            let kind = kind.kind.unwrap_or_else(|| "update".to_owned());
            let message = Message::new(topic, line.key, line.record.get().to_owned())
                .with(Header::new(KIND, kind))
                .with(Header::new(VERSION, "1"));
            producer.offer(message, Ticket(number as u64)).unwrap();
            if number % 5_000 == 4_999 {
                assert_eq!(producer.flush(DEADLINE).await, 0);
            }
        }
        assert_eq!(producer.flush(DEADLINE).await, 0);
    }

    /// Compares, and fails with every difference in words.
    pub(super) async fn is_true(&self, source: &[&str]) {
        let (same, words) = self.compare(source).await;
        assert!(same, "{words}");
    }

    /// Whether all is as it should be, and Python's words.
    pub(super) async fn compare(&self, source: &[&str]) -> (bool, String) {
        let check = Command::new("python3")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/week/check"))
            .arg(&self.folder)
            .args(source)
            .output();
        let output = within("the comparison", check).await.expect("python3");
        let words = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        match output.status.code() {
            Some(code @ (0 | 1)) => (code == 0, words),
            other => panic!("the comparison ended with {other:?}: {words}"),
        }
    }

    /// Where the answers are put.
    pub(super) fn told(&self) -> PathBuf {
        self.folder.join("told.json")
    }
}

/// A tenant's id of this run.
fn tenant(tag: &str, name: &str) -> String {
    let spelled = tag.bytes().map(|digit| match digit {
        b'0' | b'1' | b'8' | b'9' => char::from(digit - b'0' + b'g'),
        digit => char::from(digit),
    });
    let id: String = name
        .chars()
        .chain(spelled)
        .chain("week".chars().cycle())
        .take(26)
        .collect();
    id
}
