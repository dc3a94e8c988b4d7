//! Records of webhook updates: taken in, tried again, given up, delivered.
//!
//! In: the types of `inbox.rs` and `delivery.rs`. Out: a failure where they differ from their golden files or schemas.
//! Invariant: the sealed bytes come back as they were, and `Debug` shows none of them.

use gramtap_events::Record;
use gramtap_events::delivery::{Delivery, Verdict};
use gramtap_events::inbox::{Dead, Inbox, Replay, Retry, Sealed, Tried};
use gramtap_telegram::{BotId, Queue};

use super::{golden, moment, plain, record, schema_of, tenant};

fn sealed(text: &[u8]) -> Sealed {
    Sealed {
        key: "5f0c9a1e".to_owned(),
        nonce: (1..=12).collect(),
        text: text.to_vec(),
    }
}

fn inbox() -> Inbox {
    Inbox {
        v: Inbox::VERSION,
        record: record(7),
        tenant: tenant(),
        at: moment("2026-01-01T00:00:00.123456Z"),
        update_id: Some(1001),
        kind: "callback_query".into(),
        queue: "callback:42".parse().unwrap(),
        headers: sealed(b"\x00\xffsealed headers"),
        body: sealed(b"\xfe\x80sealed body"),
        replay: None,
    }
}

fn tried() -> Tried {
    Tried {
        attempts: 2,
        first_at: Some(moment("2026-01-01T00:00:00.125000Z")),
        last_at: Some(moment("2026-01-01T00:00:00.131000Z")),
    }
}

#[test]
fn updates_that_wait_are_sealed() {
    let unread = Inbox {
        update_id: None,
        kind: "other:".into(),
        queue: Queue::OTHER,
        ..inbox()
    };
    golden("inbox", &inbox(), plain);
    golden("inbox-unread", &unread, plain);
    let replay = |to| Inbox {
        replay: Some(Replay {
            at: moment("2026-01-03T00:00:00.000000Z"),
            to,
        }),
        ..inbox()
    };
    golden("inbox-replay", &replay(None), plain);
    let to = Some(sealed(b"\xfdsealed address"));
    golden("inbox-replay-to", &replay(to), plain);
    let retry = Retry {
        inbox: inbox(),
        origin: 1_234_567,
        tried: tried(),
        next_at: Some(moment("2026-01-01T00:00:02.131000Z")),
    };
    let behind = Retry {
        tried: Tried::default(),
        next_at: None,
        ..retry.clone()
    };
    golden("inbox-retry", &retry, plain);
    golden("inbox-retry-behind", &behind, plain);
    let dead = Dead {
        inbox: inbox(),
        cause: "expired".into(),
        tried: tried(),
    };
    golden("inbox-dead", &dead, plain);
    let again: Dead = plain(&dead.payload().unwrap()).unwrap();
    assert_eq!(again, dead);
    let shown = format!("{again:?}");
    assert!(
        !shown.contains("sealed") && shown.contains("13 bytes under 5f0c9a1e"),
        "{shown}"
    );
}

#[test]
fn attempts() {
    let attempt = Delivery {
        v: Delivery::VERSION,
        record: record(0),
        tenant: tenant(),
        bot: Some(BotId(7_000_000_001)),
        at: moment("2026-01-01T00:00:00.131000Z"),
        inbox_record: record(7),
        update_id: Some(1001),
        kind: "callback_query".into(),
        queue: "callback:42".parse().unwrap(),
        attempt: 2,
        received_at: Some(moment("2026-01-01T00:00:00.100000Z")),
        endpoint: Some("https://bot.example.com:8443".to_owned()),
        status: Some(502),
        label: Some("endpoint_failed".into()),
        verdict: Verdict::Retry,
        next_at: Some(moment("2026-01-01T00:00:02.131000Z")),
        took_us: 5_120,
        reply_method: None,
        replay: None,
    };
    let delivered = Delivery {
        record: record(1),
        attempt: 3,
        status: Some(200),
        label: None,
        verdict: Verdict::Delivered,
        next_at: None,
        reply_method: Some("answerCallbackQuery".to_owned()),
        ..attempt.clone()
    };
    let expired = Delivery {
        record: record(2),
        bot: None,
        update_id: None,
        attempt: 0,
        endpoint: None,
        status: None,
        label: Some("expired".into()),
        verdict: Verdict::Expired,
        next_at: None,
        took_us: 0,
        ..attempt.clone()
    };
    golden("delivery-retry", &attempt, plain);
    golden("delivery", &delivered, plain);
    golden("delivery-expired", &expired, plain);
    let verdicts = [
        Verdict::Delivered,
        Verdict::Retry,
        Verdict::Expired,
        Verdict::Dead,
        Verdict::Refused,
    ];
    for verdict in verdicts {
        assert_eq!(
            serde_json::to_value(verdict).unwrap(),
            verdict.as_str(),
            "{verdict:?}"
        );
    }
}

#[test]
fn what_is_no_base64_is_no_record() {
    let text = String::from_utf8(inbox().payload().unwrap().to_vec()).unwrap();
    let bad = text.replacen("\"nonce\":\"AQID", "\"nonce\":\"A*ID", 1);
    assert_ne!(bad, text);
    assert!(plain::<Inbox>(bad.as_bytes()).is_err());
    let validator = jsonschema::validator_for(&schema_of(Inbox::TOPIC)).unwrap();
    let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(validator.is_valid(&value));
    value["queue"] = "Chat 5".into();
    assert!(!validator.is_valid(&value));
}
