//! Holds the records to their golden files and schemas.
//!
//! In: `golden/*.json` (one record each, as it is sent, laid out for reading) and `schema/*.json` (one
//! JSON Schema a topic). Out: a failure when a type writes anything else than its files say.
//! After a wanted change: `GRAMTAP_BLESS=1 cargo test -p gramtap-events` writes them anew; the diff
//! is what readers of the topics will see.
#![allow(clippy::unwrap_used, clippy::panic)]

mod analysts;
mod document;
mod webhook;

use std::fs;
use std::path::PathBuf;

use gramtap_events::call::{
    Call, CallRecord, Client, Error, File, Gap, Http, Origin, Polls, Shape, TokenStanding, Took,
};
use gramtap_events::delivery::Delivery;
use gramtap_events::event::Event;
use gramtap_events::failure::Failure;
use gramtap_events::inbox::{Dead, Inbox, Retry};
use gramtap_events::seen::Seen;
use gramtap_events::tenant::{Mode, Privacy, TenantState};
use gramtap_events::update::{Update, Via};
use gramtap_events::{Mint, Moment, Record, RecordId, TenantId, Topic, topics};
use gramtap_telegram::BotId;
use schemars::{JsonSchema, schema_for};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

/// Compares with a file of the crate, or writes it.
fn hold(path: &str, text: &str) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("GRAMTAP_BLESS").is_some() {
        fs::write(&file, text).unwrap();
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == text,
        "{path} differs from what the types write now:\n{text}\nIf that is wanted: GRAMTAP_BLESS=1 cargo test -p gramtap-events"
    );
}

/// Laid out for reading, names sorted whatever a build does with the order of maps.
fn pretty(value: &Value) -> String {
    fn sorted(value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(sorted).collect(),
            Value::Object(members) => {
                let mut names: Vec<&String> = members.keys().collect();
                names.sort_unstable();
                names
                    .into_iter()
                    .map(|name| (name.clone(), sorted(&members[name])))
                    .collect()
            }
            other => other.clone(),
        }
    }
    serde_json::to_string_pretty(&sorted(value)).unwrap() + "\n"
}

fn schema<T: JsonSchema>() -> Value {
    serde_json::to_value(schema_for!(T)).unwrap()
}

/// The schema of a topic's records.
fn schema_of(topic: &Topic) -> Value {
    match topic.name {
        "gramtap.calls.v1" => schema::<CallRecord>(),
        "gramtap.updates.v1" => schema::<Update>(),
        "gramtap.inbox.v1" => schema::<Inbox>(),
        "gramtap.inbox.retry.v1" => schema::<Retry>(),
        "gramtap.inbox.dead.v1" => schema::<Dead>(),
        "gramtap.deliveries.v1" => schema::<Delivery>(),
        "gramtap.events.v1" => schema::<Event>(),
        "gramtap.errors.v1" => schema::<Failure>(),
        "gramtap.seen.v1" => schema::<Seen>(),
        "gramtap.tenants.v1" => schema::<TenantState>(),
        name => panic!("{name} has no schema: say here which type its records have"),
    }
}

/// Holds a record to its golden file and its topic's schema, and reads it back.
fn golden<R: Record>(name: &str, record: &R, read: impl Fn(&[u8]) -> Result<R, serde_json::Error>) {
    let payload = record.payload().unwrap();
    let value: Value = serde_json::from_slice(&payload).unwrap();
    hold(&format!("golden/{name}.json"), &pretty(&value));

    let validator = jsonschema::validator_for(&schema_of(R::TOPIC)).unwrap();
    let faults: Vec<String> = validator
        .iter_errors(&value)
        .map(|fault| fault.to_string())
        .collect();
    assert!(faults.is_empty(), "{name}: {faults:?}");

    let again = read(&payload).unwrap();
    assert_eq!(
        again.payload().unwrap(),
        payload,
        "{name}: read and written again"
    );
    assert_eq!(
        (again.kind(), again.tenant()),
        (record.kind(), record.tenant())
    );
    assert_eq!(value["v"], R::VERSION, "{name}: the version inside");
    if let Some(kind) = value.get("kind") {
        assert_eq!(kind, record.kind(), "{name}: the kind inside");
    }
    // A reader of this version meets a field of a later one.
    let later = std::str::from_utf8(&payload)
        .unwrap()
        .replacen('{', "{\"hologram\":[1],", 1);
    assert_eq!(
        read(later.as_bytes()).unwrap().payload().unwrap(),
        payload,
        "{name}: with a later field"
    );
}

