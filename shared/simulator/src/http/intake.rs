//! Takes a body in: decompresses it and sorts it into arguments and files.
//!
//! In: what the head says of it, then content out of its framing: of requests (`connection/read.rs`)
//! and of webhooks' answers (`push/exchange.rs`). Out: [`Taken`].
//! Invariant: nothing is held beyond the caps; what no reader wants is counted and dropped.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::{GzDecoder, ZlibDecoder};

use super::Refusal;
use super::arguments::{Arguments, MOST};
use super::head::{Framing, Head};
use super::multipart::{Multipart, Upload};

/// What a request brought.
#[derive(Default)]
pub(crate) struct Taken {
    pub(crate) arguments: Arguments,
    pub(crate) files: Vec<Upload>,
    /// The body itself, where it was asked for.
    pub(crate) body: Vec<u8>,
}

/// A body being taken in.
pub(crate) struct Intake {
    decoder: Decoder,
    collector: Collector,
    arguments: Arguments,
    /// Decoded bytes so far.
    size: u64,
}

enum Decoder {
    Identity,
    /// gzip or deflate; which of the two is seen in the first byte.
    Unknown,
    Gzip(GzDecoder<Vec<u8>>),
    Zlib(ZlibDecoder<Vec<u8>>),
}

enum Collector {
    Form(Vec<u8>),
    Json(Vec<u8>),
    Multipart(Box<Multipart>),
    /// The control API wants the bytes, up to a limit.
    Body {
        bytes: Vec<u8>,
        limit: usize,
    },
    Nothing,
}

impl Intake {
    /// For a call: of each file at most `keep` bytes are held.
    pub(crate) fn call(head: &Head, keep: usize) -> Result<Self, Refusal> {
        let (kind, encoding) = (head.header("content-type"), head.header("content-encoding"));
        let mut intake = Self::of(kind, encoding, head.framing, keep)?;
        intake.arguments.add_form(query(&head.target))?;
        Ok(intake)
    }

    /// By what a head says of its body: of each file at most `keep` bytes are held.
    pub(crate) fn of(
        content_type: Option<&[u8]>,
        encoding: Option<&[u8]>,
        framing: Framing,
        keep: usize,
    ) -> Result<Self, Refusal> {
        let content_type = content_type.unwrap_or(b"application/octet-stream");
        let lowered = content_type.to_ascii_lowercase();
        let has = |word: &str| memchr::memmem::find(&lowered, word.as_bytes()).is_some();
        let collector = if framing == Framing::None {
            Collector::Nothing
        } else if has("multipart/form-data") {
            Collector::Multipart(Box::new(Multipart::new(content_type, keep)?))
        } else if has("application/x-www-form-urlencoded") {
            Collector::Form(Vec::new())
        } else if has("application/json") {
            Collector::Json(Vec::new())
        } else {
            Collector::Nothing
        };
        Ok(Self {
            decoder: decoder(encoding, framing)?,
            collector,
            arguments: Arguments::default(),
            size: 0,
        })
    }

    /// For the control API: the body as it is.
    pub(crate) fn body(head: &Head, limit: usize) -> Result<Self, Refusal> {
        let mut arguments = Arguments::default();
        arguments.add_form(query(&head.target))?;
        Ok(Self {
            decoder: decoder(head.header("content-encoding"), head.framing)?,
            collector: Collector::Body {
                bytes: Vec::new(),
                limit,
            },
            arguments,
            size: 0,
        })
    }

    /// Takes the next piece of content.
    pub(crate) fn push(&mut self, content: &Bytes) -> Result<(), Refusal> {
        if let (Decoder::Unknown, Some(first)) = (&self.decoder, content.first()) {
            self.decoder = match first {
                0x1f => Decoder::Gzip(GzDecoder::new(Vec::new())),
                _ => Decoder::Zlib(ZlibDecoder::new(Vec::new())),
            };
        }
        let wrong = |_: io::Error| Refusal::new(400, "wrong compressed content");
        // In small pieces: what a piece may grow to is bounded by the ratio of deflate.
        match &mut self.decoder {
            Decoder::Identity | Decoder::Unknown => self.collect(content),
            Decoder::Gzip(_) | Decoder::Zlib(_) => content.chunks(1_024).try_for_each(|piece| {
                let plain = match &mut self.decoder {
                    Decoder::Gzip(decoder) => {
                        decoder
                            .write_all(piece)
                            .and_then(|()| decoder.flush())
                            .map_err(wrong)?;
                        std::mem::take(decoder.get_mut())
                    }
                    Decoder::Zlib(decoder) => {
                        decoder
                            .write_all(piece)
                            .and_then(|()| decoder.flush())
                            .map_err(wrong)?;
                        std::mem::take(decoder.get_mut())
                    }
                    Decoder::Identity | Decoder::Unknown => Vec::new(),
                };
                self.collect(&plain)
            }),
        }
    }

    /// The body has ended.
    pub(crate) fn finish(mut self) -> Result<Taken, Refusal> {
        let wrong = |_: io::Error| Refusal::new(400, "compressed content cut short");
        let rest = match std::mem::replace(&mut self.decoder, Decoder::Identity) {
            Decoder::Gzip(decoder) => decoder.finish().map_err(wrong)?,
            Decoder::Zlib(decoder) => decoder.finish().map_err(wrong)?,
            Decoder::Identity | Decoder::Unknown => Vec::new(),
        };
        self.collect(&rest)?;
        let mut taken = Taken {
            arguments: self.arguments,
            ..Taken::default()
        };
        match self.collector {
            Collector::Form(form) => taken.arguments.add_form(&form)?,
            Collector::Json(json) => taken.arguments.add_json(&json)?,
            Collector::Multipart(multipart) => taken.files = multipart.finish()?,
            Collector::Body { bytes, .. } => taken.body = bytes,
            Collector::Nothing => {}
        }
        Ok(taken)
    }

