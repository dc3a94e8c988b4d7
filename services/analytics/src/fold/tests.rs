//! Folding alone: parts joined are the whole, order within a batch, records that cannot be read.

#![allow(clippy::unwrap_used)]

use gramtap_bus::Delivery;
use gramtap_events::{Record, topics};
use proptest::prelude::*;

use super::*;
use crate::conformance::fold;
use crate::conformance::stream::{self, Traffic};
use crate::decode::bots::Bots;
use crate::decode::decoder::{Decoder, Yield};

/// The same traffic without what depends on order: each label and profile once.
fn zones(traffic: &Traffic) -> Zones {
    let zone = Zone::named("Asia/Kolkata").unwrap();
    Zones {
        version: 1,
        of: [(traffic.tenant, zone)].into(),
    }
}

fn part(traffic: &Traffic, zones: &Zones, events: std::ops::Range<usize>) -> Folded {
    let mut folded = Folded::default();
    for event in &traffic.events[events] {
        folded.add(&topics::EVENTS, &event.payload().unwrap(), zones);
    }
    folded
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn parts_joined_are_the_whole(seed: u64, cuts in prop::collection::vec(0usize..=200, 0..5)) {
        let traffic = stream::traffic(seed, 200);
        let zones = zones(&traffic);
        let mut cuts = cuts;
        cuts.extend([0, 200]);
        cuts.sort_unstable();
        let mut joined = Folded::default();
        for pair in cuts.windows(2) {
            joined.join(part(&traffic, &zones, pair[0]..pair[1]));
        }
        prop_assert_eq!(joined, part(&traffic, &zones, 0..200));
    }

    #[test]
    fn errors_joined_are_the_whole(seed: u64, cut in 0usize..=100) {
        let traffic = stream::traffic(seed, 400);
        let zones = zones(&traffic);
        let cut = cut.min(traffic.failures.len());
        let of = |failures: &[gramtap_events::failure::Failure]| {
            let failures = failures.to_vec();
            fold(&Traffic { failures, events: Vec::new(), ..traffic.clone() }, &zones)
        };
        let (first, second) = traffic.failures.split_at(cut);
        let mut joined = of(first);
        joined.join(of(second));
        prop_assert_eq!(joined, of(&traffic.failures));
    }

    #[test]
    fn order_changes_nothing_but_places(seed: u64) {
        let mut traffic = stream::traffic(seed, 200);
        let zones = zones(&traffic);
        let mut straight = fold(&traffic, &zones);
        traffic.events.reverse();
        traffic.failures.reverse();
        let mut turned = fold(&traffic, &zones);
        for folded in [&mut straight, &mut turned] {
            folded.bots.values_mut().for_each(Sums::forget_places);
        }
        prop_assert_eq!(straight, turned);
    }
}

#[test]
fn what_cannot_be_read_is_counted_and_passed_over() {
    let zones = Zones::default();
    let mut folded = Folded::default();
    for payload in ["", "{}", "[1]", r#"{"event":"x","tenant":"short"}"#] {
        folded.add(&topics::EVENTS, payload.as_bytes(), &zones);
        folded.add(&topics::ERRORS, payload.as_bytes(), &zones);
    }
    assert_eq!((folded.records, folded.unread), (0, 8));
    assert!(folded.bots.is_empty());
}

#[test]
fn an_event_of_a_later_version_counts_under_its_name() {
    let traffic = stream::traffic(1, 1);
    let mut event = serde_json::to_value(&traffic.events[0]).unwrap();
    event["event"] = "teleported".into();
    event["v"] = 9.into();
    event["new"] = serde_json::json!({"a": [1]});
    let mut folded = Folded::default();
    folded.add(
        &topics::EVENTS,
        event.to_string().as_bytes(),
        &Zones::default(),
    );
    assert_eq!(folded.records, 1);
    let sums = folded.bots.into_values().next().unwrap();
    let named = sums
        .labels
        .iter()
        .filter(|((kind, _), _)| *kind == sums::Kind::Event);
    assert!(
        named
            .flat_map(|(_, labels)| labels.keys())
            .any(|label| &**label == "teleported")
    );
}

