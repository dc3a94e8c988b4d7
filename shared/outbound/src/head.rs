//! The head of an answer: found, checked, and kept as it came.
//!
//! In: the bytes that `decoder` was given. Out: [`AnswerHead`] (one run of raw bytes and the
//! places of its parts) with the [`Framing`] of the body that follows.
//! Invariant: one reading only. What two recipients could read differently is refused: a line
//! that does not end with CR LF, a folded header, a space before a colon, two framings, a
//! length that is no plain number. See `tests/outbound.rs` of hyper's view on the same bytes.
//! Bounds: 64 KiB and 200 headers; beyond them the answer is refused.

use std::mem::MaybeUninit;

use bytes::Bytes;

/// Bytes of one head at most, the empty line included.
pub const MAX_HEAD: usize = 64 * 1024;
/// Headers of one head at most.
pub const MAX_HEADERS: usize = 200;

/// The head of an answer.
#[derive(Clone)]
pub struct AnswerHead {
    /// From the status line to the empty line.
    raw: Bytes,
    headers: Box<[Span]>,
    status: u16,
    version: Version,
    framing: Framing,
    /// Whether the upstream will keep the connection.
    pub(crate) keep: bool,
}

/// The version an answer says it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
}

/// How the end of the body is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// There is no body: the request was HEAD, or the status says so.
    None,
    /// `Content-Length`, in bytes.
    Length(u64),
    /// `Transfer-Encoding: chunked`.
    Chunked,
    /// The body ends when the upstream closes.
    UntilClose,
}

/// What is wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// The first line is no status line of HTTP/1.0 or 1.1.
    #[error("not a status line of http/1")]
    StatusLine,
    /// A line ends with LF alone.
    #[error("a line without cr")]
    BareLf,
    /// A header that does not follow the grammar, a folded one included.
    #[error("not a header")]
    Header,
    /// More bytes or headers than are read.
    #[error("the head is too large")]
    HeadTooLarge,
    /// `Content-Length` is no number, or there are two different ones.
    #[error("content-length is not one number")]
    Length,
    /// `Transfer-Encoding` is anything but `chunked`, once, in HTTP/1.1.
    #[error("transfer-encoding is not chunked")]
    TransferEncoding,
    /// Both `Content-Length` and `Transfer-Encoding`.
    #[error("both content-length and transfer-encoding")]
    TwoFramings,
    /// The upstream switched protocols, which nobody asked for.
    #[error("an upgrade nobody asked for")]
    Switched,
    /// More interim answers (1xx) than are skipped.
    #[error("too many interim answers")]
    Interim,
    /// A chunk's size line that does not follow the grammar, or is too large.
    #[error("not a chunk size")]
    ChunkSize,
    /// A chunk is not followed by CR LF.
    #[error("a chunk without end")]
    ChunkEnd,
    /// Chunk extensions beyond the bound, or with control characters.
    #[error("chunk extensions are not acceptable")]
    ChunkExtension,
    /// Trailers that do not follow the grammar, or beyond the bound.
    #[error("trailers are not acceptable")]
    Trailer,
}

/// Where one header is in the raw head; 64 KiB fit 16 bits.
#[derive(Clone, Copy)]
struct Span {
    name: (u16, u16),
    value: (u16, u16),
}

impl AnswerHead {
    /// The status code, 100 to 999; interim ones (1xx) are never seen here.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The reason phrase as sent, empty if there is none.
    #[must_use]
    pub fn reason(&self) -> &[u8] {
        let line = &self.raw[..memchr::memchr(b'\r', &self.raw).unwrap_or(self.raw.len())];
        line.get("HTTP/1.1 200 ".len()..).unwrap_or_default()
    }

    /// The version that the answer says it has.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// How the end of the body is known.
    #[must_use]
    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// Names and values in the order and the case they were sent in; values without the
    /// white space around them.
    pub fn headers(&self) -> impl ExactSizeIterator<Item = (&[u8], &[u8])> + Clone {
        self.headers
            .iter()
            .map(|span| (self.part(span.name), self.part(span.value)))
    }

    /// The same, with values that share the head's bytes.
    pub fn shared_headers(&self) -> impl ExactSizeIterator<Item = (&[u8], Bytes)> {
        self.headers.iter().map(|span| {
            let (from, to) = span.value;
            let value = self.raw.slice(usize::from(from)..usize::from(to));
            (self.part(span.name), value)
        })
    }

