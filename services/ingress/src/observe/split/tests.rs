//! The splitter against serde_json's reading of the whole.
#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;
use serde_json::Value;

use super::super::budget::Budget;
use super::*;

const LIMITS: CaptureLimits = CaptureLimits {
    body: 64 << 10,
    update: 512 << 10,
    answer: 8 << 20,
};

#[derive(Debug, PartialEq)]
struct Split {
    elements: Vec<(Vec<u8>, Option<Cut>)>,
    envelope: String,
    split: bool,
}

impl Split {
    fn texts(&self) -> Vec<&str> {
        self.elements
            .iter()
            .map(|(bytes, _)| std::str::from_utf8(bytes).unwrap())
            .collect()
    }
}

/// Pushes the pieces that `cuts` makes of `bytes`.
fn split_with(limits: &CaptureLimits, budget: &Budget, bytes: &[u8], cuts: &[usize]) -> Split {
    let mut splitter = Splitter::new(limits);
    let mut claim = budget.claim();
    let mut elements = Vec::new();
    let mut each = |element: Element<'_>| match element {
        Element::Whole(bytes) => elements.push((bytes.to_vec(), None)),
        Element::Cut(bytes, cut) => elements.push((bytes.to_vec(), Some(cut))),
    };
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
    cuts.sort_unstable();
    let mut from = 0;
    for cut in cuts.into_iter().chain([bytes.len()]) {
        splitter.push(&bytes[from..cut], &mut claim, &mut each);
        from = cut;
    }
    Split {
        elements,
        envelope: String::from_utf8(splitter.envelope().0.to_vec()).unwrap(),
        split: splitter.split,
    }
}

fn split(bytes: &[u8], cuts: &[usize]) -> Split {
    let budget = Budget::new(64 << 20);
    let split = split_with(&LIMITS, &budget, bytes, cuts);
    assert_eq!(budget.used(), 0);
    split
}