/// Records as ingress writes them, decoded by `decode/`: what it fills is what is looked for here.
#[test]
fn what_decode_makes_is_what_is_counted() {
    macro_rules! golden {
        ($name:literal) => {
            include_bytes!(concat!("../../../../shared/events/golden/", $name, ".json")).as_slice()
        };
    }
    let mut folded = Folded::default();
    for (topic, payload) in [
        (&topics::CALLS, golden!("call")),
        (&topics::CALLS, golden!("call-failed")),
        (&topics::CALLS, golden!("call-refused")),
        (&topics::CALLS, golden!("polls")),
        (&topics::CALLS, golden!("gap")),
        (&topics::UPDATES, golden!("update")),
    ] {
        let delivery = Delivery {
            topic,
            partition: 0,
            offset: 0,
            key: None,
            headers: Vec::new(),
            payload: Some(payload.into()),
            timestamp: 0,
        };
        let mut into = Yield::default();
        Decoder::default().decode(&delivery, &Bots::default(), &mut into);
        for event in into.events {
            folded.add(
                &topics::EVENTS,
                &event.payload().unwrap(),
                &Zones::default(),
            );
        }
        for failure in into.errors {
            folded.add(
                &topics::ERRORS,
                &failure.payload().unwrap(),
                &Zones::default(),
            );
        }
    }
    assert_eq!(folded.unread, 0);
    assert_eq!(folded.bots.len(), 1);
    let sums = folded.bots.into_values().next().unwrap();
    let labels = |kind: sums::Kind| {
        let labels = sums.labels.iter().filter(move |((of, _), _)| *of == kind);
        let labels = labels.flat_map(|(_, labels)| labels);
        labels
            .map(|(label, tally)| (label.to_string(), tally.n))
            .collect::<Vec<_>>()
    };
    assert_eq!(labels(sums::Kind::Gap), [("spool_full".to_owned(), 1_200)]);
    let poller = sums.pollers.values().flatten().next().unwrap();
    assert_eq!(
        (&*poller.0.0, &*poller.0.1),
        ("10.42.0.17", "Python/3.13 aiohttp/3.14")
    );
    assert_eq!(poller.1.polls, 19);
    let named = |name: &str, n| (name.to_owned(), n);
    assert_eq!(
        labels(sums::Kind::Event),
        [
            named("call_unverified", 1),
            named("gap", 1),
            named("message_received", 1),
            named("message_sent", 2),
            named("polled", 1),
        ]
    );
    assert_eq!(labels(sums::Kind::Source), [named("promo", 1)]);
    let calls = sums
        .calls
        .values()
        .flatten()
        .map(|(method, it)| (&**method, it.calls, it.unexpected));
    assert_eq!(
        calls.collect::<Vec<_>>(),
        [("getUpdates", 19, 0), ("sendPhoto", 2, 1)]
    );
    let telegram = sums
        .latency
        .iter()
        .find(|((_, side), _)| *side == sums::Side::Telegram)
        .unwrap();
    assert_eq!(telegram.1["sendPhoto"][&histogram::bucket(83_902.0)], 2);
    assert_eq!(
        sums.errors
            .values()
            .map(|group| &*group.traits.advice)
            .collect::<Vec<_>>(),
        ["flood"]
    );
    let (profile, source) = (&sums.users[&42].profile, &sums.users[&42].source);
    assert_eq!(profile.as_ref().unwrap().1.language.as_deref(), Some("en"));
    assert_eq!(
        source.as_ref().map(|(_, payload)| &**payload),
        Some("promo")
    );
}

/// What never came back says nothing of Telegram's time, though it has an `ok` and was waited for.
#[test]
fn only_what_telegram_answered_is_telegrams_time() {
    let sides = |changes: serde_json::Value| {
        let golden = include_bytes!("../../../../shared/events/golden/call.json");
        let mut record: serde_json::Value = serde_json::from_slice(golden).unwrap();
        for (name, value) in changes.as_object().unwrap() {
            record[name] = value.clone();
        }
        let delivery = Delivery {
            topic: &topics::CALLS,
            partition: 0,
            offset: 0,
            key: None,
            headers: Vec::new(),
            payload: Some(record.to_string().into()),
            timestamp: 0,
        };
        let (mut into, mut folded) = (Yield::default(), Folded::default());
        Decoder::default().decode(&delivery, &Bots::default(), &mut into);
        let event = into.events[0].payload().unwrap();
        folded.add(&topics::EVENTS, &event, &Zones::default());
        let sums = folded.bots.into_values().next().unwrap();
        sums.latency
            .into_keys()
            .map(|(_, side)| side)
            .collect::<Vec<_>>()
    };
    use sums::Side::{Own, Telegram};
    let error = serde_json::json!({"code": 504, "description": null, "retry_after": null, "migrate_to_chat_id": null});
    for (origin, label) in [("network", "idle"), ("edge", "page"), ("client", "left")] {
        let lost =
            serde_json::json!({"ok": null, "origin": origin, "label": label, "error": error});
        assert_eq!(sides(lost), [Own], "{origin}");
    }
    assert_eq!(sides(serde_json::json!({})), [Telegram, Own]);
    assert_eq!(
        sides(serde_json::json!({"ok": false, "error": error})),
        [Telegram, Own]
    );
}
