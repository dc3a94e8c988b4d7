//! The differences that Gramtap may make between a library and Telegram. There are no others.
//!
//! In: [`Found`] differences (`run.rs`). Out: which entry allows one, if any does. Invariant: an
//! entry names the side, what of the message, and where it applies, and has its reason; one that
//! was not needed in a whole run fails the test, so this list is no longer than it must be.

use super::compare::{Aspect, Difference};

/// Which of the things that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// What Telegram received.
    Request,
    /// What the library received.
    Answer,
    /// What the library made of it.
    Library,
}

/// A difference and where it was found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) library: &'static str,
    pub(crate) door: &'static str,
    pub(crate) step: &'static str,
    pub(crate) side: Side,
    pub(crate) difference: Difference,
}

/// A difference that is allowed.
pub(crate) struct Allowed {
    side: Side,
    aspect: Aspect,
    /// Empty: whatever header; else its name in lower case.
    header: &'static str,
    /// What the step's label begins with.
    step: &'static str,
    /// What is in the door's half of the difference.
    shows: &'static str,
    /// Why it cannot be otherwise, or need not be.
    pub(crate) reason: &'static str,
}

const fn allowed(side: Side, aspect: Aspect, reason: &'static str) -> Allowed {
    Allowed {
        side,
        aspect,
        header: "",
        step: "",
        shows: "",
        reason,
    }
}

/// The list.
pub(crate) const ALLOWED: [Allowed; 15] = [
    Allowed {
        header: "host",
        shows: " 127.0.0.1:",
        ..allowed(
            Side::Request,
            Aspect::HeaderValue,
            "request, Host: Telegram is asked by its own name, not by the door's",
        )
    },
    Allowed {
        header: "connection",
        ..allowed(
            Side::Request,
            Aspect::HeaderGone,
            "request, Connection: belongs to the connection of library and Gramtap (RFC 9110, 7.6.1)",
        )
    },
    allowed(
        Side::Request,
        Aspect::HeaderCase,
        "request, case of names: actix keeps them in lower case, they are written Like-This; it means nothing (RFC 9110, 5.1)",
    ),
    allowed(
        Side::Request,
        Aspect::HeaderOrder,
        "request, order of names: actix keeps them in a map; across names it means nothing (RFC 9110, 5.3)",
    ),
    allowed(
        Side::Request,
        Aspect::Chunks,
        "request, sizes of chunks: bytes are passed on as they arrive; each connection has chunks of its own (RFC 9112, 7.1)",
    ),
    Allowed {
        header: "connection",
        ..allowed(
            Side::Answer,
            Aspect::HeaderGone,
            "answer, Connection: belongs to the connection of Gramtap and Telegram (RFC 9110, 7.6.1)",
        )
    },
    Allowed {
        header: "etag",
        ..allowed(
            Side::Answer,
            Aspect::HeaderCase,
            "answer, case of ETag: actix writes names Like-This; it means nothing (RFC 9110, 5.1)",
        )
    },
    allowed(
        Side::Answer,
        Aspect::HeaderOrder,
        "answer, order of names: actix keeps them in a map; across names it means nothing (RFC 9110, 5.3)",
    ),
    allowed(
        Side::Answer,
        Aspect::Chunks,
        "answer, sizes of chunks: bytes are passed on as they arrive; each connection has chunks of its own (RFC 9112, 7.1)",
    ),
    Allowed {
        step: "answer until close",
        shows: "Chunked",
        ..allowed(
            Side::Answer,
            Aspect::Framing,
            "answer until close: passed on in chunks, so that its end can be told from a cut",
        )
    },
    Allowed {
        step: "answer until close",
        header: "transfer-encoding",
        shows: " chunked",
        ..allowed(
            Side::Answer,
            Aspect::HeaderAdded,
            "answer until close: the header that says so",
        )
    },
    Allowed {
        step: "cut, no answer",
        shows: "1: HTTP/1.1 502 Bad Gateway",
        ..allowed(
            Side::Answer,
            Aspect::Count,
            "no answer: Telegram hung up; Gramtap says so with a 502, in the Bot API's shape",
        )
    },
    Allowed {
        step: "cut, no answer",
        ..allowed(
            Side::Library,
            Aspect::Returned,
            "no answer: a library raises its error for 502 instead of the one for a lost connection",
        )
    },
    Allowed {
        step: "cut, no answer",
        shows: "1: POST ",
        ..allowed(
            Side::Request,
            Aspect::Count,
            "no answer: OkHttp asks a second time when a connection dies, and not after a 502",
        )
    },
    Allowed {
        step: "cut in ",
        shows: "<CIMultiDictProxy('",
        ..allowed(
            Side::Library,
            Aspect::Returned,
            "answer cut: pyTelegramBotAPI's error quotes the answer's headers, which are in another order",
        )
    },
];

impl Allowed {
    fn fits(&self, found: &Found) -> bool {
        self.side == found.side
            && self.aspect == found.difference.aspect
            && (self.header.is_empty() || self.header == found.difference.header)
            && found.step.starts_with(self.step)
            && found.difference.door.contains(self.shows)
    }
}

/// The place in the list of the entry that allows a difference.
pub(crate) fn entry(found: &Found) -> Option<usize> {
    ALLOWED.iter().position(|allowed| allowed.fits(found))
}