#[test]
fn every_order_of_the_envelope_is_split() {
    let table: [(&str, &[&str], &str); 11] = [
        (
            r#"{"ok":true,"result":[{"a":1},{"b":[2]}]}"#,
            &[r#"{"a":1}"#, r#"{"b":[2]}"#],
            r#"{"ok":true,"result":null}"#,
        ),
        (
            r#"{"result":[{"a":"]}"}],"ok":true}"#,
            &[r#"{"a":"]}"}"#],
            r#"{"result":null,"ok":true}"#,
        ),
        (
            " { \"ok\" : true , \"result\" : [ {} , 1 ,\"x\\\"\" , null ] } ",
            &["{}", "1", "\"x\\\"\"", "null"],
            " { \"ok\" : true , \"result\" : null } ",
        ),
        (
            r#"{"ok":true,"result":[]}"#,
            &[],
            r#"{"ok":true,"result":null}"#,
        ),
        (
            r#"{"r\u0065sult":[1],"ok":true}"#,
            &["1"],
            r#"{"r\u0065sult":null,"ok":true}"#,
        ),
        (
            r#"{"ok":false,"error_code":409,"parameters":{"result":[1]}}"#,
            &[],
            r#"{"ok":false,"error_code":409,"parameters":{"result":[1]}}"#,
        ),
        (
            r#"{"a":["result",{"result":[1]}],"result":[2]}"#,
            &["2"],
            r#"{"a":["result",{"result":[1]}],"result":null}"#,
        ),
        (
            r#"{"result":[1],"result":[2]}"#,
            &["1"],
            r#"{"result":null,"result":[2]}"#,
        ),
        (r#"{"result":true}"#, &[], r#"{"result":true}"#),
        ("<html>{\"result\":[1]}", &[], "<html>{\"result\":[1]}"),
        ("", &[], ""),
    ];
    for (body, elements, envelope) in table {
        for cut in 0..=body.len() {
            let split = split(body.as_bytes(), &[cut]);
            assert_eq!(split.texts(), elements, "{body}");
            assert_eq!(split.envelope, envelope);
        }
    }
}

#[test]
fn what_is_no_json_ends_somewhere() {
    for body in [
        r#"{"result":[}"#,
        r#"{"result":[1:2]"#,
        r#"{"result":]"#,
        r#"{:"#,
        r#"{"a""b""#,
        r#"{"result":[1}]"#,
        "}}}",
        r#"{"a":,}"#,
    ] {
        for cut in 0..=body.len() {
            let _ends = split(body.as_bytes(), &[cut]);
        }
    }
}

#[test]
fn what_is_too_large_is_told_with_its_beginning() {
    let large = format!(
        r#"{{"update_id":7,"message":{{"text":"{}"}}}}"#,
        "x".repeat(5000)
    );
    let body = format!(r#"{{"ok":true,"result":[{{"update_id":6}},{large},{{"update_id":8}}]}}"#);
    let limits = CaptureLimits {
        update: 4000,
        ..LIMITS
    };
    for cuts in [&[][..], &[60], &[60, 70, 900, 1100, 1200, 4500]] {
        let budget = Budget::new(1 << 20);
        let split = split_with(&limits, &budget, body.as_bytes(), cuts);
        assert_eq!(budget.used(), 0);
        let cut: Vec<_> = split.elements.iter().map(|(_, cut)| *cut).collect();
        assert_eq!(cut, [None, Some(Cut::TooLarge), None]);
        assert!(
            split.elements[1]
                .0
                .starts_with(br#"{"update_id":7,"message":{"#)
        );
        assert!(split.elements[1].0.len() <= BEGINNING);
    }
    // The whole answer's limit.
    let limits = CaptureLimits {
        answer: 20,
        ..LIMITS
    };
    let split = split_with(&limits, &Budget::new(1 << 20), body.as_bytes(), &[61]);
    let cut: Vec<_> = split.elements.iter().map(|(_, cut)| *cut).collect();
    assert_eq!(cut, [None, Some(Cut::TooLarge), Some(Cut::TooLarge)]);
}

#[test]
fn a_spent_budget_cuts_what_must_be_held_and_nothing_else() {
    let long = format!(r#"{{"update_id":7,"x":"{}"}}"#, "y".repeat(3000));
    let body = format!(r#"{{"result":[{{"a":1}},{long},{{"b":2}}]}}"#);
    let budget = Budget::new(2000);
    let split = split_with(&LIMITS, &budget, body.as_bytes(), &[1000, 2500]);
    assert_eq!(split.elements[0], (br#"{"a":1}"#.to_vec(), None));
    assert_eq!(split.elements[1].1, Some(Cut::Budget));
    assert!(split.elements[1].0.starts_with(br#"{"update_id":7,"#));
    assert_eq!(split.elements[2], (br#"{"b":2}"#.to_vec(), None));
    assert_eq!(budget.used(), 0);
}

#[test]
fn an_answer_that_is_no_poll_is_held_up_to_its_limit() {
    let body = format!(r#"{{"ok":true,"result":"{}"}}"#, "x".repeat(5000));
    for (limit, budget, held) in [
        (64 << 10, 1 << 20, body.len()),
        (3000, 1 << 20, 3000),
        (64 << 10, 100, BEGINNING),
    ] {
        let mut splitter = Splitter::new(&CaptureLimits {
            body: limit,
            ..LIMITS
        });
        let claimed = budget;
        let budget = Budget::new(budget);
        let mut claim = budget.claim();
        for piece in body.as_bytes().chunks(100) {
            splitter.push(piece, &mut claim, &mut |_| unreachable!("no element"));
        }
        let (envelope, cut) = splitter.envelope();
        assert!(body.as_bytes().starts_with(envelope) && envelope.len().abs_diff(held) <= 100);
        assert_eq!(cut.is_some(), held < body.len());
        assert!(budget.used() <= claimed);
    }
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|value| Value::from(f64::from(value) / 8.0)),
        "[\\PC\"\\\\\\[\\]{},:\n]{0,12}".prop_map(Value::from),
        Just(Value::from("result")),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[a-z\"\\\\é]{0,6}|result", inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn equals_the_reading_of_the_whole(
        before in prop::collection::btree_map("[a-z\"\\\\]{0,4}", json(), 0..3),
        elements in prop::collection::vec(json(), 0..6),
        pretty in any::<bool>(),
        cuts in prop::collection::vec(any::<usize>(), 0..12),
    ) {
        let mut envelope: serde_json::Map<String, Value> = before.into_iter().collect();
        envelope.insert("result".to_owned(), Value::from(elements));
        let body = match pretty {
            true => serde_json::to_vec_pretty(&envelope).unwrap(),
            false => serde_json::to_vec(&envelope).unwrap(),
        };
        let split = split(&body, &cuts);
        prop_assert!(split.split);
        // Byte for byte what stands in the body.
        #[derive(serde::Deserialize)]
        struct Whole<'a> { #[serde(borrow)] result: Vec<&'a serde_json::value::RawValue> }
        let whole: Whole<'_> = serde_json::from_slice(&body).unwrap();
        let raw: Vec<&str> = whole.result.iter().map(|raw| raw.get()).collect();
        prop_assert_eq!(split.texts(), raw);
        envelope.insert("result".to_owned(), Value::Null);
        prop_assert_eq!(serde_json::from_str::<Value>(&split.envelope).unwrap(), Value::Object(envelope));
    }

    #[test]
    fn cut_anywhere_gives_whole_elements_only(
        elements in prop::collection::vec(json(), 1..5),
        cuts in prop::collection::vec(any::<usize>(), 0..4),
    ) {
        let body = serde_json::to_vec(&serde_json::json!({"ok": true, "result": elements})).unwrap();
        let whole = split(&body, &[]);
        for end in 0..body.len() {
            let part = split(&body[..end], &cuts);
            prop_assert!(part.elements.len() <= whole.elements.len());
            prop_assert_eq!(&part.elements[..], &whole.elements[..part.elements.len()]);
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"{}[]\",:\\ result".to_vec())], 0..200), cuts in prop::collection::vec(any::<usize>(), 0..5)) {
        let mut input = br#"{"result":["#.to_vec();
        input.extend(bytes);
        let mut splitter = Splitter::new(&LIMITS);
        let mut claim = Budget::new(1 << 20).claim();
        let cut = cuts.first().copied().unwrap_or(0) % input.len();
        let mut total = 0;
        for part in [&input[..cut], &input[cut..]] {
            splitter.push(part, &mut claim, &mut |element| {
                if let Element::Whole(bytes) = element { total += bytes.len(); }
            });
        }
        prop_assert!(total <= input.len());
    }
}
