//! The head of a request.
//!
//! In: bytes as they arrive (`connection/read.rs`). Out: [`Head`], slices of the bytes received,
//! names in the case they were sent in. Invariant: what is ambiguous is refused, never guessed:
//! two framings, a folded line, a bare LF. At most 256 KiB; the connection is closed beyond.

use bytes::{Bytes, BytesMut};

use super::Refusal;

/// The longest head Telegram's server reads.
pub(crate) const LONGEST: usize = 256 << 10;

/// How the body is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Neither Content-Length nor Transfer-Encoding: there is no body.
    None,
    Length(u64),
    Chunked,
}

/// A request's head.
#[derive(Clone)]
pub(crate) struct Head {
    /// All of it, with the empty line.
    pub(crate) raw: Bytes,
    pub(crate) verb: Bytes,
    pub(crate) target: Bytes,
    pub(crate) headers: Vec<(Bytes, Bytes)>,
    pub(crate) framing: Framing,
    /// Whether the client wants the connection kept.
    pub(crate) keep_alive: bool,
    /// The client waits for `100 Continue` before it sends the body.
    pub(crate) expects_continue: bool,
}

impl Head {
    /// The first value of a header; the name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&[u8]> {
        let fits = |(key, _): &&(Bytes, Bytes)| key.eq_ignore_ascii_case(name.as_bytes());
        self.headers
            .iter()
            .find(fits)
            .map(|(_, value)| value.as_ref())
    }

    /// Takes a whole head off the front of what has arrived; `None` if more is needed.
    pub(crate) fn cut(arrived: &mut BytesMut) -> Result<Option<Bytes>, Refusal> {
        match memchr::memmem::find(arrived, b"\r\n\r\n") {
            Some(at) if at > LONGEST => Err(Refusal::new(431, "head too large")),
            Some(at) => Ok(Some(arrived.split_to(at + 4).freeze())),
            None if arrived.len() > LONGEST => Err(Refusal::new(431, "head too large")),
            // Lines that end without CR would never end the head: say so now instead of waiting.
            None if bare_line_end(arrived) => Err(Refusal::new(400, "bare LF")),
            None => Ok(None),
        }
    }

    /// Reads a head that [`Head::cut`] gave.
    pub(crate) fn read(raw: Bytes) -> Result<Self, Refusal> {
        let line_end = memchr::memmem::find(&raw, b"\r\n").unwrap_or(raw.len());
        let (verb, target, version) = request_line(&raw.slice(..line_end))?;
        let headers = headers(&raw, line_end + 2)?;
        let framing = framing(&headers)?;
        let connection = find(&headers, "connection");
        let keep_alive = match connection {
            Some(value) if value.eq_ignore_ascii_case(b"close") => false,
            Some(value) if value.eq_ignore_ascii_case(b"keep-alive") => true,
            _ => version == 1,
        };
        let expects_continue = version == 1
            && framing != Framing::None
            && find(&headers, "expect")
                .is_some_and(|value| value.eq_ignore_ascii_case(b"100-continue"));
        Ok(Self {
            raw,
            verb,
            target,
            headers,
            framing,
            keep_alive,
            expects_continue,
        })
    }
}

/// Whether a line in `arrived` ends with LF alone.
fn bare_line_end(arrived: &[u8]) -> bool {
    memchr::memchr_iter(b'\n', arrived).any(|at| at == 0 || arrived[at - 1] != b'\r')
}

/// `{verb} {target} HTTP/1.{version}`; the target is all between the first and the last space.
fn request_line(line: &Bytes) -> Result<(Bytes, Bytes, u8), Refusal> {
    let wrong = Refusal::new(400, "wrong request line");
    let first = memchr::memchr(b' ', line).ok_or(wrong)?;
    let last = memchr::memrchr(b' ', line).ok_or(wrong)?;
    let verb = line.slice(..first);
    if verb.is_empty() || !verb.iter().all(u8::is_ascii_alphabetic) {
        return Err(wrong);
    }
    if first == last {
        return Err(wrong);
    }
    let target = line.slice(first + 1..last);
    if target.iter().any(|byte| *byte < b' ' || *byte == 0x7f) {
        return Err(Refusal::new(400, "control character in the request line"));
    }
    match &line[last + 1..] {
        b"HTTP/1.1" => Ok((verb, target, 1)),
        b"HTTP/1.0" => Ok((verb, target, 0)),
        _ => Err(Refusal::new(505, "unsupported HTTP version")),
    }
}

fn headers(raw: &Bytes, from: usize) -> Result<Vec<(Bytes, Bytes)>, Refusal> {
    let lines = &raw[from.min(raw.len())..];
    if bare_line_end(lines) {
        return Err(Refusal::new(400, "bare LF"));
    }
    let mut space = 64;
    loop {
        let mut parsed = vec![httparse::EMPTY_HEADER; space];
        match httparse::parse_headers(lines, &mut parsed) {
            Ok(httparse::Status::Complete((_, found))) => {
                return Ok(found
                    .iter()
                    .map(|header| {
                        (
                            raw.slice_ref(header.name.as_bytes()),
                            raw.slice_ref(header.value),
                        )
                    })
                    .collect());
            }
            // Only the size of the head is limited, not the number of headers.
            Err(httparse::Error::TooManyHeaders) if space < LONGEST => space *= 8,
            _ => return Err(Refusal::new(400, "wrong header")),
        }
    }
}

