//! Records that repeat, and records that are none.

use super::*;

#[test]
fn a_record_is_counted_once_and_an_update_once_whatever_brings_it() {
    let (mut decoder, mut into) = (Decoder::default(), Yield::default());
    let sent = call("sendMessage", json!({"record": "i-1-5"}));
    let polled = |record: &str, number: i64| {
        let mut polled = update(
            Some("message"),
            json!({"update_id": number, "message": {"message_id": 1}}),
        );
        polled["record"] = json!(record);
        polled
    };
    // A cut update tells its number too; without one it is told by its record.
    let mut cut = polled("i-1-11", 8);
    cut["cut"] = json!(true);
    let mut numberless = cut.clone();
    numberless["update_id"] = Value::Null;
    // Two bots that could not be attributed may have the same numbers.
    let mut nobodys = polled("i-1-12", 7);
    nobodys["tenant"] = json!("a".repeat(26));
    let mut nobodys_too = nobodys.clone();
    nobodys_too["record"] = json!("i-1-13");
    let rows = [
        (&topics::CALLS, &sent, Outcome::Event),
        (&topics::CALLS, &sent, Outcome::Repeat),
        (&topics::UPDATES, &polled("i-1-6", 7), Outcome::Event),
        (&topics::UPDATES, &polled("i-1-6", 7), Outcome::Repeat),
        (&topics::UPDATES, &polled("i-2-0", 7), Outcome::Repeat),
        (&topics::UPDATES, &cut, Outcome::Event),
        (&topics::UPDATES, &polled("i-2-1", 8), Outcome::Repeat),
        (&topics::UPDATES, &numberless, Outcome::Event),
        (&topics::UPDATES, &numberless, Outcome::Repeat),
        (&topics::UPDATES, &nobodys, Outcome::Event),
        (&topics::UPDATES, &nobodys_too, Outcome::Event),
        (&topics::UPDATES, &nobodys_too, Outcome::Repeat),
        (
            &topics::CALLS,
            &call("sendMessage", json!({"record": "i-1-4"})),
            Outcome::Event,
        ),
    ];
    for (turn, (topic, record, expected)) in rows.into_iter().enumerate() {
        // As after a restart, each time.
        let mut restored = Decoder::default();
        for tenant in [TENANT, &"a".repeat(26)] {
            if let Some(seen) = decoder.kept(tenant.parse().unwrap()) {
                restored.restore(seen);
            }
        }
        decoder = restored;
        assert_eq!(
            decoder.decode(&delivery(topic, record), &Bots::default(), &mut into),
            expected,
            "{turn}"
        );
    }
    let ids: std::collections::HashSet<&str> =
        into.events.iter().map(|it| it.event_id.as_str()).collect();
    assert_eq!((into.events.len(), ids.len()), (7, 7));
    assert_eq!(into.changed.len(), 2);
}

#[test]
fn a_record_that_cannot_be_read_is_told_and_stops_nothing() {
    let table: [&[u8]; 5] = [
        b"",
        b"{",
        b"[]",
        br#"{"kind":"hologram"}"#,
        br#"{"kind":"call","v":1}"#,
    ];
    for payload in table {
        for topic in [
            &topics::CALLS,
            &topics::UPDATES,
            &topics::INBOX,
            &topics::DELIVERIES,
        ] {
            let mut into = Yield::default();
            let mut broken = delivery(topic, &Value::Null);
            broken.payload = Some(payload.to_vec().into());
            let outcome = Decoder::default().decode(&broken, &Bots::default(), &mut into);
            assert_eq!(outcome, Outcome::Unreadable);
            let told = columns(&into.events[0]);
            assert_eq!(told["event"], "gap");
            assert_eq!(told["event_id"], format!("g:{}/3/17", topic.name));
            assert_eq!(told["props"], json!({"count": 1, "reason": "unreadable"}));
            assert_eq!(told["at"], "2026-01-01T00:00:00.123000Z");
            assert!(!told.contains_key("tenant"), "its key told whose it was");
        }
    }
}
