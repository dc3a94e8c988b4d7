//! A multipart/form-data body, as it streams by.
//!
//! In: content bytes in any cut (`http/intake.rs`). Out: arguments, and [`Upload`]s with at most
//! `keep` bytes of content each (the size is always exact). The rules are those of Telegram's
//! reader: no space needed in part headers, unknown part headers ignored, a part with a filename
//! is a file, a part typed x-www-form-urlencoded is split into arguments.
//! Invariant: holds no more than a part's value, a part's head, or `keep` bytes of a file.

use std::fmt;

use bytes::{Buf, Bytes, BytesMut};
use flate2::Crc;
use memchr::memmem;

use super::Refusal;
use super::arguments::{Arguments, MOST};
use super::head::LONGEST;

/// Files in one request at most.
const FILES: usize = 50;
/// The largest file the server takes, whatever the configured limit.
const LARGEST: u64 = 4_000 << 20;

/// A file that came with a call.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Upload {
    /// The part's name.
    pub(crate) field: String,
    /// As sent, often with a path; may be empty.
    pub(crate) file_name: String,
    /// `application/octet-stream` when the part names none.
    pub(crate) content_type: String,
    pub(crate) size: u64,
    /// Of the whole content.
    pub(crate) crc32: u32,
    /// The content, or its beginning if it is larger than what is kept.
    pub(crate) content: Bytes,
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// A body being read.
pub(crate) struct Multipart {
    /// `\r\n--boundary`
    delimiter: Vec<u8>,
    pending: BytesMut,
    state: State,
    heads: usize,
    values: usize,
    keep: usize,
    files: Vec<Upload>,
}

enum State {
    Prologue,
    PartHead,
    Value(PartHead),
    File {
        upload: Upload,
        kept: BytesMut,
        crc: Crc,
    },
    Delimited,
    Epilogue,
}

#[derive(Default)]
struct PartHead {
    name: String,
    file_name: Option<String>,
    content_type: Option<String>,
}

impl Multipart {
    /// `content_type` as sent; the boundary is what follows the first `=` after the word "boundary".
    pub(crate) fn new(content_type: &[u8], keep: usize) -> Result<Self, Refusal> {
        let lowered = content_type.to_ascii_lowercase();
        let at = memmem::find(&lowered, b"boundary").ok_or(Refusal::new(400, "no boundary"))?;
        let rest = &content_type[at..];
        let equals = memchr::memchr(b'=', rest).ok_or(Refusal::new(400, "no boundary"))?;
        let value = &rest[equals + 1..];
        let mut value = &value[..memchr::memchr(b';', value).unwrap_or(value.len())];
        if value.len() > 1 && value.starts_with(b"\"") && value.ends_with(b"\"") {
            value = &value[1..value.len() - 1];
        }
        if value.is_empty() || value.len() > 70 {
            return Err(Refusal::new(400, "boundary empty or too long"));
        }
        Ok(Self {
            delimiter: [b"\r\n--", value].concat(),
            pending: BytesMut::new(),
            state: State::Prologue,
            heads: 0,
            values: 0,
            keep,
            files: Vec::new(),
        })
    }

    /// Reads on.
    pub(crate) fn push(&mut self, bytes: &[u8], arguments: &mut Arguments) -> Result<(), Refusal> {
        self.pending.extend_from_slice(bytes);
        while self.step(arguments)? {}
        Ok(())
    }

    /// The files, once the body has ended.
    pub(crate) fn finish(self) -> Result<Vec<Upload>, Refusal> {
        match self.state {
            State::Epilogue => Ok(self.files),
            _ => Err(Refusal::new(400, "form data without its end")),
        }
    }

