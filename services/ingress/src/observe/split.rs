//! Splits an answer to getUpdates at the elements of `result` as it streams by.
//!
//! In: decoded bytes of the answer, in any pieces (`answer.rs`). Out: each element, whole and byte
//! for byte, as soon as its last byte is there; the envelope around them, with `null` in the
//! place of the array. Invariant: an element that lies inside one piece is not copied; of one that
//! does not, at most `capture.update_limit` is held, claimed from the budget; one that is too
//! large is told as cut with its beginning. Bytes that are no such answer end up in the envelope.

mod scan;
#[cfg(test)]
mod tests;

use scan::Scan;

use super::budget::Claim;
use super::limits::{CaptureLimits, Cut};

/// An element of `result`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element<'a> {
    /// All of its bytes.
    Whole(&'a [u8]),
    /// Its first bytes, and why there are no more.
    Cut(&'a [u8], Cut),
}

/// What is kept of an element that is too large: enough for `update_id` and the kind's name.
const BEGINNING: usize = 1024;
/// A longer name is not `result`, however it is escaped.
const LONGEST_NAME: usize = 64;

/// Where in the answer the next byte stands.
#[derive(Clone, Copy, Debug)]
enum At {
    Start,
    BeforeName,
    InName(Scan),
    BeforeColon,
    BeforeValue,
    InValue(Scan),
    BeforeElement,
    InElement(Scan),
    Rest,
}

/// Splits one answer.
pub(super) struct Splitter {
    limits: CaptureLimits,
    at: At,
    envelope: Vec<u8>,
    envelope_cut: Option<Cut>,
    /// Where the name of the current member begins in `envelope`.
    name: usize,
    is_result: bool,
    split: bool,
    /// The beginning of an element that is not whole yet.
    element: Vec<u8>,
    cut: Option<Cut>,
    /// Bytes of whole elements so far.
    kept: usize,
}

impl Splitter {
    pub(super) fn new(limits: &CaptureLimits) -> Self {
        Self {
            limits: *limits,
            at: At::Start,
            envelope: Vec::new(),
            envelope_cut: None,
            name: 0,
            is_result: false,
            split: false,
            element: Vec::new(),
            cut: None,
            kept: 0,
        }
    }

    /// The answer without its elements, and why that is not all, if so.
    pub(super) fn envelope(&self) -> (&[u8], Option<Cut>) {
        (&self.envelope, self.envelope_cut)
    }

    /// Whether the answer stopped inside an element.
    pub(super) fn inside_element(&self) -> bool {
        matches!(self.at, At::InElement(_))
    }

    /// The next bytes. `claim` holds the element in the making.
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        claim: &mut Claim,
        each: &mut dyn FnMut(Element<'_>),
    ) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let read = match self.at {
                At::BeforeElement => self.before_element(rest[0]),
                At::InElement(scan) => self.in_element(scan, rest, claim, each),
                _ => self.around(rest, claim),
            };
            rest = &rest[read..];
        }
    }

    // Each step says how many bytes it has read; one that reads none moves on to another place.

    fn around(&mut self, bytes: &[u8], claim: &mut Claim) -> usize {
        let (read, next) = match (self.at, bytes[0]) {
            (
                At::Start | At::BeforeName | At::BeforeColon | At::BeforeValue,
                b' ' | b'\t' | b'\r' | b'\n',
            ) => (1, self.at),
            (At::Start, b'{') | (At::BeforeName, b',') => (1, At::BeforeName),
            (At::BeforeName, quote @ b'"') => {
                self.name = self.envelope.len();
                (0, At::InName(Scan::of(quote)))
            }
            (At::InName(mut scan), _) => match scan.end(bytes) {
                Some(end) => (end, At::BeforeColon),
                None => (bytes.len(), At::InName(scan)),
            },
            (At::BeforeColon, b':') => {
                self.is_result = self.names_result();
                (1, At::BeforeValue)
            }
            (At::BeforeValue, b'[') if self.is_result && !self.split => {
                self.split = true;
                self.keep(b"null", claim);
                self.at = At::BeforeElement;
                return 1;
            }
            (At::BeforeValue, first) => (0, At::InValue(Scan::of(first))),
            (At::InValue(mut scan), _) => match scan.end(bytes) {
                Some(end) => (end, At::BeforeName),
                None => (bytes.len(), At::InValue(scan)),
            },
            _ => (bytes.len(), At::Rest),
        };
        self.keep(&bytes[..read], claim);
        self.at = next;
        read
    }

    fn before_element(&mut self, first: u8) -> usize {
        match first {
            b']' => self.at = At::BeforeName,
            b',' | b' ' | b'\t' | b'\r' | b'\n' => {}
            b'}' => {
                self.at = At::Rest;
                return 0;
            }
            _ => {
                self.at = At::InElement(Scan::of(first));
                return 0;
            }
        }
        1
    }

    fn in_element(
        &mut self,
        mut scan: Scan,
        bytes: &[u8],
        claim: &mut Claim,
        each: &mut dyn FnMut(Element<'_>),
    ) -> usize {
        let Some(end) = scan.end(bytes) else {
            self.at = At::InElement(scan);
            self.hold(bytes, claim);
            return bytes.len();
        };
        self.at = At::BeforeElement;
        if self.element.is_empty() {
            match self.refused(end) {
                None => {
                    self.kept += end;
                    each(Element::Whole(&bytes[..end]));
                }
                Some(cut) => each(Element::Cut(&bytes[..end.min(BEGINNING)], cut)),
            }
            return end;
        }
        self.hold(&bytes[..end], claim);
        let element = std::mem::take(&mut self.element);
        match self.cut.take() {
            None => {
                self.kept += element.len();
                each(Element::Whole(&element));
            }
            Some(cut) => each(Element::Cut(&element, cut)),
        }
        claim.shrink(element.len());
        end
    }

    /// Adds to the element in the making, or cuts it.
    fn hold(&mut self, bytes: &[u8], claim: &mut Claim) {
        if self.cut.is_none() {
            self.cut = self.refused(self.element.len() + bytes.len());
        }
        if self.cut.is_none() && !claim.grow(bytes.len()) {
            self.cut = Some(Cut::Budget);
        }
        if self.cut.is_none() {
            self.element.extend_from_slice(bytes);
            return;
        }
        let held = self.element.len();
        let more = bytes.len().min(BEGINNING.saturating_sub(held));
        self.element.truncate(BEGINNING);
        self.element.shrink_to(BEGINNING);
        claim.shrink(held - self.element.len());
        // The few bytes of a beginning are not worth asking for: without them the update is unknown.
        let granted = claim.grow(more);
        self.element
            .extend_from_slice(&bytes[..if granted { more } else { 0 }]);
    }

    /// Why an element of `length` bytes may not be held, if so.
    fn refused(&self, length: usize) -> Option<Cut> {
        let fits = length <= self.limits.update && self.kept + length <= self.limits.answer;
        (!fits).then_some(Cut::TooLarge)
    }

    /// Adds to the envelope. Its beginning, which says how the call went, is kept in any case.
    fn keep(&mut self, bytes: &[u8], claim: &mut Claim) {
        let length = self.envelope.len() + bytes.len();
        if self.envelope_cut.is_none() && length > self.limits.body {
            self.envelope_cut = Some(Cut::TooLarge);
        }
        if self.envelope_cut.is_none() && length > BEGINNING && !claim.grow(bytes.len()) {
            self.envelope_cut = Some(Cut::Budget);
        }
        if self.envelope_cut.is_none() {
            self.envelope.extend_from_slice(bytes);
        }
    }

    /// Whether the name that ends the envelope reads `result`, escapes decoded.
    fn names_result(&self) -> bool {
        let name = self.envelope.get(self.name..).unwrap_or_default();
        let name = name.trim_ascii_end();
        name == b"\"result\""
            || (name.len() <= LONGEST_NAME
                && name.contains(&b'\\')
                && serde_json::from_slice::<String>(name).is_ok_and(|name| name == "result"))
    }
}
