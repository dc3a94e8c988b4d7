//! Attempts to deliver: which are events, which are errors.

use super::*;

/// A record of deliveries.v1; `changes` replaces members of one that went well.
fn attempt(changes: Value) -> Value {
    let mut attempt = json!({
        "v": 1, "record": "forwarder-0-1767225600000-4", "tenant": TENANT, "bot": 7_000_000_001_i64, "at": AT,
        "received_at": "2026-01-01T00:00:00.103456Z", "inbox_record": "ingress-0-1767225600000-1", "update_id": 77, "type": "message",
        "queue": "chat 42", "attempt": 1, "endpoint": "https://bot.example.com", "status": 200, "label": null, "verdict": "delivered",
        "next_at": null, "took_us": 5_250, "reply_method": null,
    });
    let Value::Object(changes) = changes else {
        panic!("{changes}")
    };
    attempt.as_object_mut().unwrap().extend(changes);
    attempt
}

#[test]
fn deliveries_that_are_over_have_their_event() {
    let table = [
        attempt(json!({"reply_method": "sendMessage"})),
        attempt(
            json!({"attempt": 3, "status": 500, "label": "endpoint_fails", "verdict": "expired"}),
        ),
        attempt(json!({"status": null, "label": "endpoint_timeout", "verdict": "dead"})),
        attempt(
            json!({"attempt": 0, "endpoint": null, "status": null, "label": "expired", "verdict": "expired", "took_us": 0}),
        ),
        attempt(
            json!({"attempt": 0, "status": null, "label": "address_loopback", "verdict": "refused", "took_us": 0}),
        ),
        attempt(
            json!({"attempt": 0, "status": null, "label": "unknown_key", "verdict": "dead", "bot": null, "update_id": null}),
        ),
        attempt(json!({"status": null, "label": null, "verdict": "dead", "received_at": null})),
    ];
    let mut rows = Vec::new();
    for record in table {
        let (event, failure) = decoded(&topics::DELIVERIES, &record);
        let failure = failure.map(|failure| {
            assert_eq!(failure.error_id, event.event_id);
            assert_eq!(Some(&failure.group), event.error_group.as_ref());
            columns(&failure)
        });
        rows.push(json!({"record": record, "event": columns(&event), "error": failure}));
    }
    hold("deliveries.jsonl", &rows);
}

#[test]
fn an_attempt_that_is_followed_by_another_is_no_event_and_a_record_counts_once() {
    let retry = attempt(
        json!({"verdict": "retry", "status": 502, "label": "endpoint_fails", "next_at": AT}),
    );
    let over = attempt(json!({"record": "forwarder-0-1767225600000-5"}));
    let (mut decoder, mut into) = (Decoder::default(), Yield::default());
    for (record, expected) in [
        (&retry, Outcome::Attempt),
        (&retry, Outcome::Attempt),
        (&over, Outcome::Event),
        (&over, Outcome::Repeat),
    ] {
        let mut restored = Decoder::default();
        if let Some(seen) = decoder.kept(TENANT.parse().unwrap()) {
            restored.restore(seen);
        }
        decoder = restored;
        let delivery = delivery(&topics::DELIVERIES, record);
        assert_eq!(
            decoder.decode(&delivery, &Bots::default(), &mut into),
            expected
        );
    }
    assert_eq!((into.events.len(), into.errors.len()), (1, 0));
}
