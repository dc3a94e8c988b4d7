//! What a client hears on one connection, as one line of text.
//!
//! In: bytes to send, whatever comes back. Out: a text such as
//! `404 Not Found [telegram] error: Not Found | open`: each answer's status line, headers and body,
//! and what becomes of the connection. Invariant: nothing of an answer is left out but what is
//! named here: the headers that belong to one connection, their order, and a date that is not the
//! simulator's. What breaks off is told as far as it came, never an error.

use std::net::SocketAddr;

use gramtap_tests::within;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Belong to one connection (RFC 9110, 7.6.1); what they cause is told: framing, open or closed.
const HOP: [&str; 4] = [
    "connection",
    "content-length",
    "keep-alive",
    "transfer-encoding",
];
/// What every answer of the simulated Telegram has, with its fixed date.
const TELEGRAM: [(&str, &str); 6] = [
    ("access-control-allow-methods", "GET, POST, OPTIONS"),
    ("access-control-allow-origin", "*"),
    (
        "access-control-expose-headers",
        "Content-Length,Content-Type,Date,Server,Connection",
    ),
    ("date", "Thu, 09 Oct 2025 08:53:20 GMT"),
    ("server", "nginx/1.18.0"),
    (
        "strict-transport-security",
        "max-age=31536000; includeSubDomains; preload",
    ),
];
/// What is asked after the row's own bytes, to see whether the connection is still good.
const PROBE: &str = "probe";

/// How the client goes on when it has sent the row's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// It reads an answer, then asks once more on the same connection.
    Asks,
    /// The same; its first request was HEAD, whose answer has no body.
    AsksAfterHead,
    /// It has no more to send, and says so to its kernel.
    HangsUp,
}

/// A connection's bytes, taken apart.
struct Ear {
    stream: TcpStream,
    read: Vec<u8>,
    ended: bool,
}

/// Sends `bytes`, and tells all that comes back. `probe` is a request whose answer's body is
/// `"probe"`.
pub(super) async fn hear(address: SocketAddr, bytes: &[u8], probe: &str, then: Then) -> String {
    let stream = within("a connection", TcpStream::connect(address)).await;
    let mut ear = Ear {
        stream: stream.unwrap(),
        read: Vec::new(),
        ended: false,
    };
    // Whoever refuses the first bytes may close before the last ones.
    within("sending", ear.stream.write_all(bytes)).await.ok();
    if then == Then::HangsUp {
        ear.stream.shutdown().await.ok();
    }
    let mut heard = Vec::new();
    let mut first = true;
    loop {
        let to_head = first && then == Then::AsksAfterHead;
        let Some((interim, text)) = ear.answer(to_head).await else {
            heard.push("closed".to_owned());
            break;
        };
        if text.ends_with(PROBE) {
            heard.push("open".to_owned());
            break;
        }
        heard.push(text);
        if first && !interim && then != Then::HangsUp {
            first = false;
            within("asking", ear.stream.write_all(probe.as_bytes()))
                .await
                .ok();
        }
    }
    heard.join(" | ")
}

impl Ear {
    /// The next answer: whether it is an interim one, and its text.
    async fn answer(&mut self, to_head: bool) -> Option<(bool, String)> {
        let end = loop {
            if let Some(at) = memchr::memmem::find(&self.read, b"\r\n\r\n") {
                break at + 4;
            }
            if !self.more().await {
                let rest = std::mem::take(&mut self.read);
                let text = String::from_utf8_lossy(&rest).into_owned();
                return (!rest.is_empty()).then(|| (false, format!("{text} [head cut]")));
            }
        };
        let head: Vec<u8> = self.read.drain(..end).collect();
        let head = String::from_utf8_lossy(&head).into_owned();
        let mut lines = head.trim_end().split("\r\n");
        let line = lines.next().unwrap_or_default();
        let status = line.strip_prefix("HTTP/1.1 ").unwrap_or(line).to_owned();
        let headers: Vec<_> = lines
            .map(|line| {
                let (name, value) = line.split_once(':').unwrap_or((line, "?"));
                (name.to_ascii_lowercase(), value.trim().to_owned())
            })
            .collect();
        let value = |name| {
            let found = headers.iter().find(|(other, _)| other == name);
            found.map(|(_, value)| value.as_str())
        };
        let interim = status.starts_with('1');
        let bodiless = interim || status.starts_with("204") || status.starts_with("304");
        let chunked = value("transfer-encoding") == Some("chunked");
        let length = value("content-length").and_then(|text| text.parse().ok());
        let mut told = tell(&headers);
        let (framing, body) = match (chunked, length) {
            _ if bodiless => (String::new(), Vec::new()),
            (_, Some(length)) if to_head => (format!("length={length}"), Vec::new()),
            _ if to_head => ("no length".to_owned(), Vec::new()),
            (true, _) => self.chunks().await,
            (false, Some(length)) => match self.exactly(length).await {
                Ok(body) => ("length".to_owned(), body),
                Err(part) => (format!("length={length} cut"), part),
            },
            (false, None) => {
                while self.more().await {}
                ("until close".to_owned(), std::mem::take(&mut self.read))
            }
        };
        told.extend((!framing.is_empty()).then_some(framing));
        let text = format!(
            "{status} [{}] {}",
            shortened(&told),
            tell_body(&status, &body)
        );
        Some((interim, text.trim_end().to_owned()))
    }

