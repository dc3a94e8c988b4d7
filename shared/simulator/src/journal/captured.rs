//! One request as it arrived, and what became of it.
//!
//! In: `journal.rs` fills it in step by step. Out: tests, `control/view.rs`. Invariant: head and
//! body are the bytes received; the rest is a reading of them. `Debug` shows neither.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use super::Origin;
use crate::http::multipart::Upload;
use crate::route::Environment;

/// A request as it arrived, and what became of it.
#[derive(Clone)]
pub struct Captured {
    /// Counts up from 1 over all connections, in order of arrival of the heads.
    pub id: u64,
    /// The connection it came on; counts up from 1.
    pub connection: u64,
    /// Whether that was TLS.
    pub tls: bool,
    /// The client's address.
    pub peer: SocketAddr,
    /// The head, with the empty line; or what arrived in place of one.
    pub head: Bytes,
    /// The body with its framing, at most as much as is kept.
    pub body: Bytes,
    /// All of the body that arrived, in bytes on the wire.
    pub body_size: u64,
    /// The body arrived whole.
    pub complete: bool,
    /// The request's verb; empty if what arrived was no head.
    pub verb: String,
    /// The target as sent.
    pub target: String,
    /// Names in the case they were sent in, in order.
    pub headers: Vec<(String, String)>,
    /// From the path, if it names a bot.
    pub bot: Option<i64>,
    /// From the path, lower-cased; `file` for a download.
    pub method: Option<String>,
    /// Which of Telegram's two worlds.
    pub environment: Environment,
    /// Query and body, in the order they count.
    pub arguments: Vec<(String, String)>,
    /// The files in it.
    pub files: Vec<CapturedFile>,
    /// When the head was complete, in the clock's time.
    pub arrived: Duration,
    /// The status answered; none while it waits, and none if the connection was cut instead.
    pub status: Option<u16>,
    /// When the answer (or what a fault left of it) was written.
    pub answered: Option<Duration>,
    /// When the client was seen to have left before the answer was written.
    pub left: Option<Duration>,
    /// The fault that was played.
    pub fault: Option<u64>,
}

/// A file in a request.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct CapturedFile {
    /// The part's name.
    pub field: String,
    /// As sent.
    pub file_name: String,
    /// As sent; application/octet-stream if not.
    pub content_type: String,
    /// In bytes.
    pub size: u64,
    /// CRC-32 of all of it, as gzip has it.
    pub crc32: u32,
}

impl CapturedFile {
    pub(crate) fn of(file: &Upload) -> Self {
        Self {
            field: file.field.clone(),
            file_name: file.file_name.clone(),
            content_type: file.content_type.clone(),
            size: file.size,
            crc32: file.crc32,
        }
    }
}

impl Captured {
    /// Nothing but where it came from.
    pub(super) fn of(origin: Origin) -> Self {
        Self {
            id: 0,
            connection: origin.connection,
            tls: origin.tls,
            peer: origin.peer,
            head: Bytes::new(),
            body: Bytes::new(),
            body_size: 0,
            complete: false,
            verb: String::new(),
            target: String::new(),
            headers: Vec::new(),
            bot: None,
            method: None,
            environment: Environment::Production,
            arguments: Vec::new(),
            files: Vec::new(),
            arrived: Duration::ZERO,
            status: None,
            answered: None,
            left: None,
            fault: None,
        }
    }
}

impl fmt::Debug for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Captured")
            .field("id", &self.id)
            .field("connection", &self.connection)
            .field("verb", &self.verb)
            .field("bot", &self.bot)
            .field("method", &self.method)
            .field("body_size", &self.body_size)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}
