//! The records: the scripted week, as often as it takes.
//!
//! In: `tests/week/make`. Out: what a consumer would get: all weeks at the same time, a record of each in turn. Invariant: each week is
//! one of other bots, so nothing is a repeat that is none in the week.

use std::path::Path;
use std::process::Command;

use bytes::Bytes;
use gramtap_bus::Delivery;
use gramtap_events::topics::{CALLS, UPDATES};
use serde::Deserialize;
use serde_json::value::RawValue;

/// The end of the week.
const NOW: i64 = 1_951_054_200;
const BOTS: [&str; 3] = ["shop", "tour", "news"];

#[derive(Deserialize)]
struct Line<'a> {
    topic: &'a str,
    key: String,
    #[serde(borrow)]
    record: &'a RawValue,
}

/// So many records, and how many bots they are of.
pub(crate) fn deliveries(folder: &Path, records: usize) -> (Vec<Delivery>, usize) {
    let week = make(folder);
    let turns = records.div_ceil(week.lines().count());
    let weeks: Vec<String> = (0..turns)
        .map(|turn| {
            BOTS.iter().fold(week.clone(), |week, name| {
                week.replace(&tenant(name, 0), &tenant(name, turn))
            })
        })
        .collect();
    let mut lines: Vec<_> = weeks.iter().map(|week| week.lines()).collect();
    let mut deliveries = Vec::with_capacity(records);
    while deliveries.len() < records {
        for line in lines.iter_mut().filter_map(Iterator::next) {
            deliveries.push(delivery(line, deliveries.len()));
        }
    }
    deliveries.truncate(records);
    (deliveries, turns * BOTS.len())
}

fn delivery(line: &str, place: usize) -> Delivery {
    let line: Line<'_> = serde_json::from_str(line).unwrap();
    Delivery {
        topic: if line.topic == "calls" {
            &CALLS
        } else {
            &UPDATES
        },
        partition: 0,
        offset: i64::try_from(place).unwrap(),
        key: Some(Bytes::from(line.key)),
        headers: Vec::new(),
        payload: Some(Bytes::copy_from_slice(line.record.get().as_bytes())),
        timestamp: 0,
    }
}

/// The records of the week, with tenants `{name}aaaa…`.
fn make(folder: &Path) -> String {
    let make = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/week/make");
    let tenants = BOTS.map(|name| format!("{name}={}", tenant(name, 0)));
    let made = Command::new("python3")
        .arg(make)
        .args(["7", &NOW.to_string()])
        .arg(folder)
        .args(tenants)
        .status();
    assert!(made.expect("python3").success());
    std::fs::read_to_string(folder.join("records.jsonl")).unwrap()
}

/// A tenant's id of a turn.
fn tenant(name: &str, turn: usize) -> String {
    let letter = |place: usize| {
        char::from(
            b'a' + u8::try_from(turn / 26_usize.pow(u32::try_from(place).unwrap()) % 26).unwrap(),
        )
    };
    let turn: String = (0..3).map(letter).collect();
    format!("{name}{turn}{}", "w".repeat(26 - name.len() - 3))
}