    async fn chunks(&mut self) -> (String, Vec<u8>) {
        let mut body = Vec::new();
        let whole = loop {
            let Some(line) = self.line().await else {
                break false;
            };
            let Ok(length) = usize::from_str_radix(&line, 16) else {
                break false;
            };
            match self.exactly(length).await {
                Ok(chunk) => body.extend(chunk),
                Err(part) => {
                    body.extend(part);
                    break false;
                }
            }
            if self.line().await.is_none() {
                break false;
            }
            if length == 0 {
                break true;
            }
        };
        let framing = if whole { "chunks" } else { "chunks cut" };
        (framing.to_owned(), body)
    }

    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = memchr::memmem::find(&self.read, b"\r\n") {
                let line: Vec<u8> = self.read.drain(..end + 2).collect();
                return Some(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// So many bytes; or those that came.
    async fn exactly(&mut self, length: usize) -> Result<Vec<u8>, Vec<u8>> {
        while self.read.len() < length {
            if !self.more().await {
                return Err(std::mem::take(&mut self.read));
            }
        }
        Ok(self.read.drain(..length).collect())
    }

    /// Reads on; false at the end, which a reset is as well.
    async fn more(&mut self) -> bool {
        if !self.ended {
            let read = within("more", self.stream.read_buf(&mut self.read)).await;
            self.ended = !matches!(read, Ok(1..));
        }
        !self.ended
    }
}

/// The two sets of headers that nearly every answer has, by one word each.
fn shortened(told: &[String]) -> String {
    let told: Vec<_> = told.iter().map(String::as_str).collect();
    match told[..] {
        ["telegram", "json", "length"] => "telegram".to_owned(),
        [label, "json", "length"] if label.starts_with("gramtap-error=") => {
            label.replace("gramtap-error=", "gramtap ")
        }
        _ => told.join(" "),
    }
}

/// A body; `error: …` for a failed call's that says its status, and no more than a description.
fn tell_body(status: &str, body: &[u8]) -> String {
    let Ok(text) = str::from_utf8(body) else {
        return format!("bytes {body:02x?}");
    };
    let begins = format!(
        r#"{{"ok":false,"error_code":{},"description":""#,
        status.get(..3).unwrap_or_default()
    );
    let error = text.strip_prefix(&begins);
    let error = error.and_then(|rest| rest.strip_suffix("\"}"));
    match error.filter(|text| !text.contains('"')) {
        Some(description) => format!("error: {description}"),
        None => text.to_owned(),
    }
}

/// Headers in short, sorted: `telegram` for all that every answer of Telegram's has, `json` for its
/// Content-Type.
fn tell(headers: &[(String, String)]) -> Vec<String> {
    let fits = |(name, value): &(&str, &str)| {
        let same = |(n, v): &&(String, String)| n == name && v == value;
        headers.iter().filter(same).count() == 1
    };
    let telegram = TELEGRAM.iter().all(fits);
    let mut told = Vec::new();
    for (name, value) in headers {
        let usual = telegram && TELEGRAM.contains(&(name.as_str(), value.as_str()));
        let own_date = !telegram && name == "date";
        if usual || own_date || HOP.contains(&name.as_str()) {
            continue;
        }
        told.push(match (name.as_str(), value.as_str()) {
            ("content-type", "application/json") => "json".to_owned(),
            (name, value) => format!("{name}={value}"),
        });
    }
    told.sort();
    if telegram {
        told.insert(0, "telegram".to_owned());
    }
    told
}
