//! Updates by webhook while everything dies in turn: what Telegram was answered 200 for reaches its bot, once, in order, or expires.
//!
//! The way of a test: `chaos/telegram.rs` is a simulated Telegram whose bots are written to at a steady rate, and pushes to one real ingress; three real
//! forwarders (`chaos/forwarders.rs`) deliver to `chaos/endpoints.rs`, one in ten of which sleeps for half of the time. A forwarder is killed with SIGKILL
//! every few seconds and started again at once; Kafka is killed once, for longer than a session lasts. Each of them writes down what it did and saw, with the time; `tests/chaos/judge`, which is
//! Python and knows none of our code, reads that and Kafka's topics, and says what was wrong. `GRAMTAP_SOAK=10m` (`make soak`) makes it long, with 1,000 bots.
//! Invariant: nothing is judged here.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod endpoints;
mod forwarders;
mod telegram;

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gramtap_tests::{Ingress, Installation, broker, commit_the_ends};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};

use endpoints::Endpoints;
use forwarders::Forwarders;
use telegram::Telegram;

/// How a test goes.
struct Plan {
    /// How long people write.
    time: Duration,
    bots: usize,
    /// Updates a second.
    rate: u32,
    /// Between two kills of a forwarder.
    between_kills: Duration,
}

/// How long Kafka is away before it is started again: then longer than a forwarder's session of ten seconds, which is lost with all partitions.
const OUTAGE: Duration = Duration::from_secs(9);

impl Plan {
    /// The cut, or as long as was asked for.
    fn read() -> Self {
        match std::env::var("GRAMTAP_SOAK") {
            Err(_) => Self {
                time: Duration::from_secs(40),
                bots: 40,
                rate: 50,
                between_kills: Duration::from_secs(9),
            },
            Ok(minutes) => Self {
                time: minutes
                    .strip_suffix('m')
                    .and_then(|it| it.parse::<u64>().ok())
                    .map(|it| Duration::from_secs(it * 60))
                    .expect("GRAMTAP_SOAK is a number of minutes, such as 10m"),
                bots: 1_000,
                rate: 200,
                between_kills: Duration::from_secs(20),
            },
        }
    }

    /// When something happens, as parts of the time.
    fn at(&self, began: Instant, part: f64) -> Instant {
        began + self.time.mul_f64(part)
    }
}

/// Microseconds since 1970.
fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(now.as_micros()).unwrap()
}

/// One JSON value a line.
fn write(folder: &Path, name: &str, lines: impl IntoIterator<Item = Value>) {
    let mut file = std::io::BufWriter::new(File::create(folder.join(name)).unwrap());
    for line in lines {
        writeln!(file, "{line}").unwrap();
    }
    file.flush().unwrap();
}

#[tokio::test]
async fn updates_reach_their_bots_though_everything_dies() {
    let plan = Plan::read();
    let mut kafka = broker::alone().await;
    let installation = Installation::alone(&kafka).await;
    let endpoints = Endpoints::start();
    let began_at = now();
    let mut telegram = Telegram::start(&installation, &endpoints, plan.bots).await;
    let port = format!("[\"{}\"]", endpoints.address().port());
    let settings = [
        ("GRAMTAP_WEBHOOKS__ALLOW", r#"["127.0.0.0/8"]"#),
        ("GRAMTAP_WEBHOOKS__PORTS", port.as_str()),
        ("GRAMTAP_WEBHOOKS__HTTP", "true"),
        ("GRAMTAP_INGRESS__INBOX_PATIENCE", "1s"),
    ];
    let url = telegram.url();
    let ingress = Ingress::with(&installation, "ingress", &url, &settings).await;
    telegram.set_webhooks(&ingress).await;
    commit_the_ends(
        &installation.open_bus(),
        forwarders::GROUP,
        &forwarders::TOPICS,
    )
    .await;
    let mut forwarders = Forwarders::start(&installation, &settings).await;
    let mut happened = Vec::new();

    let began = Instant::now();
    let writing = telegram.write(plan.rate, plan.time);
    let sleeping = async {
        // paced: the plan says when
        sleep_until(plan.at(began, 0.2)).await;
        endpoints.sleep(true);
        let from = now();
        // paced: the plan says when
        sleep_until(plan.at(began, 0.7)).await;
        endpoints.sleep(false);
        vec![json!({"what": "sleep", "from": from, "to": now()})]
    };
    let killing = forwarders.die(plan.between_kills, plan.at(began, 1.0));
    let restarting = async {
        // paced: the plan says when
        sleep_until(plan.at(began, 0.5)).await;
        let from = now();
        assert!(kafka.kill().await, "the broker is ours to kill");
        // paced: the plan says how long
        sleep(OUTAGE).await;
        kafka.bring_back().await;
        vec![json!({"what": "kafka", "from": from, "to": now()})]
    };
    let ((), slept, kills, restarts) = tokio::join!(writing, sleeping, killing, restarting);
    happened.extend([slept, kills, restarts].concat());
    let done = telegram.is_done(&endpoints).await;

    // Stays there, to be looked at.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("chaos");
    std::fs::create_dir_all(&folder).unwrap();
    let expired = telegram.expired();
    happened.push(
        json!({"what": "end", "done": done, "expired_at_telegram": expired, "began": began_at}),
    );
    write(&folder, "happened.jsonl", happened);
    write(&folder, "made.jsonl", telegram.made());
    write(&folder, "came.jsonl", endpoints.came());
    // Commits and records of what has just been delivered.
    forwarders.stop().await;
    ingress.stop().await;
    judge(&folder);
    installation.remove().await;
}

#[test]
fn the_judge_sees_each_fault() {
    let mut tests = Command::new("python3");
    succeeds(tests.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/chaos/test_judge.py")));
}

fn judge(folder: &Path) {
    let mut judge = Command::new("python3");
    let judge = judge.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/chaos/judge"));
    succeeds(judge.arg(folder).arg(broker::address()));
}

fn succeeds(command: &mut Command) {
    let output = command.output().expect("python3");
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    println!("{words}");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{words}{errors}");
}
