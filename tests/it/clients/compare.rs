//! Holds what was seen through a door against what was seen without it.
//!
//! In: two messages, or two lines of a program. Out: [`Difference`]s, one for each thing that is
//! not the same byte for byte; `allowed.rs` judges them. Invariant: this decides nothing: every
//! byte of a start line, header and body, the framing and the order count.

use gramtap_telegram::redact::redact;
use serde_json::Value;

use super::message::Message;

/// One thing that is not the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// What of the message.
    pub(crate) aspect: Aspect,
    /// The header's name in lower case; empty for what is no header.
    pub(crate) header: String,
    /// As seen directly.
    pub(crate) direct: String,
    /// As seen through the door.
    pub(crate) door: String,
}

/// What of a message differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aspect {
    /// How many calls or answers there were.
    Count,
    /// The request line or the status line.
    Start,
    /// A header that only the direct message has.
    HeaderGone,
    /// A header that only the door's message has.
    HeaderAdded,
    /// A header's values.
    HeaderValue,
    /// The case of a header's name.
    HeaderCase,
    /// The order of the headers that both have.
    HeaderOrder,
    /// How the body is delimited.
    Framing,
    /// How a body, the same in all, is cut into chunks.
    Chunks,
    /// The body.
    Body,
    /// Whether the message is whole.
    Complete,
    /// What the library returned or raised.
    Returned,
}

/// The differences of two messages.
pub(crate) fn messages(direct: &Message, door: &Message) -> Vec<Difference> {
    let mut found = headers(direct, door);
    let mut note = |aspect, one: &[u8], other: &[u8]| {
        if one != other {
            let (direct, door) = windows(one, other);
            found.push(plain(aspect, direct, door));
        }
    };
    note(Aspect::Start, &direct.start, &door.start);
    note(
        Aspect::Framing,
        shown(&direct.framing).as_bytes(),
        shown(&door.framing).as_bytes(),
    );
    note(
        Aspect::Complete,
        shown(&direct.complete).as_bytes(),
        shown(&door.complete).as_bytes(),
    );
    note(Aspect::Body, &direct.body, &door.body);
    if direct.body == door.body && direct.framing == door.framing && direct.chunks != door.chunks {
        found.push(plain(
            Aspect::Chunks,
            shown(&direct.chunks),
            shown(&door.chunks),
        ));
    }
    found
}

/// What tells a message from another one of its step.
fn brief(message: &Message) -> String {
    let body = &message.body[..message.body.len().min(100)];
    let (start, body) = (
        String::from_utf8_lossy(&message.start),
        String::from_utf8_lossy(body),
    );
    let end = if message.complete { "" } else { " (cut)" };
    format!("{start} {body:?}{end}")
}

/// The differences of two lists of messages, pair by pair.
pub(crate) fn lists(direct: &[Message], door: &[Message]) -> Vec<Difference> {
    if direct.len() != door.len() {
        let all = |list: &[Message]| {
            let all: Vec<_> = list.iter().map(brief).collect();
            format!("{}: {}", list.len(), all.join(", "))
        };
        return vec![plain(Aspect::Count, all(direct), all(door))];
    }
    direct
        .iter()
        .zip(door)
        .flat_map(|(direct, door)| messages(direct, door))
        .collect()
}

/// The difference of two lines of a program, if there is one.
pub(crate) fn lines(direct: &Value, door: &Value) -> Vec<Difference> {
    let (direct, door) = (direct.to_string(), door.to_string());
    let (one, other) = windows(direct.as_bytes(), door.as_bytes());
    let difference = (direct != door).then(|| plain(Aspect::Returned, one, other));
    difference.into_iter().collect()
}

fn headers(direct: &Message, door: &Message) -> Vec<Difference> {
    let names = |message: &Message| -> Vec<String> {
        message
            .headers
            .iter()
            .map(|(name, _)| String::from_utf8_lossy(name).to_ascii_lowercase())
            .collect()
    };
    let (mine, others) = (names(direct), names(door));
    let mut all: Vec<&String> = mine.iter().chain(&others).collect();
    all.sort();
    all.dedup();
    let mut found = Vec::new();
    for name in all {
        let lines = |message: &Message| -> Vec<(String, String)> {
            let own = message
                .headers
                .iter()
                .filter(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()));
            own.map(|(key, value)| (shown_bytes(key), shown_bytes(value)))
                .collect()
        };
        let (one, other) = (lines(direct), lines(door));
        let values = |lines: &[(String, String)]| {
            lines
                .iter()
                .map(|(_, value)| value.clone())
                .collect::<Vec<_>>()
                .join(" |")
        };
        let keys = |lines: &[(String, String)]| {
            lines
                .iter()
                .map(|(key, _)| key.clone())
                .collect::<Vec<_>>()
                .join(" ")
        };
        let mut note = |aspect, direct, door| {
            found.push(Difference {
                aspect,
                header: name.clone(),
                direct,
                door,
            });
        };
        match (one.is_empty(), other.is_empty()) {
            (false, true) => note(Aspect::HeaderGone, values(&one), String::new()),
            (true, _) => note(Aspect::HeaderAdded, String::new(), values(&other)),
            (false, false) => {
                if values(&one) != values(&other) {
                    note(Aspect::HeaderValue, values(&one), values(&other));
                }
                if keys(&one) != keys(&other) {
                    note(Aspect::HeaderCase, keys(&one), keys(&other));
                }
            }
        }
    }
    let common = |list: &[String], other: &[String]| {
        list.iter()
            .filter(|name| other.contains(name))
            .cloned()
            .collect::<Vec<_>>()
    };
    let (one, other) = (common(&mine, &others), common(&others, &mine));
    if one != other && one.len() == other.len() {
        found.push(plain(Aspect::HeaderOrder, one.join(" "), other.join(" ")));
    }
    found
}

