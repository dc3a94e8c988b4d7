//! The same arguments in every shape that clients use.

use gramtap_events::tenant::Privacy;
use gramtap_privacy::Mask;
use gramtap_telegram::Method;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// One request in every shape that clients use.
fn shapes(arguments: &serde_json::Map<String, Value>) -> Vec<RequestCopy> {
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    let encode = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let pairs: Vec<String> = arguments
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(&text(value))))
        .collect();
    let form = pairs.join("&");
    let strings: serde_json::Map<String, Value> = arguments
        .iter()
        .map(|(name, value)| (name.clone(), json!(text(value))))
        .collect();
    let part = |(name, value): (&String, &Value)| {
        format!(
            "--b\r\ncontent-disposition:form-data;name=\"{name}\"\r\n\r\n{}\r\n",
            text(value)
        )
    };
    let parts: String = arguments.iter().map(part).collect();
    vec![
        copied(
            "application/json",
            "",
            Value::Object(arguments.clone()).to_string().as_bytes(),
        ),
        copied(
            "application/json",
            "",
            Value::Object(strings).to_string().as_bytes(),
        ),
        copied(FORM, "", form.as_bytes()),
        copied("", &form, b""),
        copied(
            "multipart/form-data; boundary=b",
            "",
            format!("{parts}--b--\r\n").as_bytes(),
        ),
    ]
}

fn argument() -> impl Strategy<Value = (String, Value)> {
    let value = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        "[a-zA-Zé 🎉]{1,12}".prop_map(Value::from),
        Just(json!("@channel")),
        Just(json!("/start promo")),
        Just(
            json!({"inline_keyboard": [[{"text": "Buy", "callback_data": "x", "url": "https://x"}]]})
        ),
        Just(json!([{"type": "bold", "offset": 0, "length": 3}, {"user": {"id": 4}}])),
        Just(json!([1, 2])),
    ];
    let name = prop::sample::select(vec![
        "chat_id",
        "user_id",
        "message_id",
        "message_ids",
        "text",
        "caption",
        "parse_mode",
        "reply_markup",
        "entities",
        "photo",
        "disable_notification",
        "limit",
        "timeout",
        "callback_query_id",
        "new_thing",
        "new_thing_id",
        "callback_data",
        "title",
        "allowed_updates",
    ]);
    (name.prop_map(str::to_owned), value)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_shape_gives_the_same_record(arguments in prop::collection::vec(argument(), 0..6)) {
        let arguments: serde_json::Map<String, Value> = arguments.into_iter().collect();
        let mask = Mask::new(Privacy::Metadata, [0; 32]);
        let method = Method::named("sendMessage");
        let records: Vec<String> = shapes(&arguments)
            .iter()
            .map(|copy| mask.params(&method, copy.arguments().0).unwrap().get().to_owned())
            .collect();
        for record in &records {
            prop_assert_eq!(record, &records[0]);
        }
    }

    #[test]
    fn no_bytes_panic_and_the_budget_returns_to_zero(
        kind in prop::sample::select(vec![FORM, "application/json", "multipart/form-data; boundary=b", ""]),
        encoding in prop::sample::select(vec!["", "gzip", "deflate", "br"]),
        query in "[a-z%&=+0-9é]{0,40}",
        body in prop::collection::vec(any::<u8>(), 0..300),
        limit in 0usize..500,
        piece in 1usize..50,
    ) {
        let budget = Budget::new(limit);
        let copy = copy_of(&budget, kind, encoding, &query, &body, piece);
        prop_assert!(budget.used() <= limit);
        prop_assert_eq!(copy.bytes(), body.len() as u64);
        let (members, _) = copy.arguments();
        for privacy in [Privacy::Metadata, Privacy::Full] {
            prop_assert!(Mask::new(privacy, [0; 32]).params(&Method::named("x"), members.clone()).is_some());
        }
        drop(members);
        drop(copy);
        prop_assert_eq!(budget.used(), 0);
    }
}
