//! What goes back to the client, and its head in bytes.
//!
//! In: results and failures (`methods.rs`), files (`download.rs`), refusals, scripted answers
//! (`fault.rs`). Out: [`Answer`] and head bytes for `connection/send.rs`. The fields and their
//! order are those of api.telegram.org (nginx before the server). Invariant: pure; the same answer
//! at the same date gives the same bytes.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt::Write as _;
use std::ops::Range;

use bytes::Bytes;
use time::OffsetDateTime;
use time::macros::format_description;

use super::Refusal;
use crate::content::Content;
use crate::fail::Failure;

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Instead of the standard phrase.
    pub(crate) reason: Option<String>,
    pub(crate) content_type: Option<Cow<'static, str>>,
    /// After the standard fields, as written here.
    pub(crate) headers: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    pub(crate) content: Content,
    /// The part of the content that is sent.
    pub(crate) range: Range<u64>,
    /// The answer to HEAD: the length is told, the content is not sent.
    pub(crate) head_only: bool,
    /// The connection ends after it.
    pub(crate) close: bool,
}

/// How the body is delimited on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delimited {
    /// `Content-Length`.
    #[default]
    Length,
    /// `Transfer-Encoding: chunked`.
    Chunked,
    /// Neither: the body ends with the connection.
    Close,
    /// Both headers, the body chunked: what no server should send.
    LengthAndChunked,
}

impl Answer {
    /// `application/json` with `Content-Length`.
    pub(crate) fn json(status: u16, body: impl Into<Content>) -> Self {
        let content = body.into();
        Self {
            status,
            reason: None,
            content_type: Some(Cow::Borrowed("application/json")),
            headers: Vec::new(),
            range: 0..content.length(),
            content,
            head_only: false,
            close: false,
        }
    }

    /// A failed call.
    pub(crate) fn failure(failure: &Failure) -> Self {
        let mut answer = Self::json(failure.code, failure.body());
        if let Some(seconds) = failure.retry_after {
            answer
                .headers
                .push(("Retry-After".into(), seconds.to_string().into()));
        }
        answer
    }

    /// A request the parser refused: no body, and the connection ends.
    pub(crate) fn refusal(refusal: Refusal) -> Self {
        Self {
            content_type: None,
            close: true,
            ..Self::json(refusal.status, Bytes::new())
        }
    }

    /// nginx's own page for a status.
    pub(crate) fn nginx(status: u16) -> Self {
        let phrase = phrase(status);
        let body = format!(
            "<html>\r\n<head><title>{status} {phrase}</title></head>\r\n<body>\r\n<center><h1>{status} {phrase}</h1></center>\r\n\
             <hr><center>nginx/1.18.0</center>\r\n</body>\r\n</html>\r\n"
        );
        Self {
            content_type: Some(Cow::Borrowed("text/html")),
            ..Self::json(status, body)
        }
    }

    /// Whether a status has no body at all.
    pub(crate) fn bodiless(&self) -> bool {
        self.head_only || self.status == 204 || self.status == 304
    }

    /// The head's bytes; `unix` is the date shown.
    pub(crate) fn head(&self, delimited: Delimited, unix: i64, close: bool) -> String {
        let reason = self
            .reason
            .as_deref()
            .unwrap_or_else(|| phrase(self.status));
        let mut head = format!(
            "HTTP/1.1 {} {reason}\r\nServer: nginx/1.18.0\r\nDate: {}\r\n",
            self.status,
            date(unix)
        );
        let mut line = |name: &str, value: &str| {
            // Writing to a String cannot fail.
            write!(head, "{name}: {value}\r\n").ok();
        };
        if let Some(kind) = &self.content_type {
            line("Content-Type", kind);
        }
        let length = (self.range.end - self.range.start).to_string();
        if self.status != 204 && self.status != 304 {
            if matches!(delimited, Delimited::Length | Delimited::LengthAndChunked) {
                line("Content-Length", &length);
            }
            if matches!(delimited, Delimited::Chunked | Delimited::LengthAndChunked) {
                line("Transfer-Encoding", "chunked");
            }
        }
        line("Connection", if close { "close" } else { "keep-alive" });
        for (name, value) in &self.headers {
            line(name, value);
        }
        for (name, value) in FRONT {
            line(name, value);
        }
        head.push_str("\r\n");
        head
    }
}

/// What the front of api.telegram.org adds.
const FRONT: [(&str, &str); 4] = [
    (
        "Strict-Transport-Security",
        "max-age=31536000; includeSubDomains; preload",
    ),
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Methods", "GET, POST, OPTIONS"),
    (
        "Access-Control-Expose-Headers",
        "Content-Length,Content-Type,Date,Server,Connection",
    ),
];

thread_local! {
    /// The last date written: thousands of answers a second share it.
    static LAST_DATE: RefCell<(i64, String)> = const { RefCell::new((i64::MIN, String::new())) };
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`
pub(crate) fn date(unix: i64) -> String {
    LAST_DATE.with_borrow_mut(|(at, text)| {
        if *at != unix {
            let format = format_description!(
                "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
            );
            let date =
                OffsetDateTime::from_unix_timestamp(unix).unwrap_or(OffsetDateTime::UNIX_EPOCH);
            *text = date.format(&format).unwrap_or_default();
            *at = unix;
        }
        text.clone()
    })
}

/// The standard reason phrase.
pub(crate) fn phrase(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        103 => "Early Hints",
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Request Entity Too Large",
        414 => "Request-URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        421 => "Misdirected Request",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "Unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_look_like_production() {
        let answer = Answer::failure(&Failure::flood(5));
        assert_eq!(
            answer.head(Delimited::Length, 784_111_777, false),
            "HTTP/1.1 429 Too Many Requests\r\nServer: nginx/1.18.0\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
             Content-Type: application/json\r\nContent-Length: 109\r\nConnection: keep-alive\r\nRetry-After: 5\r\n\
             Strict-Transport-Security: max-age=31536000; includeSubDomains; preload\r\n\
             Access-Control-Allow-Origin: *\r\nAccess-Control-Allow-Methods: GET, POST, OPTIONS\r\n\
             Access-Control-Expose-Headers: Content-Length,Content-Type,Date,Server,Connection\r\n\r\n"
        );
    }

    #[test]
    fn framings_and_refusals() {
        let refusal = Answer::refusal(Refusal::new(501, "x"));
        let head = refusal.head(Delimited::Length, 0, true);
        assert!(
            head.contains("Content-Length: 0\r\nConnection: close\r\n")
                && !head.contains("Content-Type:"),
            "{head}"
        );
        let html = Answer::nginx(502);
        for (delimited, length, chunked) in [
            (Delimited::Chunked, false, true),
            (Delimited::Close, false, false),
            (Delimited::LengthAndChunked, true, true),
        ] {
            let head = html.head(delimited, 0, true);
            assert_eq!(
                (head.contains("Content-Length:"), head.contains("chunked")),
                (length, chunked),
                "{head}"
            );
        }
    }
}
