//! What follows from an attempt.
//!
//! In: an attempt's [`Outcome`] (`courier.rs`), how often the update has failed, when it expires. Out: a [`Judgement`]: the verdict for
//! deliveries.v1, when to try again, whose fault it was, a fixed word that is also the key of the advice. Invariant: only 2xx is success;
//! an update is never tried again after its expiry; what is Gramtap's own fault costs the update no attempt. Pure.

use std::time::Duration;

use gramtap_events::Moment;
use gramtap_events::delivery::Verdict;
use gramtap_outbound::{Fault, Side};

use super::schedule;
use gramtap_outbound::guard::Refusal;

/// How long to wait after a failure of Gramtap's own, such as a bound on connections.
const OWN_FAILURE: Duration = Duration::from_secs(1);

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The endpoint answered.
    Answered {
        /// The status.
        status: u16,
        /// What [`schedule::retry_after`] read.
        retry_after: Option<Duration>,
    },
    /// No answer, or no whole one.
    Failed {
        /// [`Fault::label`].
        label: &'static str,
        /// [`Fault::side`].
        side: Side,
    },
    /// The address may not be called; nothing was sent.
    Refused(Refusal),
    /// It can never be sent; nothing was. The word is the dead letter's cause: `endpoint_missing`, or the label of what
    /// hindered opening it (`unknown_key`, `damaged`).
    Impossible(&'static str),
}

impl From<&Fault> for Outcome {
    fn from(fault: &Fault) -> Self {
        Self::Failed {
            label: fault.label(),
            side: fault.side(),
        }
    }
}

/// What is known of an update when an attempt has ended.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Now.
    pub now: Moment,
    /// Attempts that had failed before this one.
    pub failed: u32,
    /// When the update expires.
    pub expires_at: Moment,
    /// Any random number.
    pub random: u64,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict, as deliveries.v1 tells it.
    pub verdict: Verdict,
    /// When it is tried again; for [`Verdict::Retry`] alone.
    pub next_at: Option<Moment>,
    /// What went wrong; none when nothing did. With [`Verdict::Expired`] it is what the last attempt met.
    pub reason: Option<Reason>,
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason {
    /// A fixed word for metrics and records; `gramtap_telegram::advice` knows it.
    pub label: &'static str,
    /// Whose fault it is: [`Side::Downstream`] is the bot's endpoint, or the way to it.
    pub side: Side,
}

/// Judges an attempt.
#[must_use]
pub fn judge(outcome: &Outcome, case: &Case) -> Judgement {
    let (reason, asked) = match outcome {
        Outcome::Answered {
            status: 200..=299, ..
        } => return last(Verdict::Delivered, None),
        Outcome::Answered {
            status,
            retry_after,
        } => (bots(answered(*status)), *retry_after),
        Outcome::Failed {
            label: "request", ..
        } => return last(Verdict::Dead, Some(bots("endpoint_unsendable"))),
        Outcome::Failed { label, side } => match side {
            Side::Upstream => (bots(broken(label)), None),
            Side::Downstream | Side::Internal => (ours(label), Some(OWN_FAILURE)),
        },
        Outcome::Refused(refusal) => return last(Verdict::Refused, Some(bots(refusal.label()))),
        Outcome::Impossible(label) => return last(Verdict::Dead, Some(ours(label))),
    };
    let failed = case.failed.saturating_add(1);
    let delay = asked.unwrap_or_else(|| schedule::delay(failed, case.random));
    let next_at = case.now.plus(delay);
    if next_at > case.expires_at {
        return last(Verdict::Expired, Some(reason));
    }
    Judgement {
        verdict: Verdict::Retry,
        next_at: Some(next_at),
        reason: Some(reason),
    }
}

impl Judgement {
    /// Whether the bot has the update.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.verdict == Verdict::Delivered
    }

    /// Whether the attempt counts as one that the endpoint failed.
    #[must_use]
    pub fn is_endpoints_failure(&self) -> bool {
        let theirs = self.reason.is_some_and(|it| it.side == Side::Downstream);
        theirs && matches!(self.verdict, Verdict::Retry | Verdict::Expired)
    }
}

fn last(verdict: Verdict, reason: Option<Reason>) -> Judgement {
    Judgement {
        verdict,
        next_at: None,
        reason,
    }
}

fn bots(label: &'static str) -> Reason {
    Reason {
        label,
        side: Side::Downstream,
    }
}

fn ours(label: &'static str) -> Reason {
    Reason {
        label,
        side: Side::Internal,
    }
}

/// The word for a status that is no success.
fn answered(status: u16) -> &'static str {
    match status {
        300..=399 => "endpoint_redirects",
        401 | 403 => "endpoint_denies",
        404 | 405 => "endpoint_not_found",
        410 => "endpoint_gone",
        429 | 503 => "endpoint_busy",
        400..=499 => "endpoint_refuses",
        500..=599 => "endpoint_fails",
        _ => "endpoint_odd",
    }
}

/// The word for a fault of the endpoint or of the way to it.
fn broken(label: &str) -> &'static str {
    match label {
        "resolve" => "endpoint_unresolved",
        "connect" | "connect_timeout" => "endpoint_unreachable",
        "tls" => "endpoint_tls",
        "idle" => "endpoint_timeout",
        "malformed" => "endpoint_malformed",
        // send, receive, closed, cut
        _ => "endpoint_broke_off",
    }
}

#[cfg(test)]
mod tests {
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
}
