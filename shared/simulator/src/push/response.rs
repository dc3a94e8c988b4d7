//! The answer to a push, read as Telegram's server reads it.
//!
//! In: bytes off the connection (`courier.rs`). Out: [`Reply`]: status, reason, how the body is
//! delimited, whether the connection carries on. Invariant: pure; without Content-Length and without
//! chunks there is no body; nothing but gzip and deflate is decoded, which `http/intake.rs` sees to.

use std::time::Duration;

use bytes::Bytes;

use super::verdict::{Broken, Ending};
use crate::http::head::Framing;
use crate::http::intake::Intake;

/// The head of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) reason: String,
    pub(crate) framing: Framing,
    pub(crate) keep_alive: bool,
    retry_after: Duration,
    content_type: Option<Bytes>,
    content_encoding: Option<Bytes>,
}

impl Reply {
    /// Reads a whole head.
    pub(crate) fn read(raw: &[u8]) -> Result<Self, Broken> {
        if !raw.starts_with(b"HTTP/") {
            return Err(Broken::Unreadable("Not Implemented"));
        }
        let mut space = 64;
        loop {
            let mut headers = vec![httparse::EMPTY_HEADER; space];
            let mut response = httparse::Response::new(&mut headers);
            match response.parse(raw) {
                Ok(httparse::Status::Complete(_)) => return Self::of(&response),
                Err(httparse::Error::TooManyHeaders) if space < raw.len() => space *= 8,
                Err(httparse::Error::Version) => {
                    return Err(Broken::Unreadable("HTTP Version Not Supported"));
                }
                _ => return Err(Broken::Unreadable("Bad Request")),
            }
        }
    }

    fn of(response: &httparse::Response<'_, '_>) -> Result<Self, Broken> {
        let last = |name: &str| {
            let mut headers = response.headers.iter().rev();
            let found = headers.find(|header| header.name.eq_ignore_ascii_case(name))?;
            Some(found.value.trim_ascii())
        };
        let number = |name: &str| -> u64 {
            let text = last(name).and_then(|value| std::str::from_utf8(value).ok());
            text.and_then(|text| text.parse().ok()).unwrap_or(0)
        };
        let framing = match last("transfer-encoding") {
            Some(coding) if coding.eq_ignore_ascii_case(b"chunked") => Framing::Chunked,
            Some(coding) if !coding.is_empty() => {
                let text = "Unimplemented: unsupported transfer-encoding";
                return Err(Broken::Unreadable(text));
            }
            _ => match number("content-length") {
                0 => Framing::None,
                length => Framing::Length(length),
            },
        };
        let closes = last("connection").is_some_and(|value| value.eq_ignore_ascii_case(b"close"));
        Ok(Self {
            status: response.code.unwrap_or(0),
            reason: response.reason.unwrap_or_default().to_owned(),
            framing,
            // An answer without a single header ends its connection, whatever its version.
            keep_alive: !response.headers.is_empty() && !closes,
            retry_after: Duration::from_secs(number("retry-after")),
            content_type: last("content-type").map(Bytes::copy_from_slice),
            content_encoding: last("content-encoding").map(Bytes::copy_from_slice),
        })
    }

    /// Takes its body in: of each file at most `keep` bytes are held.
    pub(crate) fn intake(&self, keep: usize) -> Result<Intake, Broken> {
        let (kind, encoding) = (
            self.content_type.as_deref(),
            self.content_encoding.as_deref(),
        );
        Intake::of(kind, encoding, self.framing, keep)
            .map_err(|refusal| Broken::Unreadable(refusal.reason))
    }

    pub(crate) fn ending(&self) -> Ending {
        Ending::Answered {
            status: self.status,
            reason: self.reason.clone(),
            retry_after: self.retry_after,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// `{status} {reason}|{framing}|{stays}`
    fn read(head: &str) -> Result<String, String> {
        Reply::read(format!("{head}\r\n\r\n").as_bytes())
            .map(|reply| {
                let Reply {
                    status,
                    reason,
                    framing,
                    keep_alive,
                    ..
                } = reply;
                format!("{status} {reason}|{framing:?}|{keep_alive}")
            })
            .map_err(|broken| broken.to_string())
    }

    #[test]
    fn follows_the_table() {
        let many = format!("HTTP/1.1 200 OK{}", "\r\nA: b".repeat(700));
        let table = [
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5",
                Ok("200 OK|Length(5)|true"),
            ),
            ("HTTP/1.1 200 OK\r\nServer: x", Ok("200 OK|None|true")),
            ("HTTP/1.1 200 OK", Ok("200 OK|None|false")),
            ("HTTP/1.1 100 Continue", Ok("100 Continue|None|false")),
            (
                "HTTP/1.0 200 Fine by me\r\nA: b",
                Ok("200 Fine by me|None|true"),
            ),
            (
                "HTTP/1.1 204 No Content\r\nConnection: Close",
                Ok("204 No Content|None|false"),
            ),
            ("HTTP/1.1 403 \r\nContent-Length: 0", Ok("403 |None|true")),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nContent-Length: 9",
                Ok("200 OK|Chunked|true"),
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: x",
                Ok("200 OK|None|true"),
            ),
            (many.as_str(), Ok("200 OK|None|true")),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip",
                Err("Unimplemented: unsupported transfer-encoding"),
            ),
            ("HTTP/2.0 200 OK", Err("HTTP Version Not Supported")),
            ("SSH-2.0-OpenSSH", Err("Not Implemented")),
            ("HTTP/1.1 200 OK\r\nA b", Err("Bad Request")),
        ];
        for (head, expected) in table {
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(read(head), expected, "{}", &head[..head.len().min(80)]);
        }
    }

    #[test]
    fn retry_after_is_whole_seconds_or_nothing() {
        for (value, seconds) in [
            ("7", 7),
            (" 12 ", 12),
            ("-5", 0),
            ("1.5", 0),
            ("Wed, 21 Oct", 0),
        ] {
            let head = format!("HTTP/1.1 429 Slow\r\nRetry-After: {value}\r\n\r\n");
            let reply = Reply::read(head.as_bytes()).unwrap();
            assert_eq!(reply.retry_after, Duration::from_secs(seconds), "{value}");
        }
        let br = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Encoding: br\r\n\r\n";
        let refused = Reply::read(br).unwrap().intake(0).err().unwrap();
        assert_eq!(refused.to_string(), "unsupported Content-Encoding");
    }
}