    /// The first value of a header, whatever the case of its name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers()
            .find(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, v)| v)
    }

    fn part(&self, (start, end): (u16, u16)) -> &[u8] {
        &self.raw[usize::from(start)..usize::from(end)]
    }

    /// Reads a head that `LineScan` found to be whole. `None` is an interim answer.
    pub(crate) fn parse(raw: &[u8], to_head: bool) -> Result<Option<Self>, Malformed> {
        let mut slots = [const { MaybeUninit::uninit() }; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut []);
        let read = httparse::ParserConfig::default()
            .parse_response_with_uninit_headers(&mut response, raw, &mut slots)
            .map_err(refusal)?;
        if read != httparse::Status::Complete(raw.len()) {
            return Err(Malformed::Header);
        }
        let status = response
            .code
            .filter(|code| *code >= 100)
            .ok_or(Malformed::StatusLine)?;
        let version = match response.version {
            Some(1) => Version::Http11,
            _ => Version::Http10,
        };
        match status {
            101 => return Err(Malformed::Switched),
            100..=199 => return Ok(None),
            _ => {}
        }
        let wire = WireHeaders::read(response.headers, version)?;
        let framing = match wire.framing {
            _ if to_head || status == 204 || status == 304 => Framing::None,
            framing => framing,
        };
        let base = raw.as_ptr().addr();
        let place = |part: &[u8]| {
            if part.is_empty() {
                return (0, 0); // httparse's empty value lies elsewhere
            }
            let start = part.as_ptr().addr() - base;
            (start as u16, (start + part.len()) as u16)
        };
        let headers = response
            .headers
            .iter()
            .map(|header| Span {
                name: place(header.name.as_bytes()),
                value: place(header.value),
            })
            .collect();
        // A 204 or 304 that announces a body may be followed by one all the same.
        let keep = wire.keep && (framing != Framing::None || to_head || wire.is_bodiless());
        let raw = Bytes::copy_from_slice(raw);
        Ok(Some(Self {
            raw,
            headers,
            status,
            version,
            framing,
            keep,
        }))
    }
}

impl std::fmt::Debug for AnswerHead {
    /// Header values stay out: a redirect's `Location` may hold a token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnswerHead")
            .field("status", &self.status)
            .field("version", &self.version)
            .field("framing", &self.framing)
            .field("headers", &self.headers.len())
            .finish()
    }
}

/// What the headers say about the connection and the body.
struct WireHeaders {
    framing: Framing,
    keep: bool,
}

impl WireHeaders {
    fn read(headers: &[httparse::Header<'_>], version: Version) -> Result<Self, Malformed> {
        let mut length = None;
        let mut chunked = false;
        let (mut close, mut keep_alive) = (false, false);
        for header in headers {
            let (name, value) = (header.name, header.value);
            if name.eq_ignore_ascii_case("content-length") {
                let number = decimal(value).ok_or(Malformed::Length)?;
                if length.is_some_and(|first| first != number) {
                    return Err(Malformed::Length);
                }
                length = Some(number);
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                if chunked || version == Version::Http10 || !value.eq_ignore_ascii_case(b"chunked")
                {
                    return Err(Malformed::TransferEncoding);
                }
                chunked = true;
            } else if name.eq_ignore_ascii_case("connection") {
                for token in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
                    close |= token.eq_ignore_ascii_case(b"close");
                    keep_alive |= token.eq_ignore_ascii_case(b"keep-alive");
                }
            }
        }
        let framing = match (chunked, length) {
            (true, Some(_)) => return Err(Malformed::TwoFramings),
            (true, None) => Framing::Chunked,
            (false, Some(length)) => Framing::Length(length),
            (false, None) => Framing::UntilClose,
        };
        Ok(Self {
            framing,
            keep: !close && (version == Version::Http11 || keep_alive),
        })
    }

    fn is_bodiless(&self) -> bool {
        matches!(self.framing, Framing::UntilClose | Framing::Length(0))
    }
}

/// Digits only: no sign, no space, no list.
fn decimal(value: &[u8]) -> Option<u64> {
    if value.is_empty() {
        return None;
    }
    value.iter().try_fold(0u64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

fn refusal(error: httparse::Error) -> Malformed {
    match error {
        httparse::Error::Version | httparse::Error::Status => Malformed::StatusLine,
        httparse::Error::TooManyHeaders => Malformed::HeadTooLarge,
        _ => Malformed::Header,
    }
}

/// Finds the empty line that ends a block of lines, however the block is split, looking at
/// each byte once.
#[derive(Debug)]
pub(crate) struct LineScan {
    /// Bytes looked at.
    seen: usize,
    /// Where the current line begins.
    line: usize,
    /// Lines ended.
    lines: usize,
}

impl LineScan {
    /// Before the first byte.
    pub(crate) const START: Self = Self {
        seen: 0,
        line: 0,
        lines: 0,
    };

    /// Looks at the bytes of `block` that it has not seen; `block` starts with all that it
    /// has. The end of the block, the empty line included, once it is there.
    pub(crate) fn advance(&mut self, block: &[u8]) -> Result<Option<usize>, Malformed> {
        for at in memchr::memchr_iter(b'\n', &block[self.seen..]).map(|at| at + self.seen) {
            if at == self.line || block[at - 1] != b'\r' {
                return Err(Malformed::BareLf);
            }
            if at == self.line + 1 {
                return Ok(Some(at + 1));
            }
            self.line = at + 1;
            self.lines += 1;
            // The status line is not a header.
            if self.lines > MAX_HEADERS + 1 {
                return Err(Malformed::HeadTooLarge);
            }
        }
        self.seen = block.len();
        Ok(None)
    }
}

/// Whether bytes that are still too few for a status line can become one.
pub(crate) fn may_be_status_line(start: &[u8]) -> bool {
    const START: &[u8] = b"HTTP/1.";
    let known = start.len().min(START.len());
    start[..known] == START[..known]
}

#[cfg(test)]
mod tests;
