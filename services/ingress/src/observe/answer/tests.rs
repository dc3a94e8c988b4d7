//! Answers as Telegram and what stands before it write them.
#![allow(clippy::unwrap_used)]

use std::io::Write;

use gramtap_events::tenant::Privacy;
use proptest::prelude::*;
use serde_json::json;
use serde_json::value::RawValue;

use super::super::updates::MOST_UPDATES;

use super::*;

const LIMITS: CaptureLimits = CaptureLimits {
    body: 64 << 10,
    update: 512 << 10,
    answer: 8 << 20,
};

struct Given<'a> {
    expect: Expect,
    status: u16,
    encoding: Option<&'a [u8]>,
    privacy: Privacy,
    limits: CaptureLimits,
}

const POLL: Given<'_> = Given {
    expect: Expect::Poll,
    status: 200,
    encoding: None,
    privacy: Privacy::Metadata,
    limits: LIMITS,
};
const CALL: Given<'_> = Given {
    expect: Expect::Call,
    ..POLL
};
const FILE: Given<'_> = Given {
    expect: Expect::File,
    ..POLL
};

fn copied(
    given: &Given<'_>,
    budget: &Budget,
    body: &[u8],
    piece: usize,
    whole: bool,
) -> AnswerCopy {
    let mask = Mask::new(given.privacy, [0; 32]);
    let head = AnswerHead {
        status: given.status,
        content_encoding: given.encoding,
    };
    let mut tap = AnswerTap::new(given.expect, &given.limits, budget, &mask, &head);
    for piece in body.chunks(piece) {
        tap.push(piece);
    }
    tap.finish(whole)
}

fn copy(given: &Given<'_>, body: &[u8]) -> AnswerCopy {
    copied(given, &Budget::new(64 << 20), body, 11, true)
}

type Told<'a> = (Option<i64>, Option<&'a str>, Option<&'a str>, Option<Cut>);

