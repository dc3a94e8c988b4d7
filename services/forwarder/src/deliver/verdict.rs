//! What follows from an attempt.
//!
//! In: an attempt's [`Outcome`] (`courier.rs`), how often the update has failed, when it expires. Out: a [`Judgement`]: the verdict for
//! deliveries.v1, when to try again, whose fault it was, a fixed word that is also the key of the advice. Invariant: only 2xx is success;
//! an update is never tried again after its expiry; what is Gramtap's own fault costs the update no attempt. Pure.

use std::time::Duration;

use gramtap_endpoint::word;
use gramtap_events::Moment;
use gramtap_events::delivery::Verdict;
use gramtap_outbound::{Cause, Fault, Side};

use super::schedule;
use gramtap_outbound::guard::Refusal;

/// How long to wait after a failure of Gramtap's own, such as a bound on connections.
const OWN_FAILURE: Duration = Duration::from_secs(1);

/// The word for updates that the bot had dropped.
pub const DROPPED: &str = "dropped";

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
    /// It can never be sent; nothing was. The word is the dead letter's cause: `endpoint_missing`, [`DROPPED`], or the label of what
    /// hindered opening it (`unknown_key`, `damaged`).
    Impossible(&'static str),
    /// Its time was over before it was sent; nothing was.
    Late,
}

impl From<&Fault> for Outcome {
    fn from(fault: &Fault) -> Self {
        match fault.cause() {
            Cause::Blocked(refusal) => Self::Refused(*refusal),
            _ => Self::Failed {
                label: fault.label(),
                side: fault.side(),
            },
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
        } => (bots(word::answered(*status)), *retry_after),
        Outcome::Failed {
            label: "request", ..
        } => return last(Verdict::Dead, Some(bots("endpoint_unsendable"))),
        Outcome::Failed { label, side } => match side {
            Side::Upstream => (bots(word::broken(label)), None),
            Side::Downstream | Side::Internal => (ours(label), Some(OWN_FAILURE)),
        },
        Outcome::Refused(refusal) => return last(Verdict::Refused, Some(bots(refusal.label()))),
        Outcome::Impossible(label) => return last(Verdict::Dead, Some(ours(label))),
        Outcome::Late => return last(Verdict::Expired, Some(ours("expired"))),
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

#[cfg(test)]
mod tests;
