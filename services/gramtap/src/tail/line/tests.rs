//! Lines of records. In: the golden records of `shared/events` and made-up ones. Out: `cargo test`.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use gramtap_events::Topic;
use serde_json::{Value, json};

fn delivery(topic: &'static Topic, record: &Value) -> Delivery {
    Delivery {
        topic,
        partition: 3,
        offset: 9,
        key: None,
        headers: Vec::new(),
        payload: Some(serde_json::to_vec(record).unwrap().into()),
        timestamp: 1_700_000_000_123,
    }
}

fn line(topic: &'static Topic, record: &Value) -> String {
    Painter::new(false, HashMap::new()).line(&delivery(topic, record))
}

const TENANT: &str = "abcdefghijklmnopqrstuvwx27";
const AT: &str = "2026-01-02T03:04:05.678901Z";

fn call() -> Value {
    json!({
        "kind": "call", "v": 1, "record": "a-1-1", "tenant": TENANT, "bot": 7, "at": AT,
        "client": {"addr": null, "agent": null}, "method": "sendMessage", "test": false,
        "http": {"verb": "POST", "shape": "json", "bytes_in": 1, "bytes_out": 2, "status": 200},
        "token": "verified", "params": null, "params_cut": false, "ok": true, "result": null,
        "result_cut": false, "error": null, "origin": "telegram", "label": null,
        "took": {"total_us": 12_345, "upstream_us": 12_000, "own_us": 345},
    })
}

fn with(mut record: Value, changes: &[(&str, Value)]) -> Value {
    for (pointer, value) in changes {
        *record.pointer_mut(pointer).unwrap() = value.clone();
    }
    record
}

/// An event with these columns; the others as they are where nothing is known.
fn event(columns: Value) -> Value {
    let via = serde_json::from_value(columns["via"].clone()).unwrap();
    let name = serde_json::from_value(columns["event"].clone()).unwrap();
    let at = serde_json::from_value(json!(AT)).unwrap();
    let bare = Event::bare(name, "a-1-5".to_owned(), TENANT.parse().unwrap(), at, via);
    let mut event = serde_json::to_value(bare).unwrap();
    event["bot"] = json!(7);
    for (column, value) in columns.as_object().unwrap() {
        event[column] = value.clone();
    }
    event
}

fn error_record() -> Value {
    json!({"v": 1, "error_id": "a-1-6", "group": "0123456789abcdef", "template": "Forbidden", "at": AT, "tenant": TENANT,
        "bot": 7, "origin": "telegram", "class": "expected", "code": 403, "method": "sendMessage",
        "description": "Forbidden:\nx", "advice": "blocked", "chat_id": 5, "user_id": 5, "update_id": null, "client": null})
}

