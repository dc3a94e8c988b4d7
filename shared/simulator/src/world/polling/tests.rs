//! Tables for the rules of telegram.md §2.2, on the pure state machine.
//!
//! Each test names its row. The same rows run through real sockets in `tests/telegram_md.rs`.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::http::arguments::Arguments;
use crate::world::webhook::WebhookRules;
use proptest::prelude::*;

const DAY: Duration = Duration::from_secs(86_400);

fn at(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn poll(offset: i64, timeout: i64) -> PollRequest {
    PollRequest {
        offset,
        limit: None,
        timeout: Some(timeout),
    }
}

fn order(form: &str) -> WebhookOrder {
    let mut arguments = Arguments::default();
    arguments.add_form(form.as_bytes()).unwrap();
    WebhookOrder::read(&arguments, None, WebhookRules::Any).unwrap()
}

/// `waiter: text` per ended request, with `+3s` where the answer is held.
fn shown(ended: &[Ended<&'static str>]) -> Vec<String> {
    let show = |one: &Ended<&'static str>| {
        let text = match &one.reply {
            Ok(reply) => reply
                .description
                .map_or(reply.result.replace('\n', ""), str::to_owned),
            Err(failure) => format!("{} {}", failure.code, failure.description),
        };
        let pause = if one.pause.is_zero() {
            String::new()
        } else {
            format!(" +{:?}", one.pause)
        };
        format!("{}: {text}{pause}", one.waiter)
    };
    ended.iter().map(show).collect()
}

const OTHER: &str = "409 Conflict: terminated by other getUpdates request; make sure that only one bot instance is running";
const ACTIVE: &str = "409 Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";

#[test]
fn row_1_the_waiting_poll_loses_and_repeats_are_held() {
    let mut polling = Polling::new(1);
    assert!(polling.get_updates(poll(0, 50), "a", at(0)).waits.is_some());
    let second = polling.get_updates(poll(0, 50), "b", at(1_000));
    assert_eq!(shown(&second.ended), [format!("a: {OTHER}")]);
    let third = polling.get_updates(poll(0, 50), "c", at(2_000));
    assert_eq!(shown(&third.ended), [format!("b: {OTHER} +3s")]);
    let fourth = polling.get_updates(poll(0, 50), "d", at(4_000));
    assert_eq!(shown(&fourth.ended), [format!("c: {OTHER}")]);
    assert_eq!(polling.waiting(at(4_000)), Some(&"d"));
}

#[test]
fn row_1_a_call_that_does_not_wait_ends_nobody() {
    let mut polling = Polling::new(1);
    polling.get_updates(poll(0, 50), "a", at(0));
    let quick = polling.get_updates(poll(7, 0), "b", at(10_000));
    assert_eq!(shown(&quick.ended), ["b: []"]);
    assert_eq!(polling.waiting(at(10_000)), Some(&"a"));
}

#[test]
fn row_2_set_webhook_ends_the_poll() {
    let mut polling = Polling::new(1);
    polling.get_updates(poll(0, 50), "a", at(0));
    let set = polling.set_webhook(order("url=https://x"), Duration::ZERO, "s", at(0));
    assert_eq!(
        shown(&set.ended),
        [
            "a: 409 Conflict: terminated by setWebhook request",
            "s: Webhook was set"
        ]
    );
}

#[test]
fn row_3_get_updates_with_a_webhook() {
    let mut polling = Polling::new(1);
    polling.set_webhook(order("url=https://x"), Duration::ZERO, "s", at(0));
    assert_eq!(
        shown(&polling.get_updates(poll(0, 50), "a", at(0)).ended),
        [format!("a: {ACTIVE}")]
    );
    assert_eq!(
        shown(&polling.get_updates(poll(0, 50), "b", at(1)).ended),
        [format!("b: {ACTIVE} +3s")]
    );
    assert_eq!(
        shown(&polling.delete_webhook(false, "d", at(2)).ended),
        ["d: Webhook was deleted"]
    );
    assert_eq!(
        shown(&polling.delete_webhook(false, "d", at(2)).ended),
        ["d: Webhook is already deleted"]
    );
    assert!(polling.get_updates(poll(0, 50), "c", at(3)).waits.is_some());
}

#[test]
fn row_4_two_set_webhooks() {
    let mut polling = Polling::new(1);
    let verify = at(5_000);
    let first = polling.set_webhook(order("url=https://x"), verify, "a", at(0));
    assert_eq!(first.waits.unwrap().until, verify);
    let soon = polling.set_webhook(order("url=https://y"), verify, "b", at(999));
    assert_eq!(
        shown(&soon.ended),
        ["b: 429 Too Many Requests: retry after 1"]
    );
    let later = polling.set_webhook(order("url=https://y"), verify, "c", at(1_000));
    assert_eq!(
        shown(&later.ended),
        ["a: 409 Conflict: terminated by other setWebhook"]
    );
    let done = polling.expire(later.waits.unwrap().number, at(6_000));
    assert_eq!(
        shown(&done.into_iter().collect::<Vec<_>>()),
        ["c: Webhook was set"]
    );
    assert_eq!(polling.webhook().url, "https://y");
    let same = polling.set_webhook(order("url=https://y"), verify, "d", at(7_000));
    assert_eq!(shown(&same.ended), ["d: Webhook is already set"]);
}

#[test]
fn row_5_the_same_offset_again() {
    let mut polling = Polling::new(1);
    assert_eq!(
        shown(&polling.get_updates(poll(5, 0), "a", at(0)).ended),
        ["a: []"]
    );
    let again = polling.get_updates(poll(5, 0), "b", at(2_999));
    assert_eq!(again.waits.unwrap().until, at(5_999));
    polling.expire(again.waits.unwrap().number, at(5_999));
    assert_eq!(
        shown(&polling.get_updates(poll(5, 0), "c", at(6_000)).ended),
        ["c: []"]
    );

    let mut busy = Polling::new(1);
    for _ in 0..3 {
        busy.push("\"x\":1".to_owned(), DAY, at(0));
    }
    let count = |polling: &mut Polling<&'static str>, now| match &polling
        .get_updates(poll(0, 0), "a", now)
        .ended[0]
        .reply
    {
        Ok(reply) => reply.result.matches("update_id").count(),
        Err(_) => 0,
    };
    assert_eq!(
        [
            count(&mut busy, at(0)),
            count(&mut busy, at(499)),
            count(&mut busy, at(999))
        ],
        [3, 1, 3]
    );
}

#[test]
fn row_6_nobody_frees_a_poll_but_time_updates_or_the_next_one() {
    let mut polling = Polling::new(10);
    let wait = polling.get_updates(poll(0, 60), "a", at(0)).waits.unwrap();
    assert_eq!(wait.until, at(50_000));
    let ended = polling
        .push("\"message\":{}".to_owned(), DAY, at(30))
        .unwrap();
    assert_eq!(shown(&[ended]), ["a: [{\"update_id\":10,\"message\":{}}]"]);
    assert_eq!(polling.expire(wait.number, at(50_000)), None);
    // Given, but not confirmed: it is there for whoever asks next.
    assert_eq!(
        shown(&polling.get_updates(poll(0, 0), "b", at(60_000)).ended),
        ["b: [{\"update_id\":10,\"message\":{}}]"]
    );
}

#[test]
fn a_poll_whose_connection_was_cut_waits_no_longer_than_its_time() {
    let mut polling = Polling::new(1);
    polling.get_updates(poll(0, 50), "a", at(0));
    assert_eq!(polling.waiting(at(50_000)), None);
    let next = polling.get_updates(poll(0, 50), "b", at(50_000));
    assert_eq!(shown(&next.ended), ["a: []"]);
}

#[test]
fn limits_are_brought_into_range() {
    for (limit, expected) in [
        (Some(0), 1),
        (Some(-5), 1),
        (Some(2), 2),
        (Some(1_000), 100),
        (None, 100),
    ] {
        let mut polling = Polling::new(1);
        for _ in 0..150 {
            polling.push("\"x\":1".to_owned(), DAY, at(0));
        }
        let request = PollRequest {
            limit,
            ..PollRequest::default()
        };
        let outcome = polling.get_updates(request, "a", at(0));
        let reply = outcome.ended[0].reply.clone().unwrap();
        assert_eq!(
            reply.result.matches("update_id").count(),
            expected,
            "{limit:?}"
        );
    }
}

#[derive(Clone, Debug)]
enum Act {
    Push,
    Poll { offset: i64, timeout: i64 },
    Expire(u64),
    SetWebhook,
    DeleteWebhook,
    Pass(u64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        2 => Just(Act::Push),
        4 => (-3_i64..8, 0_i64..60).prop_map(|(offset, timeout)| Act::Poll { offset, timeout }),
        1 => (0_u64..12).prop_map(Act::Expire),
        1 => Just(Act::SetWebhook),
        1 => Just(Act::DeleteWebhook),
        2 => (0_u64..5_000).prop_map(Act::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    /// Whatever happens in whatever order: everybody is answered once, and nobody is forgotten.
    #[test]
    fn every_waiter_is_ended_exactly_once(acts in proptest::collection::vec(act(), 0..60)) {
        let mut polling: Polling<u32> = Polling::new(1);
        let (mut now, mut asked, mut answered) = (Duration::ZERO, 0_u32, Vec::new());
        for act in acts {
            let ended = match act {
                Act::Push => polling.push("\"x\":1".to_owned(), DAY, now).into_iter().collect(),
                Act::Poll { offset, timeout } => {
                    asked += 1;
                    polling.get_updates(poll(offset, timeout), asked, now).ended
                }
                Act::Expire(number) => polling.expire(number, now).into_iter().collect(),
                Act::SetWebhook => {
                    asked += 1;
                    polling.set_webhook(order("url=https://x"), at(100), asked, now).ended
                }
                Act::DeleteWebhook => {
                    asked += 1;
                    polling.delete_webhook(false, asked, now).ended
                }
                Act::Pass(millis) => {
                    now += at(millis);
                    Vec::new()
                }
            };
            answered.extend(ended.into_iter().map(|one| one.waiter));
        }
        answered.extend(polling.end_all(&Failure::flood(5)).into_iter().map(|one| one.waiter));
        answered.sort_unstable();
        prop_assert_eq!(answered, (1..=asked).collect::<Vec<_>>());
    }
}