fn plain(aspect: Aspect, direct: String, door: String) -> Difference {
    Difference {
        aspect,
        header: String::new(),
        direct,
        door,
    }
}

fn shown(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}")
}

/// Bytes as text; what is no text is escaped.
fn shown_bytes(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.escape_ascii().to_string(),
    }
}

/// Where two runs of bytes begin to differ, with a little around it. Tokens are hidden first: half
/// of one would not be known as one.
fn windows(one: &[u8], other: &[u8]) -> (String, String) {
    const AROUND: usize = 120;
    let text = |bytes| -> Vec<char> { redact(&String::from_utf8_lossy(bytes)).chars().collect() };
    let (one, other) = (text(one), text(other));
    let common = one
        .iter()
        .zip(&other)
        .take_while(|(one, other)| one == other)
        .count();
    let short = one.len().max(other.len()) <= 2 * AROUND;
    let from = if short {
        0
    } else {
        common.saturating_sub(AROUND / 2)
    };
    let window = |text: &[char]| {
        let shown: String = text.iter().skip(from).take(2 * AROUND).collect();
        match from {
            0 => shown,
            _ => format!("(from {from} of {}) {shown}", text.len()),
        }
    };
    (window(&one), window(&other))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Type: t\r\nX: 1\r\n";

    fn message(head: &str, body: &str) -> Message {
        Message::request(
            format!("{head}Content-Length: {}\r\n\r\n", body.len()).as_bytes(),
            body.as_bytes(),
        )
        .unwrap()
    }

    /// Each aspect is seen, alone, and by its name: no test of the libraries can pass without it.
    #[test]
    fn every_aspect_is_seen() {
        let direct = message(HEAD, "body");
        let table = [
            (message(HEAD, "body"), None),
            (
                message(&HEAD.replace("/x", "/y"), "body"),
                Some((Aspect::Start, "")),
            ),
            (
                message(&HEAD.replace("X: 1\r\n", ""), "body"),
                Some((Aspect::HeaderGone, "x")),
            ),
            (
                message(&HEAD.replace("X:", "Y: 2\r\nX:"), "body"),
                Some((Aspect::HeaderAdded, "y")),
            ),
            (
                message(&HEAD.replace("X: 1", "X: 2"), "body"),
                Some((Aspect::HeaderValue, "x")),
            ),
            (
                message(&HEAD.replace("X: 1", "X:1"), "body"),
                Some((Aspect::HeaderValue, "x")),
            ),
            (
                message(&HEAD.replace("Host", "host"), "body"),
                Some((Aspect::HeaderCase, "host")),
            ),
            (
                message(
                    "POST /x HTTP/1.1\r\nContent-Type: t\r\nHost: a\r\nX: 1\r\n",
                    "body",
                ),
                Some((Aspect::HeaderOrder, "")),
            ),
            (message(HEAD, "bode"), Some((Aspect::Body, ""))),
        ];
        for (door, expected) in table {
            let found = messages(&direct, &door);
            let found: Vec<_> = found
                .iter()
                .map(|one| (one.aspect, one.header.as_str()))
                .collect();
            assert_eq!(found, Vec::from_iter(expected));
        }
    }

    #[test]
    fn framing_chunks_and_cuts_are_seen() {
        let chunked = |body: &str| {
            let head = format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n");
            Message::request(head.as_bytes(), body.as_bytes()).unwrap()
        };
        let direct = chunked("2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n");
        let aspects = |door: &Message| {
            messages(&direct, door)
                .iter()
                .map(|one| one.aspect)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            aspects(&chunked("4\r\nbody\r\n0\r\n\r\n")),
            [Aspect::Chunks]
        );
        assert_eq!(
            aspects(&chunked("2\r\nbo\r\n2\r\ndy\r\n")),
            [Aspect::Complete]
        );
        let whole = message(HEAD, "body");
        assert_eq!(
            aspects(&whole),
            [Aspect::HeaderAdded, Aspect::HeaderGone, Aspect::Framing]
        );
        assert_eq!(
            lists(&[direct.clone(), whole], std::slice::from_ref(&direct))[0].aspect,
            Aspect::Count
        );
        assert!(lines(&"a".into(), &"a".into()).is_empty());
        assert_eq!(lines(&"a".into(), &"b".into())[0].aspect, Aspect::Returned);
    }

    #[test]
    fn long_bodies_are_shown_where_they_differ_and_tokens_never() {
        let long = |end: &str| format!("{}/bot123456:AAF-secret/{end}", "x".repeat(5_000));
        let (one, other) = windows(long("this").as_bytes(), long("that").as_bytes());
        assert!(
            one.ends_with("/bot123456:***/this") && other.ends_with("/that"),
            "{one} {other}"
        );
        assert!(one.len() < 300, "{one}");
    }
}