    /// One step; `false` if more bytes are needed.
    fn step(&mut self, arguments: &mut Arguments) -> Result<bool, Refusal> {
        match std::mem::replace(&mut self.state, State::Epilogue) {
            State::Prologue => {
                self.state = State::Prologue;
                let first = &self.delimiter[2..];
                let Some(at) = memmem::find(&self.pending, first) else {
                    let keep = first.len() - 1;
                    self.pending
                        .advance(self.pending.len().saturating_sub(keep));
                    return Ok(false);
                };
                self.pending.advance(at + first.len());
                self.state = State::Delimited;
            }
            State::Delimited => {
                if self.pending.len() < 2 {
                    self.state = State::Delimited;
                    return Ok(false);
                }
                if !self.pending.starts_with(b"--") {
                    self.state = State::PartHead;
                }
            }
            State::PartHead => {
                let end = memmem::find(&self.pending, b"\r\n\r\n");
                if self.heads + end.unwrap_or(self.pending.len()) > LONGEST {
                    return Err(Refusal::new(431, "part heads too large"));
                }
                let Some(end) = end else {
                    self.state = State::PartHead;
                    return Ok(false);
                };
                if end < 2 {
                    return Err(Refusal::new(400, "part without a head"));
                }
                self.heads += end;
                let head = part_head(&self.pending[2..end])?;
                self.pending.advance(end + 4);
                self.state = self.part(head)?;
            }
            State::Value(head) => {
                let end = memmem::find(&self.pending, &self.delimiter);
                if self.values + end.unwrap_or(self.pending.len()) > MOST {
                    return Err(Refusal::new(413, "too much parameters in form data"));
                }
                let Some(end) = end else {
                    self.state = State::Value(head);
                    return Ok(false);
                };
                self.values += end;
                let value = self.pending.split_to(end);
                self.pending.advance(self.delimiter.len());
                match head.content_type {
                    Some(kind) if kind.starts_with("application/x-www-form-urlencoded") => {
                        arguments.add_form(&value)?
                    }
                    _ => arguments.add(head.name.as_bytes(), &value)?,
                }
                self.state = State::Delimited;
            }
            State::File {
                mut upload,
                mut kept,
                mut crc,
            } => {
                let end = memmem::find(&self.pending, &self.delimiter);
                // The delimiter may have begun at the end of what is here.
                let take = end
                    .unwrap_or_else(|| self.pending.len().saturating_sub(self.delimiter.len() - 1));
                upload.size += take as u64;
                if upload.size > LARGEST {
                    return Err(Refusal::new(413, "file too large"));
                }
                let room = self.keep.saturating_sub(kept.len()).min(take);
                kept.extend_from_slice(&self.pending[..room]);
                crc.update(&self.pending[..take]);
                self.pending.advance(take);
                if end.is_none() {
                    self.state = State::File { upload, kept, crc };
                    return Ok(false);
                }
                self.pending.advance(self.delimiter.len());
                upload.content = kept.freeze();
                upload.crc32 = crc.sum();
                self.files.push(upload);
                self.state = State::Delimited;
            }
            State::Epilogue => {
                self.pending.clear();
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn part(&self, head: PartHead) -> Result<State, Refusal> {
        let Some(file_name) = head.file_name else {
            return Ok(State::Value(head));
        };
        if self.files.len() == FILES {
            return Err(Refusal::new(413, "too much files attached"));
        }
        let upload = Upload {
            field: head.name,
            file_name,
            content_type: head
                .content_type
                .unwrap_or_else(|| "application/octet-stream".to_owned()),
            size: 0,
            crc32: 0,
            content: Bytes::new(),
        };
        Ok(State::File {
            upload,
            kept: BytesMut::new(),
            crc: Crc::new(),
        })
    }
}

fn part_head(lines: &[u8]) -> Result<PartHead, Refusal> {
    let text = String::from_utf8_lossy(lines);
    let mut head = PartHead::default();
    for line in text.split("\r\n") {
        let wrong = Refusal::new(400, "can't parse form data headers");
        let (name, value) = line.split_once(':').ok_or(wrong)?;
        let value = value.trim();
        if name.trim().eq_ignore_ascii_case("content-disposition") {
            let pairs = value.strip_prefix("form-data;");
            for pair in pairs
                .ok_or(Refusal::new(400, "expected form-data content disposition"))?
                .split(';')
            {
                let Some((key, value)) = pair.split_once('=') else {
                    continue;
                };
                let value = value.trim();
                let bare = value
                    .strip_prefix('"')
                    .and_then(|value| value.strip_suffix('"'))
                    .unwrap_or(value);
                match key.trim() {
                    "name" => head.name = bare.to_owned(),
                    "filename" => head.file_name = Some(bare.to_owned()),
                    _ => {}
                }
            }
        } else if name.trim().eq_ignore_ascii_case("content-type") {
            head.content_type = Some(value.to_owned());
        }
    }
    if head.name.is_empty() {
        return Err(Refusal::new(
            400,
            "field name in multipart/form-data not found",
        ));
    }
    Ok(head)
}

#[cfg(test)]
mod tests;
