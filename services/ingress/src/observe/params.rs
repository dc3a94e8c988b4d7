//! Reads a request's arguments as Telegram's server does.
//!
//! In: [`RequestCopy`]'s query and body. Out: one object of arguments, for the mask and for routing.
//! Invariant: the query comes first, then the body, and of several with one name the first
//! counts; what is malformed ends the reading of its part, and what stood before it counts.

use std::borrow::Cow;

use gramtap_privacy::tree::{Head, Members, Node, keep_first};

use super::limits::Cut;
use super::multipart::Parts;

/// A body's parameters, as copied.
pub(super) enum Body {
    /// Empty, or of a type that Telegram does not look at.
    None,
    Form(Box<[u8]>),
    Json(Box<[u8]>),
    Parts(Box<Parts>),
}

/// All arguments of a request, and why some are missing where the copy itself (`cut`) does not say so.
pub(super) fn arguments<'a>(
    query: &'a str,
    body: &'a Body,
    cut: Option<Cut>,
) -> (Members<'a>, Option<Cut>) {
    let mut members = Members::new();
    let mut unread = None;
    form(query.as_bytes(), &mut members);
    match body {
        Body::None => {}
        Body::Form(bytes) => form(whole_pairs(bytes, cut), &mut members),
        Body::Json(bytes) => unread = json(bytes, &mut members),
        Body::Parts(parts) => {
            for field in &parts.fields {
                match field.form {
                    true => form(&field.value, &mut members),
                    false => {
                        let value = String::from_utf8_lossy(&field.value);
                        members.push((Cow::Borrowed(&field.name), Node::Text(value)));
                    }
                }
            }
        }
    }
    members.retain(|(name, _)| !name.is_empty());
    keep_first(&mut members);
    (members, cut.or(unread))
}

/// An argument as Telegram passes it on: a string's text, anything else as JSON.
pub(super) fn as_text(value: Node<'_>) -> Option<Cow<'_, str>> {
    match value {
        Node::Text(text) => Some(text),
        other => other.raw().map(|raw| Cow::Owned(raw.get().to_owned())),
    }
}

/// `a=1&b=2`, percent-encoded, a plus being a space.
fn form<'a>(bytes: &'a [u8], into: &mut Members<'a>) {
    for pair in bytes
        .split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
    {
        let middle = memchr::memchr(b'=', pair);
        let (name, value) = match middle {
            Some(at) => (&pair[..at], &pair[at + 1..]),
            None => (pair, &[][..]),
        };
        into.push((decoded(name), Node::Text(decoded(value))));
    }
}

/// A copy that was cut ends inside a pair.
fn whole_pairs(bytes: &[u8], cut: Option<Cut>) -> &[u8] {
    match cut {
        Some(_) => &bytes[..memchr::memrchr(b'&', bytes).unwrap_or(0)],
        None => bytes,
    }
}

/// Percent escapes undone; what is no escape stays, as with Telegram.
fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    if memchr::memchr2(b'%', b'+', bytes).is_none() {
        return String::from_utf8_lossy(bytes);
    }
    let hex = |at: usize| {
        char::from(*bytes.get(at)?)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        plain.push(match byte {
            b'+' => b' ',
            b'%' => match (hex(at), hex(at + 1)) {
                (Some(high), Some(low)) => {
                    at += 2;
                    high << 4 | low
                }
                _ => byte,
            },
            _ => byte,
        });
    }
    let plain = String::from_utf8(plain);
    Cow::Owned(plain.unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

fn json<'a>(bytes: &'a [u8], into: &mut Members<'a>) -> Option<Cut> {
    let head = Head::parse(bytes);
    let nothing = matches!(bytes.trim_ascii(), b"" | b"null");
    let unread = !head.whole && !nothing;
    for (name, value) in head.members {
        into.extend(value.map(|value| (name, value)));
    }
    unread.then_some(Cut::Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_escapes() {
        let table = [
            ("a+b%20c", "a b c"),
            ("%D0%9f", "П"),
            ("%", "%"),
            ("%4", "%4"),
            ("%zz%41", "%zzA"),
            ("%+1", "% 1"),
            ("%ff", "\u{fffd}"),
        ];
        for (sent, read) in table {
            assert_eq!(decoded(sent.as_bytes()), read, "{sent}");
        }
    }
}
