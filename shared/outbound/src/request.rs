//! A request, and its head as bytes.
//!
//! In: the caller's method, raw target, headers and body. Out: one buffer for `outbox`.
//! Invariant: what the caller gave is written verbatim, in its order and case, and nothing is
//! added but `Host` and the one framing header; a byte that would end a line or a token early
//! is refused, so no caller can smuggle a second request.

use bytes::Bytes;
use futures_util::stream::{LocalBoxStream, Stream, StreamExt};

use crate::{fault::Unsendable, upstream::Upstream};

/// A whole body up to this size travels in one buffer with the head.
const JOINED: usize = 8 * 1024;

/// The head of a request, borrowed from the caller until `Pool::send` returns.
///
/// `Host` and the framing are not the caller's: an entry named `Host`, `Content-Length` or
/// `Transfer-Encoding` only marks the place (and the case of the name) where ours is written;
/// its value is not used. Without such an entry, `Host` comes first and the framing last.
#[derive(Debug, Clone, Copy)]
pub struct RequestHead<'a, H> {
    /// Any method but CONNECT.
    pub method: &'a [u8],
    /// Path and query, raw; the upstream's path prefix is put before it.
    pub target: &'a [u8],
    /// Names and values, hop-by-hop headers already left out.
    pub headers: H,
}

/// An error of a caller's body.
pub type UploadError = Box<dyn std::error::Error + Send + Sync>;

/// The body of a request.
pub enum Outgoing {
    /// No body, and no framing header.
    None,
    /// A body that is there, with its `Content-Length`, also when it is empty.
    Whole(Bytes),
    /// A body that comes: with `Content-Length` if its length is known, else chunked.
    Stream {
        /// Bytes that will come, exactly.
        length: Option<u64>,
        /// The body. Polled only when all it gave before is written. If it fails, or does not
        /// keep to its length, the connection is closed: what the upstream has got is never
        /// a whole request.
        stream: LocalBoxStream<'static, Result<Bytes, UploadError>>,
    },
}

impl Outgoing {
    /// A body that comes.
    pub fn stream<S, E>(length: Option<u64>, stream: S) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + 'static,
        E: Into<UploadError>,
    {
        Self::Stream {
            length,
            stream: stream.map(|part| part.map_err(Into::into)).boxed_local(),
        }
    }

    /// The value of the framing header, and its usual name.
    fn framing(&self) -> Option<(&'static str, Framed)> {
        match self {
            Self::None => None,
            Self::Whole(body) => Some(("Content-Length", Framed::Length(body.len() as u64))),
            Self::Stream {
                length: Some(length),
                ..
            } => Some(("Content-Length", Framed::Length(*length))),
            Self::Stream { length: None, .. } => Some(("Transfer-Encoding", Framed::Chunked)),
        }
    }
}

impl std::fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Whole(body) => f.debug_tuple("Whole").field(&body.len()).finish(),
            Self::Stream { length, .. } => f.debug_tuple("Stream").field(length).finish(),
        }
    }
}

#[derive(Clone, Copy)]
enum Framed {
    Length(u64),
    Chunked,
}

/// Writes the head, and the body behind it if that is small and whole (then `body` becomes
/// `Outgoing::None`).
pub(crate) fn serialize<'h, H>(
    upstream: &Upstream,
    head: RequestHead<'_, H>,
    body: &mut Outgoing,
) -> Result<Vec<u8>, Unsendable>
where
    H: IntoIterator<Item = (&'h [u8], &'h [u8])>,
{
    let RequestHead {
        method,
        target,
        headers,
    } = head;
    if method.is_empty() || !method.iter().copied().all(is_token) || method == b"CONNECT" {
        return Err(Unsendable::Method);
    }
    // A target may hold bytes above 0x7f: clients do send raw UTF-8.
    if target.first() != Some(&b'/') || target.iter().any(|byte| *byte <= b' ' || *byte == 0x7f) {
        return Err(Unsendable::Target);
    }
    let framing = body.framing();
    let joined = match body {
        Outgoing::Whole(whole) if whole.len() <= JOINED => std::mem::take(whole),
        _ => Bytes::new(),
    };
    if !joined.is_empty() || matches!(framing, Some((_, Framed::Length(0)))) {
        *body = Outgoing::None;
    }
    let mut out = Vec::with_capacity(target.len() + 512 + joined.len());
    for part in [method, b" ", upstream.prefix(), target, b" HTTP/1.1\r\n"] {
        out.extend_from_slice(part);
    }
    let first_header = out.len();
    let (mut host, mut framing) = (Some(upstream.authority()), framing);
    for (name, value) in headers {
        if name.is_empty() || !name.iter().copied().all(is_token) {
            return Err(Unsendable::HeaderName);
        }
        if name.eq_ignore_ascii_case(b"host") {
            if let Some(authority) = host.take() {
                line(&mut out, name, authority.as_bytes());
            }
        } else if name.eq_ignore_ascii_case(b"content-length")
            || name.eq_ignore_ascii_case(b"transfer-encoding")
        {
            if let Some((_, value)) =
                framing.take_if(|(usual, _)| name.eq_ignore_ascii_case(usual.as_bytes()))
            {
                framing_line(&mut out, name, value);
            }
        } else if value
            .iter()
            .all(|byte| matches!(byte, b'\t' | b' '..=0x7e | 0x80..))
        {
            line(&mut out, name, value);
        } else {
            return Err(Unsendable::HeaderValue);
        }
    }
    if let Some(authority) = host {
        let mut first = Vec::with_capacity(authority.len() + 8);
        line(&mut first, b"Host", authority.as_bytes());
        out.splice(first_header..first_header, first);
    }
    if let Some((name, value)) = framing {
        framing_line(&mut out, name.as_bytes(), value);
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(&joined);
    Ok(out)
}

fn line(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    for part in [name, b": ", value, b"\r\n"] {
        out.extend_from_slice(part);
    }
}

fn framing_line(out: &mut Vec<u8>, name: &[u8], value: Framed) {
    match value {
        Framed::Length(length) => {
            line(out, name, itoa::Buffer::new().format(length).as_bytes());
        }
        Framed::Chunked => line(out, name, b"chunked"),
    }
}

/// `tchar` of RFC 9110, 5.6.2. A table: each byte of each header's name is looked up.
fn is_token(byte: u8) -> bool {
    static TOKEN: [bool; 256] = {
        let mut table = [false; 256];
        let mut byte = 0u8;
        while byte < 0x80 {
            table[byte as usize] = byte.is_ascii_alphanumeric();
            byte += 1;
        }
        let (others, mut at) = (b"!#$%&'*+-.^_`|~", 0);
        while at < others.len() {
            table[others[at] as usize] = true;
            at += 1;
        }
        table
    };
    TOKEN[usize::from(byte)]
}

#[cfg(test)]
mod tests;
