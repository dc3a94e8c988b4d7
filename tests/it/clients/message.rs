//! HTTP/1.1 messages cut out of raw bytes, nothing normalised.
//!
//! In: what `tee.rs` and the simulator kept. Out: [`Message`]s for `compare.rs`. Invariant: start
//! line, header lines and body are the bytes that were on the wire; only the framing is taken off
//! the body, and told beside it. Bytes that are no HTTP are an error, a message cut short is not.

use anyhow::{Context as _, Result, bail};

/// A request or an answer.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// The first line, without its end.
    pub(crate) start: Vec<u8>,
    /// Names and what follows the colon, spaces included.
    pub(crate) headers: Vec<(Vec<u8>, Vec<u8>)>,
    /// How the body is delimited.
    pub(crate) framing: Framing,
    /// The body without its framing.
    pub(crate) body: Vec<u8>,
    /// The sizes of its chunks, the last one's zero left out.
    pub(crate) chunks: Vec<usize>,
    /// Whether all of it arrived.
    pub(crate) complete: bool,
}

/// How a body is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// There is none.
    None,
    /// `Content-Length`.
    Length,
    /// `Transfer-Encoding: chunked`.
    Chunked,
    /// By the end of the connection.
    Close,
}

impl Message {
    /// Reads one request from its head and its body as the simulator kept them.
    pub(crate) fn request(head: &[u8], body: &[u8]) -> Result<Self> {
        let whole = [head, body].concat();
        Stream::new(&whole).request()?.context("an empty request")
    }

    /// All values of a header, without the spaces around them.
    pub(crate) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let own = move |(key, _): &&(Vec<u8>, Vec<u8>)| key.eq_ignore_ascii_case(name.as_bytes());
        self.headers
            .iter()
            .filter(own)
            .map(|(_, value)| value.trim_ascii())
    }

    /// An answer's status.
    pub(crate) fn status(&self) -> Option<u16> {
        std::str::from_utf8(self.start.get(9..12)?)
            .ok()?
            .parse()
            .ok()
    }

    /// Whether this is a 1xx answer.
    pub(crate) fn is_interim(&self) -> bool {
        self.start.starts_with(b"HTTP/1.1 1")
    }
}

/// Messages one after another.
pub(crate) struct Stream<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Stream<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bytes were taken.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The next request.
    pub(crate) fn request(&mut self) -> Result<Option<Message>> {
        self.next(|message| {
            let length = message.values("content-length").next().is_some();
            let chunked = message.values("transfer-encoding").next().is_some();
            match (chunked, length) {
                (true, _) => Framing::Chunked,
                (false, true) => Framing::Length,
                (false, false) => Framing::None,
            }
        })
    }

    /// The next answer to `request`, interim or not.
    pub(crate) fn answer(&mut self, request: &Message) -> Result<Option<Message>> {
        self.next(|message| {
            let bodiless = request.start.starts_with(b"HEAD ")
                || matches!(message.status(), Some(100..=199 | 204 | 304));
            match bodiless {
                true => Framing::None,
                false if message.values("transfer-encoding").next().is_some() => Framing::Chunked,
                false if message.values("content-length").next().is_some() => Framing::Length,
                false => Framing::Close,
            }
        })
    }

    fn next(&mut self, framing: impl FnOnce(&Message) -> Framing) -> Result<Option<Message>> {
        let rest = &self.bytes[self.at..];
        if rest.is_empty() {
            return Ok(None);
        }
        let Some(end) = memchr::memmem::find(rest, b"\r\n\r\n") else {
            bail!("{} bytes that are no whole head", rest.len());
        };
        let mut message = head(&rest[..end])?;
        self.at += end + 4;
        message.framing = framing(&message);
        match message.framing {
            Framing::None => message.complete = true,
            Framing::Length => {
                let told = message
                    .values("content-length")
                    .next()
                    .context("no length")?;
                let length: usize = std::str::from_utf8(told)?.parse()?;
                let body = self.take(length);
                message.complete = body.len() == length;
                message.body = body.to_vec();
            }
            Framing::Close => {
                message.body = self.take(usize::MAX).to_vec();
                message.complete = true;
            }
            Framing::Chunked => self.chunks(&mut message)?,
        }
        Ok(Some(message))
    }

    fn chunks(&mut self, message: &mut Message) -> Result<()> {
        while let Some(end) = memchr::memmem::find(&self.bytes[self.at..], b"\r\n") {
            let line = self.take(end + 2);
            let size = std::str::from_utf8(&line[..end])?;
            let size = usize::from_str_radix(size.split(';').next().unwrap_or(size).trim(), 16)?;
            let chunk = self.take(size + 2);
            if size == 0 {
                // No library and no server here sends trailers.
                message.complete = chunk == b"\r\n";
                return Ok(());
            }
            let content = &chunk[..chunk.len().min(size)];
            message.chunks.push(content.len());
            message.body.extend_from_slice(content);
        }
        Ok(())
    }

    fn take(&mut self, at_most: usize) -> &'a [u8] {
        let rest = &self.bytes[self.at..];
        let taken = &rest[..rest.len().min(at_most)];
        self.at += taken.len();
        taken
    }
}

fn head(bytes: &[u8]) -> Result<Message> {
    let mut lines = bytes
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let start = lines.next().unwrap_or_default().to_vec();
    let headers = lines
        .map(|line| {
            let colon = memchr::memchr(b':', line).context("a header line without a colon")?;
            Ok((line[..colon].to_vec(), line[colon + 1..].to_vec()))
        })
        .collect::<Result<_>>()?;
    Ok(Message {
        start,
        headers,
        framing: Framing::None,
        body: Vec::new(),
        chunks: Vec::new(),
        complete: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_cut_by_their_own_framing() {
        let bytes = b"POST /a HTTP/1.1\r\ncontent-Length:  3\r\n\r\nabcGET /b HTTP/1.1\r\nHost: x\r\n\r\n\
            POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=1\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\nPOST /d HTTP/1.1\r\nContent-Length: 9\r\n\r\ncut";
        let mut stream = Stream::new(bytes);
        let mut next = || stream.request().unwrap().unwrap();
        let first = next();
        assert_eq!(
            (first.start.as_slice(), first.body.as_slice()),
            (&b"POST /a HTTP/1.1"[..], &b"abc"[..])
        );
        assert_eq!(
            first.headers,
            [(b"content-Length".to_vec(), b"  3".to_vec())]
        );
        assert_eq!(next().framing, Framing::None);
        let chunked = next();
        assert_eq!(
            (chunked.body.as_slice(), chunked.chunks.as_slice()),
            (&b"abc0123456789"[..], &[3, 10][..])
        );
        assert!(chunked.complete);
        let cut = next();
        assert_eq!((cut.body.as_slice(), cut.complete), (&b"cut"[..], false));
        assert!(stream.request().unwrap().is_none());
    }

    #[test]
    fn answers_depend_on_what_was_asked() {
        let get = Message::request(b"GET / HTTP/1.1\r\n\r\n", b"").unwrap();
        let head = Message::request(b"HEAD / HTTP/1.1\r\n\r\n", b"").unwrap();
        let bytes = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nHTTP/1.1 200 OK\r\n\r\ntill the end";
        let mut stream = Stream::new(bytes);
        assert!(stream.answer(&get).unwrap().unwrap().is_interim());
        assert!(stream.answer(&head).unwrap().unwrap().body.is_empty());
        assert_eq!(stream.answer(&get).unwrap().unwrap().body, b"till the end");
        assert!(Stream::new(b"HTTP/1.1 200 OK\r\n").answer(&get).is_err());
    }
}
