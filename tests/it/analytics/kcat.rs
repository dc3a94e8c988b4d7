//! The lines that docs/events.md prints for kcat, run as they are printed.
//!
//! In: the page, Debian's kcat, the tests' Kafka. Out: pass or fail. Invariant: nothing of a line is changed but the broker's address.

use std::process::Stdio;

use gramtap_analytics::conformance::DEADLINE;
use gramtap_analytics::conformance::stream::{Traffic, seed, traffic};
use gramtap_bus::{Bus, Message, topics};
use gramtap_events::Record as _;
use gramtap_events::topics::{ERRORS, EVENTS};
use gramtap_tests::{broker, within};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::bus;

const PAGE: &str = include_str!("../../../docs/events.md");

/// The printed line that has this in it, for the tests' broker.
fn printed(part: &str) -> Command {
    let mut lines = PAGE.lines().filter_map(|line| line.strip_prefix("    "));
    let line = lines.find(|line| line.starts_with("kcat ") && line.contains(part));
    let line = line.unwrap_or_else(|| panic!("no line has {part}"));
    let (before, after) = line.split_once("localhost:9092").unwrap();
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("exec {before}{}{after}", broker::address())])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    command
}

async fn bus() -> (Bus, Traffic) {
    let mut config = bus::config();
    // The topics are the ones that every installation of the tests has.
    config.kafka.partitions = 24;
    let bus = Bus::open(&config).unwrap();
    topics::apply(&bus, &[&EVENTS, &ERRORS], DEADLINE)
        .await
        .unwrap();
    (bus, traffic(seed(), 5))
}

/// What the line for the newest records tells of a bot's, and what was written of it.
async fn newest() -> (Vec<String>, Vec<String>) {
    let (bus, traffic) = bus().await;
    let mut written = Vec::new();
    for event in &traffic.events {
        bus.produce(Message::of(event).unwrap()).await.unwrap();
        let payload = event.payload().unwrap();
        written.push(String::from_utf8(payload.to_vec()).unwrap());
    }
    let output = within("kcat's end", printed(" -e ").output())
        .await
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let of_bot = text
        .lines()
        .filter(|line| line.contains(traffic.tenant.as_str()));
    (of_bot.map(str::to_owned).collect(), written)
}

#[tokio::test]
async fn the_newest_records_are_there_as_they_are() {
    let _shared = broker::shared().await;
    // Other tests may write a hundred records to the same partition meanwhile.
    for _ in 0..4 {
        let (told, written) = newest().await;
        if told == written {
            return;
        }
    }
    let (told, written) = newest().await;
    assert_eq!(told, written);
}

#[tokio::test]
async fn what_comes_is_told_with_its_key_and_offset() {
    let _shared = broker::shared().await;
    let (bus, traffic) = bus().await;
    let mut kcat = printed(" -o end ").spawn().unwrap();
    let mut lines = BufReader::new(kcat.stdout.take().unwrap()).lines();
    let event = &traffic.events[0];
    let payload = event.payload().unwrap();
    let payload = String::from_utf8(payload.to_vec()).unwrap();
    let told = async {
        loop {
            let line = lines.next_line().await.unwrap().unwrap();
            if let Some(before) = line.strip_suffix(&format!(" {payload}")) {
                break before.to_owned();
            }
        }
    };
    let written = async {
        loop {
            bus.produce(Message::of(event).unwrap()).await.unwrap();
            // paced: kcat does not tell when it has begun
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    let told = within("a record", async {
        tokio::select! { told = told => told, () = written => unreachable!() }
    });
    let told = told.await;
    let (key, offset) = told.split_once(' ').unwrap();
    assert_eq!(key, traffic.tenant.as_str());
    offset.parse::<i64>().unwrap();
    kcat.kill().await.unwrap();
}
