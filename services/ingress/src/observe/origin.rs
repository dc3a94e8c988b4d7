//! Who answered a call.
//!
//! In: how the relay says the call ended, and what the answer's copy says. Out: `origin`, `label`
//! and the error's code of a call's record (`record.rs`). Invariant: only a Bot API envelope or a
//! file that was asked for is Telegram's; a page of a front server is never taken for one.

use gramtap_events::call::Origin;

use super::envelope::Envelope;

/// How a call ended, as the relay knows it. Labels are fixed words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
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
pub(super) fn origin(
    ending: Ending,
    envelope: Option<&Envelope>,
) -> (Origin, Option<&'static str>) {
    use Envelope::{Empty, Failed, File, NotJson, Ok, Unread};
    match (ending, envelope) {
        (Ending::Own { label }, _) => (Origin::Gramtap, Some(label)),
        (Ending::NoAnswer { label } | Ending::CutShort { label }, _) => {
            (Origin::Network, Some(label))
        }
        (Ending::Answered, Some(Ok | Failed(_) | File)) => (Origin::Telegram, None),
        // A late answer, which the bot did not wait for: its status is not there.
        (Ending::Left { .. }, Some(Ok | Failed(_))) => (Origin::Telegram, None),
        (Ending::Left { label }, _) => (Origin::Client, Some(label)),
        (Ending::Answered, Some(Unread)) => (Origin::Telegram, Some("unread")),
        (Ending::Answered, Some(NotJson)) => (Origin::Edge, Some("page")),
        (Ending::Answered, Some(Empty) | None) => (Origin::Edge, Some("empty")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_answered() {
        let failed = Envelope::read(br#"{"ok":false,"error_code":400}"#);
        let left = Ending::Left { label: "left" };
        let cut = Ending::CutShort { label: "cut" };
        let network = Ending::NoAnswer { label: "connect" };
        let own = Ending::Own { label: "not_found" };
        let table = [
            (
                Ending::Answered,
                Some(&Envelope::Ok),
                Origin::Telegram,
                None,
            ),
            (Ending::Answered, Some(&failed), Origin::Telegram, None),
            (
                Ending::Answered,
                Some(&Envelope::File),
                Origin::Telegram,
                None,
            ),
            (
                Ending::Answered,
                Some(&Envelope::NotJson),
                Origin::Edge,
                Some("page"),
            ),
            (
                Ending::Answered,
                Some(&Envelope::Empty),
                Origin::Edge,
                Some("empty"),
            ),
            (
                Ending::Answered,
                Some(&Envelope::Unread),
                Origin::Telegram,
                Some("unread"),
            ),
            (Ending::Answered, None, Origin::Edge, Some("empty")),
            (cut, Some(&Envelope::Ok), Origin::Network, Some("cut")),
            (cut, Some(&Envelope::File), Origin::Network, Some("cut")),
            (network, None, Origin::Network, Some("connect")),
            (own, None, Origin::Gramtap, Some("not_found")),
            (left, None, Origin::Client, Some("left")),
            (left, Some(&Envelope::Unread), Origin::Client, Some("left")),
            (left, Some(&Envelope::File), Origin::Client, Some("left")),
            (left, Some(&Envelope::Ok), Origin::Telegram, None),
            (left, Some(&failed), Origin::Telegram, None),
        ];
        for (ending, envelope, who, label) in table {
            assert_eq!(
                origin(ending, envelope),
                (who, label),
                "{ending:?} {envelope:?}"
            );
        }
    }
}
