//! Each way in which an attempt ends has its verdict, its word and its advice.

use gramtap_outbound::guard::Kind;
use gramtap_telegram::advice::{self, Symptom};
use proptest::prelude::*;

use super::*;
use crate::tests::at;

fn case(failed: u32) -> Case {
    Case {
        now: at(1_000),
        failed,
        expires_at: at(1_150),
        random: 0,
    }
}

fn answered_with(status: u16, after: Option<u64>) -> Outcome {
    Outcome::Answered {
        status,
        retry_after: after.map(Duration::from_secs),
    }
}

fn failed_with(label: &'static str, side: Side) -> Outcome {
    Outcome::Failed { label, side }
}

/// Outcome, failures before, verdict, seconds until the next attempt, word, side.
#[test]
fn each_refusal_of_the_guard_has_its_advice() {
    let others = [
        Refusal::Malformed,
        Refusal::Scheme,
        Refusal::Credentials,
        Refusal::HostMissing,
        Refusal::HostDot,
        Refusal::Port(22),
        Refusal::AddressMissing,
    ];
    for refusal in Kind::ALL.into_iter().map(Refusal::Address).chain(others) {
        let symptom = Symptom {
            code: None,
            method: "",
            description: None,
            label: Some(refusal.label()),
        };
        assert_eq!(advice::of(&symptom).key, "endpoint_blocked", "{refusal}");
    }
}

#[test]
fn each_outcome_has_its_verdict() {
    use Side::{Downstream, Internal, Upstream};
    use Verdict::{Dead, Delivered, Expired, Refused, Retry};
    let table = [
        (answered_with(200, None), 0, Delivered, None, ""),
        (answered_with(204, Some(9)), 5, Delivered, None, ""),
        (answered_with(299, None), 0, Delivered, None, ""),
        (answered_with(100, None), 0, Retry, Some(0), "endpoint_odd"),
        (
            answered_with(300, None),
            0,
            Retry,
            Some(0),
            "endpoint_redirects",
        ),
        (
            answered_with(302, None),
            1,
            Retry,
            Some(2),
            "endpoint_redirects",
        ),
        (
            answered_with(400, None),
            2,
            Retry,
            Some(4),
            "endpoint_refuses",
        ),
        (
            answered_with(401, None),
            0,
            Retry,
            Some(0),
            "endpoint_denies",
        ),
        (
            answered_with(403, None),
            0,
            Retry,
            Some(0),
            "endpoint_denies",
        ),
        (
            answered_with(404, None),
            0,
            Retry,
            Some(0),
            "endpoint_not_found",
        ),
        (answered_with(410, None), 0, Retry, Some(0), "endpoint_gone"),
        (
            answered_with(429, Some(9)),
            0,
            Retry,
            Some(9),
            "endpoint_busy",
        ),
        (
            answered_with(500, None),
            6,
            Retry,
            Some(60),
            "endpoint_fails",
        ),
        (
            answered_with(502, Some(150)),
            9,
            Retry,
            Some(150),
            "endpoint_fails",
        ),
        (
            answered_with(503, Some(151)),
            0,
            Expired,
            None,
            "endpoint_busy",
        ),
        (answered_with(999, None), 0, Retry, Some(0), "endpoint_odd"),
        (
            failed_with("resolve", Upstream),
            0,
            Retry,
            Some(0),
            "endpoint_unresolved",
        ),
        (
            failed_with("connect", Upstream),
            1,
            Retry,
            Some(2),
            "endpoint_unreachable",
        ),
        (
            failed_with("connect_timeout", Upstream),
            1,
            Retry,
            Some(2),
            "endpoint_unreachable",
        ),
        (
            failed_with("tls", Upstream),
            1,
            Retry,
            Some(2),
            "endpoint_tls",
        ),
        (
            failed_with("send", Upstream),
            1,
            Retry,
            Some(2),
            "endpoint_broke_off",
        ),
        (
            failed_with("receive", Upstream),
            1,
            Retry,
            Some(2),
            "endpoint_broke_off",
        ),
        (
            failed_with("closed", Upstream),
            1,
            Retry,
            Some(2),
            "endpoint_broke_off",
        ),
        (
            failed_with("cut", Upstream),
            1,
            Retry,
            Some(2),
            "endpoint_broke_off",
        ),
        (
            failed_with("idle", Upstream),
            1,
            Retry,
            Some(2),
            "endpoint_timeout",
        ),
        (
            failed_with("malformed", Upstream),
            1,
            Retry,
            Some(2),
            "endpoint_malformed",
        ),
        (
            failed_with("request", Internal),
            1,
            Dead,
            None,
            "endpoint_unsendable",
        ),
        (
            Outcome::Refused(Refusal::Scheme),
            1,
            Refused,
            None,
            "url_scheme",
        ),
        (
            Outcome::Impossible("endpoint_missing"),
            0,
            Dead,
            None,
            "endpoint_missing",
        ),
    ];
    for (outcome, failed, verdict, seconds, label) in table {
        let judgement = judge(&outcome, &case(failed));
        assert_eq!(judgement.verdict, verdict, "{outcome:?}");
        let next_at = seconds.map(|seconds: i64| at(1_000 + seconds));
        assert_eq!(judgement.next_at, next_at, "{outcome:?}");
        let told = judgement.reason.map_or("", |reason| reason.label);
        assert_eq!(told, label, "{outcome:?}");
        if !label.is_empty() {
            let symptom = Symptom {
                code: Some(502),
                method: "",
                description: None,
                label: Some(label),
            };
            let key = advice::of(&symptom).key;
            assert_ne!(key, "unknown", "{label}");
            assert_ne!(key, "gateway", "{label}");
        }
        let failed = matches!(verdict, Retry | Expired);
        assert_eq!(judgement.is_endpoints_failure(), failed, "{outcome:?}");
        assert!(
            !failed || judgement.reason.is_some_and(|it| it.side == Downstream),
            "{outcome:?}"
        );
    }
}

#[test]
fn what_is_ours_is_tried_again_soon_and_blames_nobody_else() {
    for label in ["pool_full", "connect", "upload"] {
        let judgement = judge(&failed_with(label, Side::Internal), &case(7));
        assert_eq!(judgement.next_at, Some(at(1_001)));
        assert!(!judgement.is_endpoints_failure(), "{label}");
    }
}

#[test]
fn what_begins_too_late_is_over_and_blames_nobody_else() {
    let judgement = judge(&Outcome::Late, &case(0));
    assert_eq!(
        (judgement.verdict, judgement.next_at),
        (Verdict::Expired, None)
    );
    assert_eq!(judgement.reason.unwrap().label, "expired");
    assert!(!judgement.is_endpoints_failure());
}

proptest! {
    #[test]
    fn nothing_is_tried_again_after_its_expiry(
        status in 0..1_000_u16, asked in proptest::option::of(0..4_000_u64), failed: u32, left in 0..90_000_i64, random: u64,
    ) {
        let case = Case { now: at(0), failed, expires_at: at(left), random };
        let judgement = judge(&answered_with(status, asked), &case);
        prop_assert_eq!(judgement.verdict == Verdict::Delivered, (200..300).contains(&status));
        prop_assert_eq!(judgement.verdict == Verdict::Retry, judgement.next_at.is_some());
        prop_assert!(judgement.next_at.is_none_or(|next| next >= case.now && next <= case.expires_at));
    }
}
