//! The lines that docs/events.md prints for kcat, run as they are printed.
//!
//! In: the page, Debian's kcat, the tests' Kafka. Out: pass or fail. Invariant: nothing of a line is changed but the broker's address.

use std::process::Stdio;

use gramtap_analytics::conformance::DEADLINE;
use gramtap_analytics::conformance::stream::{Traffic, seed, traffic};
use gramtap_bus::{Bus, Message, topics};
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

#[tokio::test]
async fn the_newest_records_are_there_as_they_are() {
    let _shared = broker::shared().await;
    let (bus, traffic) = bus().await;
    let mut wanted = Vec::new();
    for event in &traffic.events {
        let message = Message::of(event).unwrap();
        bus.produce(message).await.unwrap();
        wanted.push(
            String::from_utf8(gramtap_events::Record::payload(event).unwrap().to_vec()).unwrap(),
        );
    }
    let mut kcat = printed(" -e ");
    let output = within("kcat's end", kcat.output()).await.unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let got: Vec<&str> = text
        .lines()
        .filter(|line| wanted.iter().any(|it| it == line))
        .collect();
    assert_eq!(got, wanted, "in their order, once each");
}

#[tokio::test]
async fn what_comes_is_told_with_its_key_and_offset() {
    let _shared = broker::shared().await;
    let (bus, traffic) = bus().await;
    let mut kcat = printed(" -o end ").spawn().unwrap();
    let mut lines = BufReader::new(kcat.stdout.take().unwrap()).lines();
    let event = &traffic.events[0];
    let payload = gramtap_events::Record::payload(event).unwrap();
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
