//! Reads a `multipart/form-data` body as it streams by: its parameters, and what its files are.
//!
//! In: decoded bytes of the body in any pieces (`request.rs`). Out: [`Parts`]. Invariant: of a
//! file nothing is held but its name, type and size; of all parameters together at most
//! `capture.body_limit`, claimed from the budget, and a bounded number of parts. A parameter that
//! does not fit is left out and the copy is cut; the scan goes on behind it.

pub(crate) mod file;
mod head;
#[cfg(test)]
mod tests;

use gramtap_events::call::File;
use memchr::{memchr, memmem};

use head::PartHead;

use super::budget::Claim;
use super::limits::Cut;

/// What a body consists of.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) fields: Vec<Field>,
    pub(super) files: Vec<File>,
}

/// A parameter.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) value: Vec<u8>,
    /// The value is itself a form of several parameters.
    pub(super) form: bool,
}

/// The scan of one body.
pub(super) struct Scanner {
    /// `\r\n--` and the boundary. A line break cannot be inside it, so a match that fails has no
    /// other beginning inside.
    delimiter: Vec<u8>,
    /// How much of the delimiter the bytes so far end with.
    matched: usize,
    state: State,
    parts: Parts,
    room: usize,
    cut: Option<Cut>,
}

enum State {
    /// Before the first delimiter.
    Preamble,
    /// Behind a delimiter, up to the empty line.
    Head(Vec<u8>),
    Value(Field),
    File(File),
    /// A part that is left out.
    Skip,
    /// Behind the last delimiter.
    Epilogue,
    /// Not multipart.
    Broken,
}

/// The longest boundary that Telegram accepts.
const LONGEST_BOUNDARY: usize = 70;
const LONGEST_HEAD: usize = 8 << 10;
/// Telegram takes 50 files; a method has no more than some dozens of parameters.
const MOST_FILES: usize = 64;
const MOST_FIELDS: usize = 256;

impl Scanner {
    /// A scan of a body with this `Content-Type`, holding at most `room` bytes.
    pub(super) fn new(content_type: &[u8], room: usize) -> Self {
        let boundary = boundary(content_type);
        let mut delimiter = b"\r\n--".to_vec();
        delimiter.extend_from_slice(boundary.unwrap_or_default());
        Self {
            delimiter,
            // The first delimiter needs no line break before it.
            matched: 2,
            state: match boundary {
                Some(_) => State::Preamble,
                None => State::Broken,
            },
            parts: Parts::default(),
            room,
            cut: boundary.is_none().then_some(Cut::Unreadable),
        }
    }

