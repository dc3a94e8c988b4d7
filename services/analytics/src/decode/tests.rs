//! Records as ingress writes them, and the events that come of them.
//!
//! In: `shared/events/golden/updates.jsonl` (held to ingress' masks there), calls written here. Out: a failure
//! when an event differs from `golden/*.jsonl` of this crate. After a wanted change:
//! `GRAMTAP_BLESS=1 cargo test -p gramtap-analytics decode` writes them anew; read the difference.
#![allow(clippy::unwrap_used, clippy::panic)]

mod calls;
mod catalogue;
mod deliveries;
mod pushed;
mod records;
mod updates;

use std::path::PathBuf;

use gramtap_bus::Delivery;
use gramtap_events::event::Event;
use gramtap_events::failure::Failure;
use gramtap_events::{Topic, topics};
use serde_json::{Map, Value, json};

use super::bots::Bots;
use super::decoder::{Decoder, Outcome, Yield};

const TENANT: &str = "k5zq3vhd2mxw7rcb4n6tpyuaej";
const AT: &str = "2026-01-01T00:00:00.123456Z";

/// A record as the bus delivers it.
fn delivery(topic: &'static Topic, record: &Value) -> Delivery {
    Delivery {
        topic,
        partition: 3,
        offset: 17,
        key: Some(TENANT.into()),
        headers: Vec::new(),
        payload: Some(serde_json::to_vec(record).unwrap().into()),
        timestamp: 1_767_225_600_123,
    }
}

/// What a decoder that has seen nothing makes of a record.
fn decoded(topic: &'static Topic, record: &Value) -> (Event, Option<Failure>) {
    let mut into = Yield::default();
    let outcome = Decoder::default().decode(&delivery(topic, record), &Bots::default(), &mut into);
    assert_eq!(outcome, Outcome::Event, "{record}");
    assert_eq!(into.events.len(), 1, "exactly one event a record");
    (into.events.pop().unwrap(), into.errors.pop())
}

/// A record of updates.v1 around an update.
fn update(kind: Option<&str>, update: Value) -> Value {
    json!({
        "v": 1, "record": "ingress-0-1767225600000-7", "tenant": TENANT, "bot": 7_000_000_001_i64, "at": AT,
        "via": "poll", "client": {"addr": "10.0.0.7", "agent": "aiogram/3.31"},
        "update_id": update["update_id"], "type": kind, "update": update, "cut": false,
    })
}

/// A record of calls.v1; `changes` replaces members of a call that went well.
fn call(method: &str, changes: Value) -> Value {
    let mut call = json!({
        "v": 1, "kind": "call", "record": "ingress-0-1767225600000-2", "tenant": TENANT, "bot": 7_000_000_001_i64, "at": AT,
        "client": {"addr": "10.0.0.7", "agent": "aiogram/3.31"}, "method": method, "test": false,
        "http": {"verb": "POST", "shape": "json", "bytes_in": 80, "bytes_out": 300, "status": 200}, "token": "verified",
        "params": {}, "params_cut": false, "ok": true, "result": null, "result_cut": false, "error": null, "origin": "telegram",
        "label": null, "took": {"total_us": 84_311, "upstream_us": 83_000, "own_us": 409},
    });
    let Value::Object(changes) = changes else {
        panic!("{changes}")
    };
    call.as_object_mut().unwrap().extend(changes);
    call
}

/// The columns that are filled, but those that every event of these tests has.
fn columns(event: &impl serde::Serialize) -> Map<String, Value> {
    let Value::Object(mut columns) = serde_json::to_value(event).unwrap() else {
        panic!("no object")
    };
    for (name, same) in [
        ("v", json!(1)),
        ("tenant", json!(TENANT)),
        ("bot", json!(7_000_000_001_i64)),
        ("at", json!(AT)),
        ("props", json!({})),
    ] {
        if columns.get(name) == Some(&same) {
            columns.remove(name);
        }
    }
    columns.retain(|_, value| !value.is_null());
    columns
}

/// Holds rows to a golden file, or writes it.
fn hold(name: &str, rows: &[Value]) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("golden")
        .join(name);
    let blessing = std::env::var_os("GRAMTAP_BLESS").is_some();
    if blessing {
        let lines: Vec<String> = rows.iter().map(|row| format!("{row}\n")).collect();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, lines.concat()).unwrap();
    }
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let kept: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for (row, kept) in rows.iter().zip(&kept) {
        assert_eq!(row, kept, "{name}: GRAMTAP_BLESS=1 if that is wanted");
    }
    assert_eq!(rows.len(), kept.len(), "{name}");
}