fn plain<R: DeserializeOwned>(payload: &[u8]) -> Result<R, serde_json::Error> {
    serde_json::from_slice(payload)
}

fn tenant() -> TenantId {
    "k5zq3vhd2mxw7rcb4n6tpyuaej".parse().unwrap()
}

fn record(sequence: u64) -> RecordId {
    let mint = Mint::new("ingress-0", 1_767_225_600_000);
    (0..=sequence).map(|_| mint.mint()).last().unwrap()
}

fn moment(text: &str) -> Moment {
    serde_json::from_value(Value::from(text)).unwrap()
}

fn raw(json: &str) -> Option<Box<RawValue>> {
    Some(RawValue::from_string(json.to_owned()).unwrap())
}

fn client() -> Client {
    Client {
        addr: Some("10.42.0.17".to_owned()),
        agent: Some("Python/3.13 aiohttp/3.14".to_owned()),
    }
}

fn call() -> Call {
    Call {
        v: CallRecord::VERSION,
        record: record(0),
        tenant: tenant(),
        bot: Some(BotId(7_000_000_001)),
        at: moment("2026-01-01T00:00:00.123456Z"),
        client: client(),
        method: "sendPhoto".to_owned(),
        test: false,
        http: Http {
            verb: "POST".to_owned(),
            shape: Shape::Multipart,
            bytes_in: 300_412,
            bytes_out: 513,
            status: Some(200),
        },
        token: TokenStanding::Verified,
        params: raw(r#"{"chat_id":42,"photo":"upload","caption_length":11}"#),
        params_cut: false,
        files: vec![File {
            field: "attached".to_owned(),
            name: None,
            kind: Some("image/jpeg".to_owned()),
            bytes: 300_000,
        }],
        ok: Some(true),
        result: raw(
            r#"{"message_id":9,"chat":{"id":42,"type":"private"},"date":1767225600,"photo":[{"file_size":1200,"width":90,"height":60}],"caption_length":11}"#,
        ),
        result_cut: false,
        error: None,
        origin: Origin::Telegram,
        label: None,
        took: Took {
            total_us: 84_311,
            upstream_us: 83_902,
            own_us: 409,
        },
        code: None,
    }
}

/// A call that was not relayed: its address is another bot's.
fn stranger() -> Call {
    Call {
        record: record(5),
        tenant: TenantId::UNATTRIBUTED,
        method: "getMe".to_owned(),
        http: Http {
            verb: "POST".to_owned(),
            shape: Shape::None,
            bytes_in: 0,
            bytes_out: 120,
            status: Some(404),
        },
        token: TokenStanding::Unverified,
        params: None,
        files: Vec::new(),
        ok: None,
        result: None,
        origin: Origin::Gramtap,
        label: Some("bot_mismatch".into()),
        code: Some("abcdefghijklmnopqrstuvwxyz".to_owned()),
        ..call()
    }
}

/// A call that got no answer, and of which nothing is known that may be unknown.
fn failed() -> Call {
    Call {
        record: record(1),
        bot: None,
        client: Client {
            addr: None,
            agent: None,
        },
        method: "getUpdates".to_owned(),
        test: true,
        http: Http {
            verb: "GET".to_owned(),
            shape: Shape::None,
            bytes_in: 0,
            bytes_out: 97,
            status: Some(504),
        },
        token: TokenStanding::Unverified,
        params: None,
        params_cut: true,
        files: Vec::new(),
        ok: None,
        result: None,
        result_cut: true,
        error: Some(Error {
            code: 504,
            description: None,
            retry_after: None,
            migrate_to_chat_id: None,
        }),
        origin: Origin::Network,
        label: Some("connect_timeout".into()),
        ..call()
    }
}

/// A call that Telegram refused.
fn refused() -> Call {
    let description = Some("Too Many Requests: retry after 7".to_owned());
    Call {
        record: record(2),
        ok: Some(false),
        result: None,
        error: Some(Error {
            code: 429,
            description,
            retry_after: Some(7),
            migrate_to_chat_id: Some(-1_001_234_567_890),
        }),
        ..call()
    }
}

#[test]
fn calls() {
    let polls = Polls {
        v: CallRecord::VERSION,
        record: record(3),
        tenant: tenant(),
        bot: Some(BotId(7_000_000_001)),
        client: client(),
        from: moment("2026-01-01T00:00:00.000000Z"),
        to: moment("2026-01-01T00:00:09.500000Z"),
        count: 19,
        longest_us: 500_912,
    };
    let gap = Gap {
        v: CallRecord::VERSION,
        record: record(4),
        tenant: tenant(),
        from: moment("2026-01-01T00:00:10.000000Z"),
        to: moment("2026-01-01T00:00:11.000000Z"),
        count: 1200,
        reason: "spool_full".into(),
    };
    golden("call", &CallRecord::Call(call()), CallRecord::parse);
    golden(
        "call-failed",
        &CallRecord::Call(failed()),
        CallRecord::parse,
    );
    golden(
        "call-refused",
        &CallRecord::Call(refused()),
        CallRecord::parse,
    );
    golden(
        "call-stranger",
        &CallRecord::Call(stranger()),
        CallRecord::parse,
    );
    golden("polls", &CallRecord::Polls(polls), CallRecord::parse);
    golden("gap", &CallRecord::Gap(gap), CallRecord::parse);
}

#[test]
fn updates() {
    let update = Update {
        v: Update::VERSION,
        record: record(5),
        tenant: tenant(),
        bot: Some(BotId(7_000_000_001)),
        at: moment("2026-01-01T00:00:00.123456Z"),
        via: Via::Poll,
        client: Some(client()),
        update_id: Some(1001),
        kind: Some("message".into()),
        update: raw(
            r#"{"update_id":1001,"message":{"message_id":5,"from":{"id":42,"is_bot":false,"language_code":"en"},"chat":{"id":42,"type":"private"},"date":1767225600,"text_length":12,"entities":[{"offset":0,"length":6,"type":"bot_command"}],"command":"/start","payload":"promo"}}"#,
        ),
        cut: false,
    };
    let cut = Update {
        v: Update::VERSION,
        record: record(6),
        tenant: tenant(),
        bot: None,
        at: moment("2026-01-01T00:00:00.123456Z"),
        via: Via::Webhook,
        client: None,
        update_id: None,
        kind: None,
        update: None,
        cut: true,
    };
    golden("update", &update, plain);
    golden("update-cut", &cut, plain);
}

#[test]
fn tenants() {
    let state = TenantState {
        v: TenantState::VERSION,
        version: 3,
        tenant: tenant(),
        code: Some("x7k2m4qd5w6rzt3vbnc2hpyuae".to_owned()),
        bot: Some(BotId(7_000_000_001)),
        name: Some("Orders".to_owned()),
        hook_hash: Some("8d1f0a2b3c4d5e6f708192a3b4c5d6e7".to_owned()),
        former_hook_hash: None,
        former_hook_until: None,
        webhook: Some("5f1e2d3c.c2VhbGVk".to_owned()),
        dropped_before: None,
        mode: Some(Mode::Relay),
        privacy: Privacy::Metadata,
        upstream: None,
        deleted_at: None,
        gone: false,
    };
    let removed = TenantState {
        version: 4,
        dropped_before: Some(moment("2026-01-01T00:00:00.123456Z")),
        mode: None,
        privacy: Privacy::Off,
        deleted_at: Some(moment("2026-01-02T00:00:00.000000Z")),
        gone: true,
        ..state.clone()
    };
    golden("tenant", &state, plain);
    golden("tenant-removed", &removed, plain);
}

#[test]
fn each_topic_has_its_schema() {
    for topic in topics::ALL {
        let name = topic.name.trim_start_matches("gramtap.");
        hold(&format!("schema/{name}.json"), &pretty(&schema_of(topic)));
    }
}

#[test]
fn the_schemas_refuse_what_is_no_record() {
    let good: Value = serde_json::from_slice(&CallRecord::Call(call()).payload().unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema_of(&topics::CALLS)).unwrap();
    assert!(validator.is_valid(&good));
    let table = [
        ("/kind", Value::from("coll")),
        ("/tenant", Value::from("SHORT")),
        ("/at", Value::from(1_767_225_600)),
        ("/http/shape", Value::from("xml")),
        ("/http/bytes_in", Value::from(-1)),
        ("/origin", Value::from("mars")),
        ("/bot", Value::from("7000000001")),
        ("/token", Value::Null),
    ];
    for (place, value) in table {
        let mut bad = good.clone();
        *bad.pointer_mut(place).unwrap() = value;
        assert!(!validator.is_valid(&bad), "{place}");
    }
}