#[test]
fn records_are_lines() {
    let error = json!({"code": 400, "description": "Bad\nRequest \u{1b}[2J", "retry_after": null, "migrate_to_chat_id": null});
    let refused = [
        ("/ok", json!(false)),
        ("/http/status", json!(400)),
        ("/error", error.clone()),
    ];
    let network = [
        ("/http/status", json!(502)),
        ("/error", error),
        ("/origin", json!("network")),
        ("/label", json!("connect")),
    ];
    let left = [
        ("/http/status", Value::Null),
        ("/origin", json!("client")),
        ("/bot", Value::Null),
        ("/test", json!(true)),
    ];
    let polls = json!({"kind": "polls", "v": 1, "record": "a-1-2", "tenant": TENANT, "bot": 7, "client": {"addr": null, "agent": null},
        "from": AT, "to": AT, "count": 3, "longest_us": 50_000_000});
    let gap = json!({"kind": "gap", "v": 1, "record": "a-1-3", "tenant": TENANT, "from": AT, "to": AT, "count": 5, "reason": "memory"});
    let update = json!({"v": 1, "record": "a-1-4", "tenant": TENANT, "bot": 7, "at": AT, "via": "poll", "client": null,
        "update_id": 99, "type": "message", "update": null, "cut": true});
    let attempt = json!({"v": 1, "record": "f-1-1", "tenant": TENANT, "bot": 7, "at": AT, "inbox_record": "a-1-9", "update_id": 99,
        "type": "message", "queue": "chat:5", "attempt": 2, "endpoint": "https://bot.example.com", "status": 502,
        "label": "endpoint_fails", "verdict": "retry", "next_at": AT, "took_us": 5, "reply_method": null});
    let tenant = json!({"v": 1, "version": 2, "tenant": TENANT, "code": "x", "bot": 7, "name": "shop", "hook_hash": null,
        "mode": null, "privacy": "full", "upstream": null, "deleted_at": null, "gone": false});
    for (topic, record, expected) in [
        (
            &CALLS,
            call(),
            "03:04:05.678  call    7  sendMessage  200 ok  12.3 ms (own 345 us)",
        ),
        (
            &CALLS,
            with(call(), &refused),
            "03:04:05.678  call    7  sendMessage  400 Bad?Request ?[2J  12.3 ms (own 345 us)",
        ),
        (
            &CALLS,
            with(call(), &network),
            "03:04:05.678  call    7  sendMessage  502 network: Bad?Request ?[2J connect  12.3 ms (own 345 us)",
        ),
        (
            &CALLS,
            with(call(), &left),
            "03:04:05.678  call    abcdefghijklmnopqrstuvwx27  sendMessage (test)  - the bot left  12.3 ms (own 345 us)",
        ),
        (
            &CALLS,
            with(call(), &[("/token", json!("unverified"))]),
            "03:04:05.678  call    7  sendMessage  200 ok  12.3 ms (own 345 us), token not verified",
        ),
        (
            &CALLS,
            polls,
            "03:04:05.678  polls   7  3 empty, the longest 50.0 s",
        ),
        (
            &CALLS,
            gap,
            "03:04:05.678  gap     abcdefghijklmnopqrstuvwx27  5 records lost since 03:04:05.678: memory",
        ),
        (
            &UPDATES,
            update,
            "03:04:05.678  update  7  message  99, too large to be kept",
        ),
        (
            &DELIVERIES,
            attempt,
            "03:04:05.678  attempt  7  message  no. 2 502  retry endpoint_fails",
        ),
        (
            &TENANTS,
            tenant,
            "22:13:20.123  tenant  shop  connected, code x, privacy full",
        ),
        (
            &EVENTS,
            event(
                json!({"event": "message_received", "via": "poll", "direction": "in", "user_id": 5, "chat_id": 5,
                "username": "ann\u{1b}", "command": "/start", "payload": "ads_7", "text": "/start ads_7"}),
            ),
            "03:04:05.678  event   7  message_received  from @ann?  /start  payload ads_7",
        ),
        (
            &EVENTS,
            event(
                json!({"event": "message_received", "via": "poll", "direction": "in", "user_id": 5, "chat_id": -100,
                "text": "x".repeat(70)}),
            ),
            &format!(
                "03:04:05.678  event   7  message_received  from 5  in chat -100  \"{}…",
                "x".repeat(59)
            ),
        ),
        (
            &EVENTS,
            event(
                json!({"event": "message_sent", "via": "call", "direction": "out", "method": "sendMessage", "chat_id": 5,
                "ok": false, "error_code": 403}),
            ),
            "03:04:05.678  event   7  message_sent  sendMessage  to chat 5  failed 403",
        ),
        (
            &ERRORS,
            error_record(),
            "03:04:05.678  error   7  sendMessage  403 Forbidden:?x  (expected, advice blocked)",
        ),
        (
            &SEEN,
            json!({"v": 1, "tenant": TENANT, "updates": [[1, 9], [12, 12]], "updated_at": null, "instances": [], "unnumbered": []}),
            "22:13:20.123  seen    abcdefghijklmnopqrstuvwx27  2 ranges of updates, 0 instances counted",
        ),
        (
            &UPDATES,
            json!({"v": 9}),
            "gramtap.updates.v1 partition 3 offset 9: a record that is not understood",
        ),
    ] {
        assert_eq!(line(topic, &record), expected);
    }
}

#[test]
fn a_bot_has_its_name_from_the_moment_it_is_told() {
    let mut painter = Painter::new(false, HashMap::new());
    let tenant = json!({"v": 1, "version": 2, "tenant": TENANT, "code": "x", "bot": 7, "name": "shop", "hook_hash": null,
        "mode": null, "privacy": "full", "upstream": null, "deleted_at": null, "gone": false});
    assert!(painter.line(&delivery(&CALLS, &call())).contains("  7  "));
    painter.line(&delivery(&TENANTS, &tenant));
    assert!(
        painter
            .line(&delivery(&CALLS, &call()))
            .contains("  shop  ")
    );
}

#[test]
fn colours_are_written_where_they_are_wanted_alone() {
    let delivery = delivery(&CALLS, &call());
    assert!(
        !Painter::new(false, HashMap::new())
            .line(&delivery)
            .contains('\u{1b}')
    );
    assert!(
        Painter::new(true, HashMap::new())
            .line(&delivery)
            .contains("\u{1b}[32m200 ok\u{1b}[0m")
    );
}

#[test]
fn a_tombstone_is_said() {
    let mut delivery = delivery(&TENANTS, &Value::Null);
    delivery.payload = None;
    assert!(
        Painter::new(false, HashMap::new())
            .line(&delivery)
            .contains("a key was deleted")
    );
}

#[test]
fn spans_have_the_unit_that_suits_them() {
    for (micros, text) in [
        (0, "0 us"),
        (999, "999 us"),
        (1_000, "1.0 ms"),
        (12_345, "12.3 ms"),
        (1_000_000, "1.0 s"),
        (50_049_000, "50.0 s"),
    ] {
        assert_eq!(span(micros), text);
    }
}
