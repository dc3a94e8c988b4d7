//! The week that Python has written.
//!
//! In: `tests/week/make`, the installation's folder. Out: its bots, connected; records, to the bus; what a console says, by `tests/week/ask`;
//! the word of `tests/week/check`. Invariant: the records are handed over as they stand in the file, in its order. No python3: the test
//! fails and says so.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gramtap_bus::{Bus, Header, Message, ProducerOptions, Ticket};
use gramtap_events::record::{KIND, VERSION};
use gramtap_events::topics::{CALLS, UPDATES};
use gramtap_events::{TenantId, Topic};
use gramtap_telegram::BotId;
use gramtap_tenants::NewTenant;
use gramtap_tests::{DEADLINE, Installation};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::process::Command;
use tokio::time::timeout;

/// When the week ends: an afternoon after clocks have changed in Germany. It lies ahead, so that nothing of it is ever too old to be kept.
pub(super) const NOW: i64 = 1_951_054_200;

/// Its bots and their ids, as `tests/week/script.py` has them.
const BOTS: [(&str, i64); 3] = [
    ("shop", 7_000_000_001),
    ("tour", 7_000_000_002),
    ("news", 7_000_000_003),
];

/// For a script: a thousand questions, or a virtual environment, take long where processors are few.
const PATIENCE: Duration = Duration::from_secs(300);

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
    /// Connects its bots and has it written.
    pub(super) async fn make(installation: &Installation, seed: u32) -> Self {
        let folder = installation.folder().join("week");
        std::fs::create_dir(&folder).unwrap();
        let registry = installation.registry();
        let mut tenants = Vec::new();
        for (name, id) in BOTS {
            let new = NewTenant {
                bot: Some(BotId(id)),
                name: Some(name.to_owned()),
                ..NewTenant::default()
            };
            tenants.push(format!("{name}={}", registry.add(&new).await.unwrap().id));
        }
        let mut make = script("week/make");
        make.args([seed.to_string(), NOW.to_string()])
            .arg(&folder)
            .args(tenants);
        assert_eq!(run(make).await.0, 0, "the scripted week");
        let week = std::fs::read(folder.join("week.json")).unwrap();
        Self {
            folder,
            tag: format!("{:x}", now_ms()),
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

    /// Asks the console behind a link for every number, by `/v1` and on its pages. The link makes the console's owner, once; later
    /// questions come from the same owner.
    pub(super) async fn ask(&self, link: &str) {
        let mut ask = script("week/ask");
        ask.arg(&self.folder).arg(link);
        let (code, words) = run(ask).await;
        assert_eq!(code, 0, "{words}");
    }

    /// Compares, and fails with every difference in words.
    pub(super) async fn is_true(&self, source: &[&str]) {
        let (same, words) = self.compare(source).await;
        assert!(same, "{words}");
        println!("{words}");
    }

    /// The same of what `deploy/clickhouse` makes of an embedded log.
    pub(super) async fn is_true_in_clickhouse(&self, log: &Path) {
        let mut check = script("clickhouse/check");
        check.arg(&self.folder).arg(log);
        let (code, words) = run(check).await;
        assert_eq!(code, 0, "{words}");
        println!("{words}");
    }

    /// Whether all is as it should be, and Python's words.
    pub(super) async fn compare(&self, source: &[&str]) -> (bool, String) {
        let mut check = script("week/check");
        check.arg(&self.folder).args(source);
        match run(check).await {
            (code @ (0 | 1), words) => (code == 0, words),
            (code, words) => panic!("the comparison ended with {code}: {words}"),
        }
    }

    /// Where the answers are put.
    pub(super) fn told(&self) -> PathBuf {
        self.folder.join("told.json")
    }
}

/// A script of these tests.
fn script(name: &str) -> Command {
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join(name))
}

/// Its exit status, and what it said.
async fn run(mut script: Command) -> (i32, String) {
    let output = timeout(PATIENCE, script.kill_on_drop(true).output()).await;
    let output = output
        .unwrap_or_else(|_| panic!("{script:?} takes longer than {PATIENCE:?}"))
        .unwrap_or_else(|error| panic!("{script:?}, which needs python3: {error}"));
    let words = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code().expect("a status"), words)
}