fn find<'a>(headers: &'a [(Bytes, Bytes)], name: &str) -> Option<&'a Bytes> {
    let fits = |(key, _): &&(Bytes, Bytes)| key.eq_ignore_ascii_case(name.as_bytes());
    headers.iter().find(fits).map(|(_, value)| value)
}

fn framing(headers: &[(Bytes, Bytes)]) -> Result<Framing, Refusal> {
    let mut length = None;
    let mut chunked = false;
    for (name, value) in headers {
        if name.eq_ignore_ascii_case(b"content-length") {
            let fits =
                !value.is_empty() && value.len() <= 19 && value.iter().all(u8::is_ascii_digit);
            let read = std::str::from_utf8(value)
                .ok()
                .filter(|_| fits)
                .and_then(|text| text.parse::<u64>().ok());
            let read = read.ok_or(Refusal::new(400, "wrong Content-Length"))?;
            if length.replace(read).is_some() {
                return Err(Refusal::new(400, "two Content-Lengths"));
            }
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if chunked || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Refusal::new(501, "unsupported Transfer-Encoding"));
            }
            chunked = true;
        }
    }
    match (length, chunked) {
        (Some(_), true) => Err(Refusal::new(400, "Content-Length with Transfer-Encoding")),
        (None, true) => Ok(Framing::Chunked),
        (Some(length), false) if length > u64::from(u32::MAX) => {
            Err(Refusal::new(413, "content too large"))
        }
        (Some(0), false) | (None, false) => Ok(Framing::None),
        (Some(length), false) => Ok(Framing::Length(length)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Head, u16> {
        let mut arrived = BytesMut::from(text.as_bytes());
        let raw = Head::cut(&mut arrived)
            .map_err(|refusal| refusal.status)?
            .ok_or(0_u16)?;
        Head::read(raw).map_err(|refusal| refusal.status)
    }

    #[test]
    fn keeps_case_order_and_raw_target() {
        let head =
            read("POST /bot1%3Aa/getMe?a=b c HTTP/1.1\r\nhOST: x\r\nX-A:1\r\nx-a: 2 \r\n\r\n")
                .unwrap();
        assert_eq!(head.target, "/bot1%3Aa/getMe?a=b c");
        let names: Vec<&[u8]> = head.headers.iter().map(|(name, _)| name.as_ref()).collect();
        assert_eq!(names, [&b"hOST"[..], b"X-A", b"x-a"]);
        assert_eq!(head.header("x-a"), Some(&b"1"[..]));
        assert_eq!(head.headers[2].1, "2");
        assert_eq!((head.framing, head.keep_alive), (Framing::None, true));
    }

    #[test]
    fn refuses_what_is_ambiguous() {
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(700));
        let huge = format!("GET /{} HTTP/1.1\r\n", "a".repeat(LONGEST));
        let table = [
            ("GET / HTTP/2.0\r\n\r\n", Err(505)),
            ("GET /\r\n\r\n", Err(400)),
            ("G@T / HTTP/1.1\r\n\r\n", Err(400)),
            ("GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", Err(400)),
            ("GET / HTTP/1.1\r\nA : b\r\n\r\n", Err(400)),
            ("GET / HTTP/1.1\nA: b\r\n\r\n", Err(400)),
            ("GET / HTTP/1.1\nHost: b\n\n", Err(400)),
            ("GET /\0 HTTP/1.1\r\n\r\n", Err(400)),
            (
                "POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
                Err(400),
            ),
            ("POST / HTTP/1.1\r\nContent-Length: +3\r\n\r\n", Err(400)),
            (
                "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
                Err(400),
            ),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
                Err(501),
            ),
            (
                "POST / HTTP/1.1\r\nContent-Length: 4294967296\r\n\r\n",
                Err(413),
            ),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n",
                Ok(Framing::Chunked),
            ),
            (
                "POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\n",
                Ok(Framing::Length(3)),
            ),
            ("GET / HTTP/1.1\r\nHo", Err(0)),
            (many.as_str(), Ok(Framing::None)),
            (huge.as_str(), Err(431)),
        ];
        for (text, result) in table {
            let shown = &text[..text.len().min(80)];
            assert_eq!(read(text).map(|head| head.framing), result, "{shown:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        /// Whatever comes is a head, no head, or not yet one; what is a head is kept whole.
        #[test]
        fn any_bytes_are_read_or_refused(
            line in "[A-Z]{0,5} ?/?[ -~]{0,12} HTTP/1[.][01]",
            rest in proptest::collection::vec("[ -~\r\n:\t]{0,20}", 0..6),
            noise in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let mut bytes = [line, rest.join("\r\n")].join("\r\n").into_bytes();
            bytes.extend_from_slice(b"\r\n\r\n");
            bytes.extend_from_slice(&noise);
            let mut arrived = BytesMut::from(&bytes[..]);
            if let Ok(Some(raw)) = Head::cut(&mut arrived) {
                prop_assert_eq!([&raw[..], &arrived].concat(), bytes);
                if let Ok(head) = Head::read(raw.clone()) {
                    prop_assert_eq!(&head.raw, &raw);
                    prop_assert!(head.headers.iter().all(|(name, _)| !name.is_empty()));
                }
            }
        }
    }

    #[test]
    fn knows_when_the_connection_stays() {
        for (head, stays) in [
            ("GET / HTTP/1.1\r\n\r\n", true),
            ("GET / HTTP/1.1\r\nConnection: Close\r\n\r\n", false),
            ("GET / HTTP/1.0\r\n\r\n", false),
            ("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true),
        ] {
            assert_eq!(read(head).unwrap().keep_alive, stays, "{head:?}");
        }
    }
}