    /// The next bytes.
    pub(super) fn push(&mut self, bytes: &[u8], claim: &mut Claim) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let read = match &mut self.state {
                State::Epilogue | State::Broken => return,
                State::Head(_) => self.in_head(rest, claim),
                _ => self.in_content(rest, claim),
            };
            rest = &rest[read..];
        }
    }

    /// Reads no further; the caller knows why.
    pub(super) fn stop(&mut self) {
        self.state = State::Broken;
    }

    /// What was found, and why it is not all. `ended`: no more bytes will come.
    pub(super) fn finish(mut self, ended: bool) -> (Parts, Option<Cut>) {
        let whole = matches!(self.state, State::Epilogue);
        if let State::File(file) = std::mem::replace(&mut self.state, State::Epilogue) {
            self.parts.files.push(file);
        }
        let unfinished = (ended && !whole).then_some(Cut::Unfinished);
        (self.parts, self.cut.or(unfinished))
    }

    fn in_head(&mut self, bytes: &[u8], claim: &mut Claim) -> usize {
        let State::Head(head) = &mut self.state else {
            return 0;
        };
        let old = head.len();
        let taken = bytes.len().min(LONGEST_HEAD - old);
        head.extend_from_slice(&bytes[..taken]);
        if head.starts_with(b"--") {
            self.state = State::Epilogue;
            return taken;
        }
        let from = old.saturating_sub(3);
        let Some(end) = memmem::find(&head[from..], b"\r\n\r\n").map(|at| from + at) else {
            if head.len() == LONGEST_HEAD {
                self.give_up();
            }
            return taken;
        };
        head.truncate(end);
        let part = PartHead::parse(head);
        match part {
            Some(part) => self.state = self.begin(part, claim),
            None => self.give_up(),
        }
        end + 4 - old
    }

    /// Where a part's content goes.
    fn begin(&mut self, part: PartHead, claim: &mut Claim) -> State {
        let full = match part.filename {
            Some(_) => self.parts.files.len() >= MOST_FILES,
            None => self.parts.fields.len() >= MOST_FIELDS,
        };
        let held = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let size = part.name.len() + held(&part.filename) + held(&part.kind);
        if full || !self.hold(size, claim) {
            self.cut.get_or_insert(Cut::TooLarge);
            return State::Skip;
        }
        let form = part.is_form();
        match part.filename {
            Some(filename) => State::File(File {
                field: part.name,
                name: Some(filename),
                kind: part.kind,
                bytes: 0,
            }),
            None => State::Value(Field {
                name: part.name,
                value: Vec::new(),
                form,
            }),
        }
    }

    /// Passes on content up to the next delimiter, which may begin in one piece and end in another.
    fn in_content(&mut self, bytes: &[u8], claim: &mut Claim) -> usize {
        if self.matched > 0 {
            let wanted = &self.delimiter[self.matched..];
            let same = wanted
                .iter()
                .zip(bytes)
                .take_while(|(one, other)| one == other)
                .count();
            if same == wanted.len() {
                self.end_part();
                return same;
            }
            if same == bytes.len() {
                self.matched += same;
                return same;
            }
            let was = self.delimiter[..self.matched].to_vec();
            self.matched = 0;
            self.content(&was, claim);
        }
        // Now look for a whole delimiter, or the beginning of one at the end.
        if let Some(at) = memmem::find(bytes, &self.delimiter) {
            self.content(&bytes[..at], claim);
            self.end_part();
            return at + self.delimiter.len();
        }
        let tail = bytes.len().saturating_sub(self.delimiter.len() - 1);
        let mut at = tail;
        while let Some(step) = memchr(b'\r', &bytes[at..]) {
            at += step;
            if self.delimiter.starts_with(&bytes[at..]) {
                self.content(&bytes[..at], claim);
                self.matched = bytes.len() - at;
                return bytes.len();
            }
            at += 1;
        }
        self.content(bytes, claim);
        bytes.len()
    }

    fn content(&mut self, bytes: &[u8], claim: &mut Claim) {
        if let State::File(file) = &mut self.state {
            file.bytes += bytes.len() as u64;
        }
        if !matches!(self.state, State::Value(_)) {
            return;
        }
        let fits = self.hold(bytes.len(), claim);
        if let State::Value(field) = &mut self.state {
            if fits {
                field.value.extend_from_slice(bytes);
                return;
            }
            self.room += field.value.len();
            claim.shrink(field.value.len());
            self.state = State::Skip;
        }
    }

    /// A delimiter was read.
    fn end_part(&mut self) {
        self.matched = 0;
        match std::mem::replace(&mut self.state, State::Head(Vec::new())) {
            State::Value(field) => self.parts.fields.push(field),
            State::File(file) => self.parts.files.push(file),
            _ => {}
        }
    }

    /// Takes `bytes` of the room and the budget, or says why not.
    fn hold(&mut self, bytes: usize, claim: &mut Claim) -> bool {
        let cut = match self.room.checked_sub(bytes) {
            None => Cut::TooLarge,
            Some(_) if !claim.grow(bytes) => Cut::Budget,
            Some(room) => {
                self.room = room;
                return true;
            }
        };
        self.cut.get_or_insert(cut);
        false
    }

    fn give_up(&mut self) {
        self.state = State::Broken;
        self.cut.get_or_insert(Cut::Unreadable);
    }
}

/// The boundary that a `Content-Type` names.
fn boundary(content_type: &[u8]) -> Option<&[u8]> {
    let lower = content_type.to_ascii_lowercase();
    let at = memmem::find(&lower, b"boundary")? + b"boundary".len();
    let at = at + memchr(b'=', &content_type[at..])? + 1;
    let value = &content_type[at..];
    let value = value[..memchr(b';', value).unwrap_or(value.len())].trim_ascii();
    let quoted = value
        .strip_prefix(b"\"")
        .and_then(|value| value.strip_suffix(b"\""));
    let boundary = quoted.unwrap_or(value);
    let fits =
        (1..=LONGEST_BOUNDARY).contains(&boundary.len()) && memchr(b'\r', boundary).is_none();
    fits.then_some(boundary)
}
