//! Who answered a call.
//!
//! In: how the relay says the call ended, and what the answer's copy says. Out: `origin`, `label`
//! and the error's code of a call's record (`record.rs`). Invariant: only a Bot API envelope or a
//! file that was asked for is Telegram's; a page of a front server is never taken for one.

use gramtap_events::call::Origin;

use super::answer::{AnswerCopy, Envelope};

/// How a call ended, as the relay knows it. Labels are fixed words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The upstream's answer was passed on whole.
    Answered,
    /// The upstream's answer began and did not come to its end.
    CutShort {
        /// What happened to it.
        label: &'static str,
    },
    /// There was no answer: the bot was given an error of ours instead.
    NoAnswer {
        /// What happened on the way.
        label: &'static str,
    },
    /// Gramtap answered by itself, or failed.
    Own {
        /// Which answer, or which failure.
        label: &'static str,
    },
    /// The bot left before it had the whole answer. A late answer may be known all the same.
    Left {
        /// What it was doing.
        label: &'static str,
    },
}

/// Who answered, and the word for what happened where it was not Telegram.
#[must_use]
pub(super) fn origin(
    ending: Ending,
    answer: Option<&AnswerCopy>,
) -> (Origin, Option<&'static str>) {
    match (ending, answer.map(|answer| &answer.envelope)) {
        (Ending::Own { label }, _) => (Origin::Gramtap, Some(label)),
        (Ending::NoAnswer { label }, _) => (Origin::Network, Some(label)),
        (_, Some(Envelope::Ok(_) | Envelope::Failed(_))) => (Origin::Telegram, None),
        (Ending::Left { label }, _) => (Origin::Client, Some(label)),
        (Ending::CutShort { label }, _) => (Origin::Network, Some(label)),
        (Ending::Answered, Some(Envelope::File)) => (Origin::Telegram, None),
        (Ending::Answered, Some(Envelope::Unread)) => (Origin::Telegram, Some("unread")),
        (Ending::Answered, Some(Envelope::NotJson)) => (Origin::Edge, Some("page")),
        (Ending::Answered, Some(Envelope::Empty) | None) => (Origin::Edge, Some("empty")),
    }
}