/// What is told of each update.
fn told(copy: &AnswerCopy) -> Vec<Told<'_>> {
    copy.updates
        .iter()
        .map(|seen| {
            (
                seen.update_id,
                seen.kind.as_deref(),
                seen.update.as_deref().map(RawValue::get),
                seen.cut,
            )
        })
        .collect()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn polls_give_their_updates_filtered_and_in_order() {
    let body = r#"{"ok":true,"result":[{"update_id":7,"message":{"message_id":1,"text":"hi"}}, {"update_id":8,"hologram":{"name":"x"}}]}"#;
    let first = Some(r#"{"update_id":7,"message":{"message_id":1,"text_length":2}}"#);
    let second = Some(r#"{"update_id":8,"hologram":{}}"#);
    for (encoding, body) in [
        (None, body.as_bytes().to_vec()),
        (Some(&b"gzip"[..]), gzip(body.as_bytes())),
    ] {
        for piece in [1, 7, 1000] {
            let budget = Budget::new(1 << 20);
            let copy = copied(&Given { encoding, ..POLL }, &budget, &body, piece, true);
            assert_eq!(
                told(&copy),
                [
                    (Some(7), Some("message"), first, None),
                    (Some(8), Some("other:hologram"), second, None)
                ]
            );
            assert_eq!(
                (&copy.envelope, copy.cut, copy.bytes),
                (&Envelope::Ok, None, body.len() as u64)
            );
            assert!(budget.used() > 0);
            drop(copy);
            assert_eq!(budget.used(), 0);
        }
    }
    let off = copy(
        &Given {
            privacy: Privacy::Off,
            ..POLL
        },
        body.as_bytes(),
    );
    assert_eq!(told(&off)[0], (Some(7), Some("message"), None, None));
}

#[test]
fn a_poll_that_is_cut_gives_the_updates_that_were_whole() {
    let body = r#"{"ok":true,"result":[{"update_id":1,"poll":{}},{"update_id":2,"poll":{"id":"1","question":"é\"\\"}}]}"#;
    let ends: Vec<usize> = body.match_indices("}}").map(|(at, _)| at + 2).collect();
    for end in 0..body.len() {
        let copy = copied(
            &POLL,
            &Budget::new(1 << 20),
            &body.as_bytes()[..end],
            5,
            false,
        );
        let whole = ends.iter().filter(|at| **at <= end).count();
        assert_eq!(copy.updates.len(), whole, "at {end}");
        assert_eq!(copy.cut, Some(Cut::Unfinished));
        assert_eq!(copy.ok(), (end >= 10).then_some(true), "at {end}");
    }
}

#[test]
fn what_does_not_fit_is_told_as_cut() {
    let large = format!(
        r#"{{"update_id":2,"message":{{"text":"{}"}}}}"#,
        "x".repeat(3000)
    );
    let body = format!(
        r#"{{"result":[{{"update_id":1,"poll":{{}}}},{large},{{"update_id":3,"poll":{{}}}},"junk",{{"update_id":4,"poll":{{"a":"{}"}}}}],"ok":true}}"#,
        '\u{1}'
    );
    let limits = CaptureLimits {
        update: 2000,
        ..LIMITS
    };
    let copy = copied(
        &Given { limits, ..POLL },
        &Budget::new(1 << 20),
        body.as_bytes(),
        900,
        true,
    );
    let cuts: Vec<_> = told(&copy)
        .iter()
        .map(|(id, kind, update, cut)| (*id, kind.map(str::to_owned), update.is_some(), *cut))
        .collect();
    let poll = Some("poll".to_owned());
    assert_eq!(
        cuts,
        [
            (Some(1), poll.clone(), true, None),
            (
                Some(2),
                Some("message".to_owned()),
                false,
                Some(Cut::TooLarge)
            ),
            (Some(3), poll.clone(), true, None),
            (None, None, false, Some(Cut::Unreadable)),
            (Some(4), poll, false, Some(Cut::Unreadable)),
        ]
    );
    assert_eq!(copy.ok(), Some(true));

    let many = format!(r#"{{"ok":true,"result":[{}1]}}"#, "1,".repeat(4999));
    let copy = copied(&POLL, &Budget::new(1 << 20), many.as_bytes(), 4096, true);
    assert_eq!(
        (copy.updates.len(), copy.beyond, copy.update_count()),
        (MOST_UPDATES, 4000, 5000)
    );

    // The filtered updates are held by the budget, too.
    let copy = copied(&POLL, &Budget::new(60), br#"{"ok":true,"result":[{"update_id":1,"poll":{"id":"1"}},{"update_id":2,"poll":{"id":"2"}},{"update_id":3,"poll":{"id":"3"}}]}"#, 4096, true);
    let cuts: Vec<_> = copy.updates.iter().map(|seen| seen.cut).collect();
    assert_eq!(cuts, [None, Some(Cut::Budget), Some(Cut::Budget)]);
}

#[test]
fn calls_are_copied_up_to_their_limit() {
    let body = br#"{"ok":true,"result":{"message_id":5},"description":"x"}"#;
    let copy = copy(&CALL, body);
    assert_eq!(
        copy.result().unwrap().raw().unwrap().get(),
        r#"{"message_id":5}"#
    );
    assert_eq!((&copy.envelope, copy.cut), (&Envelope::Ok, None));

    let large = json!({"ok": true, "result": "x".repeat(70 << 10)}).to_string();
    let budget = Budget::new(1 << 20);
    let copy = copied(&CALL, &budget, large.as_bytes(), 4096, true);
    assert_eq!(
        (copy.ok(), copy.cut, copy.result().is_none(), copy.bytes),
        (Some(true), Some(Cut::TooLarge), true, large.len() as u64)
    );
    assert!(budget.used() <= 64 << 10);

    let spent = Budget::new(1000);
    let copy = copied(&CALL, &spent, large.as_bytes(), 700, true);
    assert_eq!((copy.ok(), copy.cut), (Some(true), Some(Cut::Budget)));
    assert!(spent.used() <= 1000);
    drop(copy);
    assert_eq!(spent.used(), 0);
}

#[test]
fn who_else_may_answer() {
    let failed = br#"{"ok":false,"error_code":404,"description":"Not Found"}"#;
    let html = b"<html><head><title>502 Bad Gateway</title>";
    let json_file = br#"{"ok":false,"error_code":1}"#;
    let table = [
        (
            copy(
                &Given {
                    status: 404,
                    ..FILE
                },
                failed,
            )
            .ok(),
            Some(false),
        ),
        (
            copy(
                &Given {
                    status: 404,
                    ..CALL
                },
                failed,
            )
            .ok(),
            Some(false),
        ),
        (copy(&FILE, json_file).ok(), None),
        (copy(&CALL, html).ok(), None),
    ];
    for (ok, expected) in table {
        assert_eq!(ok, expected);
    }
    assert_eq!(copy(&FILE, b"JPEG").envelope, Envelope::File);
    assert_eq!(
        copy(
            &Given {
                status: 206,
                ..FILE
            },
            b""
        )
        .envelope,
        Envelope::File
    );
    assert_eq!(
        copy(
            &Given {
                status: 502,
                ..POLL
            },
            html
        )
        .envelope,
        Envelope::NotJson
    );
    assert_eq!(
        copy(
            &Given {
                status: 504,
                ..POLL
            },
            b""
        )
        .envelope,
        Envelope::Empty
    );
    assert!(matches!(
        copy(
            &Given {
                status: 409,
                ..POLL
            },
            failed
        )
        .envelope,
        Envelope::Failed(_)
    ));
    let unknown = copy(
        &Given {
            encoding: Some(b"br"),
            ..CALL
        },
        b"\x01\x02",
    );
    assert_eq!(
        (unknown.envelope, unknown.cut),
        (Envelope::Unread, Some(Cut::Unreadable))
    );
    assert_eq!(copied(&FILE, &Budget::new(0), b"JPEG", 1, false).cut, None);
    assert!(!format!("{:?}", copy(&CALL, failed)).contains("Found"));
}

#[test]
fn a_bomb_of_updates_is_bounded() {
    let update = json!({"update_id": 1, "message": {"text": "0".repeat(100_000)}}).to_string();
    let bomb = gzip(
        format!(
            r#"{{"ok":true,"result":[{}{update}]}}"#,
            format!("{update},").repeat(120)
        )
        .as_bytes(),
    );
    let budget = Budget::new(64 << 20);
    let limits = CaptureLimits {
        answer: 1 << 20,
        ..LIMITS
    };
    let copy = copied(
        &Given {
            encoding: Some(b"gzip"),
            limits,
            ..POLL
        },
        &budget,
        &bomb,
        512,
        true,
    );
    assert_eq!(copy.cut, Some(Cut::TooLarge));
    assert!(
        (9..=12).contains(&copy.updates.len()),
        "{}",
        copy.updates.len()
    );
    assert_eq!(copy.ok(), Some(true));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_panic_and_the_budget_returns_to_zero(
        body in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"{}[]\",:\\ ".to_vec())], 0..200),
        begins in prop::sample::select(vec!["", r#"{"ok":true,"result":["#, r#"{"ok":"#, r#"{"result":[{"update_id":"#]),
        expect in prop::sample::select(vec![Expect::Poll, Expect::Call, Expect::File]),
        encoding in prop::sample::select(vec![None, Some(&b"gzip"[..]), Some(b"deflate")]),
        status in prop::sample::select(vec![200u16, 404]),
        limit in 0usize..600,
        piece in 1usize..40,
        whole in any::<bool>(),
    ) {
        let budget = Budget::new(limit);
        let body = [begins.as_bytes(), &body].concat();
        let copy = copied(&Given { expect, status, encoding, ..POLL }, &budget, &body, piece, whole);
        prop_assert!(budget.used() <= limit);
        prop_assert_eq!(copy.bytes, body.len() as u64);
        drop(copy.result());
        drop(copy);
        prop_assert_eq!(budget.used(), 0);
    }
}
