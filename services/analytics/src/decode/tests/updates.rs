//! Updates of every kind, in every mode.

use super::*;

/// What updates of every kind become, as two modes keep them: read `golden/updates.jsonl`.
#[test]
fn every_kind_of_update_has_its_event() {
    let corpus = include_str!("../../../../../shared/events/golden/updates.jsonl");
    let mut rows = Vec::new();
    for line in corpus.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let kind = row["full"]
            .as_object()
            .unwrap()
            .keys()
            .find(|name| *name != "update_id")
            .unwrap();
        let known = gramtap_telegram::update::UpdateKind::named(kind).name();
        let of = |mode: &str| {
            let (event, failure) =
                decoded(&topics::UPDATES, &update(Some(&known), row[mode].clone()));
            assert!(failure.is_none());
            assert!(!event.props.contains_key("unread"), "{}", row["about"]);
            columns(&event)
        };
        let (full, metadata) = (of("full"), of("metadata"));
        // The modes differ in texts and names alone.
        for (name, value) in &metadata {
            assert!(
                name == "props" || full.get(name) == Some(value),
                "{}: {name}",
                row["about"]
            );
        }
        let texts: Map<String, Value> = full
            .into_iter()
            .filter(|(name, value)| metadata.get(name) != Some(value))
            .collect();
        rows.push(json!({"about": row["about"], "metadata": metadata, "full adds": texts}));
    }
    hold("updates.jsonl", &rows);
}

#[test]
fn what_is_withheld_cut_or_strange_is_still_an_event() {
    let withheld = |kind: &str| {
        let mut record = update(Some(kind), json!({"update_id": 5}));
        record["update"] = Value::Null;
        record
    };
    let mut cut = withheld("message");
    cut["cut"] = json!(true);
    let mut numberless = cut.clone();
    numberless["update_id"] = Value::Null;
    numberless["type"] = Value::Null;
    let strange = update(
        Some("message"),
        json!({"update_id": 5, "message": {"message_id": "x", "from": 7}}),
    );
    let webhook = |mut record: Value| {
        record["via"] = json!("webhook");
        record["client"] = Value::Null;
        record
    };
    let table = [
        (
            withheld("message"),
            json!({"event": "message_received", "update_type": "message"}),
        ),
        (
            withheld("callback_query"),
            json!({"event": "callback_pressed", "update_type": "callback_query"}),
        ),
        (
            withheld("my_chat_member"),
            json!({"event": "update_other", "update_type": "my_chat_member"}),
        ),
        (
            webhook(withheld("poll")),
            json!({"event": "poll_changed", "update_type": "poll", "via": "webhook"}),
        ),
        (
            cut,
            json!({"event": "update_other", "update_type": "message", "props": {"cut": true}}),
        ),
        (
            strange,
            json!({"event": "update_other", "update_type": "message", "props": {"unread": true}}),
        ),
        (
            numberless,
            json!({"event": "update_other", "event_id": "u:ingress-0-1767225600000-7", "update_id": null, "props": {"cut": true}}),
        ),
    ];
    for (record, expected) in table {
        let mut all = json!({"event_id": format!("u:{TENANT}:5"), "update_id": 5, "via": "poll", "direction": "in", "happened_at": AT});
        all.as_object_mut()
            .unwrap()
            .extend(expected.as_object().unwrap().clone());
        all.as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
        let (event, _) = decoded(&topics::UPDATES, &record);
        assert_eq!(Value::Object(columns(&event)), all, "{record}");
    }
}
