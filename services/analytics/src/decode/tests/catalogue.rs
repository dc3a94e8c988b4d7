//! The errors that a call can meet, by class, origin and advice.

use super::*;

/// Code, method, Telegram's text, class, advice.
const ANSWERS: &str = include_str!("errors.txt");

#[test]
fn every_answer_of_telegrams_has_its_class_and_advice() {
    let (mut rows, mut differ) = (0, Vec::new());
    for line in ANSWERS.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split(" | ").collect();
        let [code, method, description, class, advice] = fields[..] else {
            panic!("{line}")
        };
        let code: i64 = code.parse().unwrap();
        let record = call(
            method,
            json!({
                "ok": false, "http": {"verb": "POST", "shape": "json", "bytes_in": 8, "bytes_out": 8, "status": code},
                "error": {"code": code, "description": description, "retry_after": null, "migrate_to_chat_id": null},
            }),
        );
        let (event, failure) = decoded(&topics::CALLS, &record);
        let failure = columns(&failure.unwrap());
        if (&failure["class"], &failure["advice"]) != (&json!(class), &json!(advice)) {
            differ.push(format!(
                "{line}: {} {}",
                failure["class"], failure["advice"]
            ));
        }
        assert_eq!(
            (&failure["origin"], &failure["code"]),
            (&json!("telegram"), &json!(code)),
            "{line}"
        );
        assert_eq!(failure["description"], description);
        assert_eq!(
            (event.ok, event.error_code),
            (Some(false), Some(code)),
            "{line}"
        );
        rows += 1;
    }
    assert!(differ.is_empty(), "{differ:#?}");
    assert!(rows > 50);
}

/// What is not Telegram's answer: status, origin, label, class, advice.
#[test]
fn every_failure_on_the_way_has_its_class_and_advice() {
    let table = [
        (
            Some(502),
            "network",
            Some("connect"),
            "outage",
            "telegram_unreachable",
        ),
        (
            Some(502),
            "network",
            Some("resolve"),
            "outage",
            "telegram_unreachable",
        ),
        (
            Some(502),
            "network",
            Some("tls"),
            "outage",
            "telegram_unreachable",
        ),
        (
            Some(502),
            "network",
            Some("receive"),
            "outage",
            "answer_lost",
        ),
        (Some(504), "network", Some("idle"), "outage", "answer_lost"),
        (Some(200), "network", Some("cut"), "outage", "answer_lost"),
        (Some(502), "edge", Some("page"), "outage", "gateway"),
        (Some(504), "edge", Some("empty"), "outage", "gateway"),
        (Some(200), "edge", Some("page"), "outage", "not_the_bot_api"),
        (
            Some(413),
            "edge",
            Some("page"),
            "capacity",
            "upload_too_large",
        ),
        (None, "client", Some("left"), "expected", "bot_left"),
        (
            Some(503),
            "gramtap",
            Some("pool_full"),
            "outage",
            "gramtap_busy",
        ),
        (
            Some(500),
            "gramtap",
            Some("internal"),
            "outage",
            "gramtap_failed",
        ),
        (
            Some(404),
            "gramtap",
            Some("bot_mismatch"),
            "config",
            "address_of_another_bot",
        ),
        (
            Some(404),
            "gramtap",
            Some("bot_unknown"),
            "config",
            "bot_not_connected",
        ),
        (
            Some(404),
            "gramtap",
            Some("path_unknown"),
            "config",
            "path_malformed",
        ),
    ];
    for (status, origin, label, class, advice) in table {
        let error = status.filter(|status| *status >= 400).map(
            |status| json!({"code": status, "description": null, "retry_after": null, "migrate_to_chat_id": null}),
        );
        let record = call(
            "sendDocument",
            json!({
                "ok": null, "http": {"verb": "POST", "shape": "json", "bytes_in": 8, "bytes_out": 8, "status": status},
                "error": error, "origin": origin, "label": label, "params": {"chat_id": 42},
            }),
        );
        let (event, failure) = decoded(&topics::CALLS, &record);
        let failure = columns(&failure.unwrap());
        let found = (&failure["origin"], &failure["class"], &failure["advice"]);
        assert_eq!(
            found,
            (&json!(origin), &json!(class), &json!(advice)),
            "{origin} {label:?}"
        );
        assert_eq!(
            (&failure["template"], &failure["description"]),
            (&json!(label), &json!(label))
        );
        assert_eq!((event.ok, event.user_id), (Some(false), Some(42)));
        assert_eq!(
            failure["client"],
            json!({"addr": "10.0.0.7", "agent": "aiogram/3.31"})
        );
    }
}