    /// Decoded bytes so far.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    fn collect(&mut self, plain: &[u8]) -> Result<(), Refusal> {
        self.size += plain.len() as u64;
        if self.size > u64::from(u32::MAX) {
            return Err(Refusal::new(413, "content too large"));
        }
        match &mut self.collector {
            Collector::Form(bytes) | Collector::Json(bytes) => {
                if bytes.len() + plain.len() > MOST {
                    return Err(Refusal::new(413, "too much parameters"));
                }
                bytes.extend_from_slice(plain);
            }
            Collector::Multipart(multipart) => multipart.push(plain, &mut self.arguments)?,
            Collector::Body { bytes, limit } => {
                if bytes.len() + plain.len() > *limit {
                    return Err(Refusal::new(413, "body too large"));
                }
                bytes.extend_from_slice(plain);
            }
            Collector::Nothing => {}
        }
        Ok(())
    }
}

/// What follows the first `?`; a `#` before it ends the target.
fn query(target: &[u8]) -> &[u8] {
    match memchr::memchr2(b'?', b'#', target) {
        Some(at) if target[at] == b'?' => &target[at + 1..],
        _ => &[],
    }
}

fn decoder(encoding: Option<&[u8]>, framing: Framing) -> Result<Decoder, Refusal> {
    match encoding {
        None | Some(b"") => Ok(Decoder::Identity),
        // Without a body the reader never looks at the encoding.
        Some(_) if framing == Framing::None => Ok(Decoder::Identity),
        Some(name)
            if name.eq_ignore_ascii_case(b"gzip") || name.eq_ignore_ascii_case(b"deflate") =>
        {
            Ok(Decoder::Unknown)
        }
        Some(_) => Err(Refusal::new(415, "unsupported Content-Encoding")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use bytes::BytesMut;
    use flate2::Compression;

    fn head(target: &str, headers: &str) -> Head {
        let text = format!("GET {target} HTTP/1.1\r\n{headers}Content-Length: 1\r\n\r\n");
        Head::read(
            Head::cut(&mut BytesMut::from(text.as_str()))
                .unwrap()
                .unwrap(),
        )
        .unwrap()
    }

    fn take(target: &str, headers: &str, body: &[u8]) -> Result<Taken, u16> {
        let mut intake =
            Intake::call(&head(target, headers), 1_000).map_err(|refusal| refusal.status)?;
        for piece in body.chunks(5) {
            intake
                .push(&Bytes::copy_from_slice(piece))
                .map_err(|refusal| refusal.status)?;
        }
        intake.finish().map_err(|refusal| refusal.status)
    }

    fn pairs(taken: &Taken) -> String {
        taken
            .arguments
            .iter()
            .map(|(name, value)| format!("{name}={value};"))
            .collect()
    }

    #[test]
    fn query_first_then_the_body_by_a_word_in_its_type() {
        let table = [
            (
                "/x?a=q",
                "Content-Type: application/x-www-form-urlencoded\r\n",
                "a=b&c=d",
                "a=q;a=b;c=d;",
            ),
            (
                "/x",
                "Content-Type: APPLICATION/JSON; charset=utf-8\r\n",
                r#"{"a":1}"#,
                "a=1;",
            ),
            (
                "/x",
                "Content-Type: text/plain+application/json\r\n",
                r#"{"a":1}"#,
                "a=1;",
            ),
            ("/x?a", "Content-Type: text/plain\r\n", "b=1", "a=;"),
            ("/x", "", "b=1", ""),
            ("/x#?a=1", "", "", ""),
            ("/x?a=1?b#c", "", "", "a=1?b#c;"),
        ];
        for (target, headers, body, expected) in table {
            assert_eq!(
                pairs(&take(target, headers, body.as_bytes()).unwrap()),
                expected,
                "{target} {headers} {body}"
            );
        }
    }

    #[test]
    fn compressed_bodies() {
        let plain = b"a=1&b=2";
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(plain).unwrap();
        let gzip = gzip.finish().unwrap();
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(plain).unwrap();
        let zlib = zlib.finish().unwrap();
        let form = "Content-Type: application/x-www-form-urlencoded\r\n";
        for (encoding, body) in [
            ("gzip", &gzip),
            ("deflate", &zlib),
            ("deflate", &gzip),
            ("GZIP", &zlib),
        ] {
            let headers = format!("{form}Content-Encoding: {encoding}\r\n");
            assert_eq!(
                pairs(&take("/", &headers, body).unwrap()),
                "a=1;b=2;",
                "{encoding}"
            );
            assert_eq!(
                take("/", &headers, &body[..body.len() - 3]).err(),
                Some(400),
                "{encoding} cut"
            );
        }
        assert_eq!(
            take("/", &format!("{form}Content-Encoding: br\r\n"), plain).err(),
            Some(415)
        );
    }

    #[test]
    fn too_much_is_refused() {
        let form = "Content-Type: application/x-www-form-urlencoded\r\n";
        assert_eq!(take("/", form, &vec![b'a'; MOST + 1]).err(), Some(413));
        assert!(take("/", "", &vec![b'a'; MOST + 1]).is_ok());
    }
}
