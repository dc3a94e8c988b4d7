//! Which headers pass, each way.
//!
//! In: the bot's headers (actix keeps names in lower case, without order across names) and
//! Telegram's (raw). Out: the lists that `exchange.rs` sends and answers with. Invariant:
//! nothing that belongs to one connection passes, nothing tells Telegram who the bot's host is,
//! and nothing is added. Pure.

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;

/// Names that belong to one connection (RFC 9110 §7.6.1), and the framing, which the other
/// connection makes anew from the same length.
const HOP: [&str; 10] = [
    "connection",
    "content-length",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Names that never reach Telegram: our own host takes the bot's place, 100 was answered here,
/// and the rest would tell where the bot lives (X-Real-IP changes what a local server does).
const PRIVATE: [&str; 8] = [
    "expect",
    "forwarded",
    "host",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
];

/// The bot's headers that reach Telegram, names written like `Content-Type`.
pub(crate) fn upstream(headers: &HeaderMap) -> Vec<(Vec<u8>, &[u8])> {
    let listed = connection_lists(
        headers
            .get_all(header::CONNECTION)
            .map(HeaderValue::as_bytes),
    );
    let passes = |name: &str| {
        !HOP.contains(&name)
            && !PRIVATE.contains(&name)
            && !listed.iter().any(|other| other == name)
    };
    let passing = headers.iter().filter(|(name, _)| passes(name.as_str()));
    passing
        .map(|(name, value)| (title_case(name.as_str()), value.as_bytes()))
        .collect()
}

/// Telegram's headers that reach the bot: `connection` are the values of those called so. What is no header to actix is left out.
pub(crate) fn downstream<'h>(
    connection: impl Iterator<Item = &'h [u8]>,
    headers: impl ExactSizeIterator<Item = (&'h [u8], Bytes)>,
    into: &mut HeaderMap,
) {
    let listed = connection_lists(connection);
    into.reserve(headers.len());
    for (name, value) in headers {
        let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name),
            HeaderValue::from_maybe_shared(value),
        ) else {
            continue;
        };
        if !HOP.contains(&name.as_str()) && !listed.iter().any(|other| *other == name.as_str()) {
            into.append(name, value);
        }
    }
}

/// The names that a Connection header declares to belong to the connection.
fn connection_lists<'h>(values: impl Iterator<Item = &'h [u8]>) -> Vec<String> {
    let mut names = Vec::new();
    for value in values {
        for name in value.split(|byte| *byte == b',') {
            let name = String::from_utf8_lossy(name.trim_ascii()).to_ascii_lowercase();
            if !matches!(name.as_str(), "" | "close" | "keep-alive") {
                names.push(name);
            }
        }
    }
    names
}

/// `content-type` as `Content-Type`, the way most clients of the Bot API write it.
fn title_case(name: &str) -> Vec<u8> {
    let mut written = name.as_bytes().to_vec();
    let mut first = true;
    for byte in &mut written {
        if first {
            byte.make_ascii_uppercase();
        }
        first = *byte == b'-';
    }
    written
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn map(lines: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn what_belongs_to_the_connection_or_tells_who_the_bot_is_stays_here() {
        let sent = map(&[
            ("host", "127.0.0.1:8080"),
            ("connection", "keep-alive, X-Secret-Hop"),
            ("x-secret-hop", "1"),
            ("transfer-encoding", "chunked"),
            ("content-length", "3"),
            ("te", "trailers"),
            ("upgrade", "h2c"),
            ("expect", "100-continue"),
            ("x-forwarded-for", "10.0.0.1"),
            ("x-real-ip", "10.0.0.1"),
            ("via", "1.1 x"),
            ("proxy-authorization", "Basic x"),
        ]);
        assert_eq!(upstream(&sent), []);
    }

    #[test]
    fn the_rest_passes_with_every_value() {
        let sent = map(&[
            ("content-type", "application/json"),
            ("x-a", "1"),
            ("x-a", "2"),
            ("accept-encoding", "gzip, deflate"),
        ]);
        let mut passed = upstream(&sent);
        passed.sort();
        let text: Vec<_> = passed
            .iter()
            .map(|(name, value)| {
                (
                    str::from_utf8(name).unwrap(),
                    str::from_utf8(value).unwrap(),
                )
            })
            .collect();
        assert_eq!(
            text,
            [
                ("Accept-Encoding", "gzip, deflate"),
                ("Content-Type", "application/json"),
                ("X-A", "1"),
                ("X-A", "2")
            ]
        );
    }

    #[test]
    fn an_answer_keeps_what_is_telegrams() {
        let answer: [(&[u8], &'static [u8]); 7] = [
            (b"Server", b"nginx/1.18.0"),
            (b"Date", b"now"),
            (b"Content-Length", b"12"),
            (b"Connection", b"keep-alive, X-Hop"),
            (b"X-Hop", b"1"),
            (b"Strict-Transport-Security", b"max-age=1"),
            (b"Retry-After", b"5"),
        ];
        let shared = answer.map(|(name, value)| (name, Bytes::from_static(value)));
        let mut passed = HeaderMap::new();
        let connection: [&[u8]; 1] = [answer[3].1];
        downstream(connection.into_iter(), shared.into_iter(), &mut passed);
        let mut names: Vec<_> = passed.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            ["date", "retry-after", "server", "strict-transport-security"]
        );
    }
}
