//! The copy of a request: its parameters, and of its files name, type and size.
//!
//! In: the head's words and every chunk of the body, from the relay. Out: [`RequestCopy`], read by
//! `params.rs` and `record.rs`. Invariant: never more than `capture.body_limit` of a body and of
//! a query, none of a file's bytes; all of it claimed from the worker's budget. Beyond: cut.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

use gramtap_events::call::{File, Shape};
use gramtap_privacy::tree::Members;

use super::budget::{Budget, Claim};
use super::inflate::{self, Inflate};
use super::limits::{CaptureLimits, Cut};
use super::multipart::Scanner;
use super::params::{self, Body};

/// What the tap needs of a request's head, as it arrived.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RequestHead<'a> {
    /// `Content-Type`.
    pub(crate) content_type: Option<&'a [u8]>,
    /// `Content-Encoding`.
    pub(crate) content_encoding: Option<&'a [u8]>,
    /// What stands behind the target's `?`, still percent-encoded.
    pub(crate) query: Option<&'a str>,
}

/// Copies a request as it streams by. Its `Debug` shows sizes only.
pub(crate) struct RequestTap {
    bytes: u64,
    query: Box<str>,
    decoder: Option<Box<Inflate>>,
    body: Making,
    claim: Claim,
}

/// A body in the making.
struct Making {
    kind: Kind,
    held: Vec<u8>,
    room: usize,
    cut: Option<Cut>,
}

/// How Telegram reads a body: by words inside its `Content-Type`.
enum Kind {
    Other,
    Form,
    Json,
    Multipart(Box<Scanner>),
}

/// The copy of a request. Small, as a parked long poll holds it. Its `Debug` shows sizes only.
pub(crate) struct RequestCopy {
    bytes: u64,
    shape: Shape,
    cut: Option<Cut>,
    query: Box<str>,
    body: Body,
    _claim: Claim,
}

impl RequestTap {
    /// A tap for a request with this head. Holds nothing but the query yet.
    #[must_use]
    pub(crate) fn new(limits: &CaptureLimits, budget: &Budget, head: &RequestHead<'_>) -> Self {
        let mut claim = budget.claim();
        let mut body = Making {
            kind: Kind::of(head.content_type.unwrap_or_default(), limits),
            held: Vec::new(),
            room: limits.body,
            cut: None,
        };
        let query = body.query(head.query.unwrap_or_default(), &mut claim);
        let decoder = body.decoder(head.content_encoding, limits, &mut claim);
        Self {
            bytes: 0,
            query,
            decoder,
            body,
            claim,
        }
    }

    /// A chunk of the body as it is passed on: still compressed, but no longer chunked.
    pub(crate) fn push(&mut self, chunk: &[u8]) {
        self.bytes += chunk.len() as u64;
        let (body, claim) = (&mut self.body, &mut self.claim);
        match &mut self.decoder {
            None => {
                body.take(chunk, claim);
            }
            Some(decoder) => decoder.push(chunk, &mut |decoded| body.take(decoded, claim)),
        }
    }

    /// The body has ended, or no more of it will come.
    #[must_use]
    pub(crate) fn finish(self) -> RequestCopy {
        let Self {
            bytes,
            query,
            decoder,
            body,
            mut claim,
        } = self;
        if decoder.is_some() {
            claim.shrink(Inflate::HELD);
        }
        let shape = body.kind.shape(bytes > 0, !query.is_empty());
        let encoded = decoder.and_then(|decoder| decoder.cut(true));
        let (body, cut) = body.finish(bytes > 0);
        RequestCopy {
            bytes,
            shape,
            cut: cut.or(encoded),
            query,
            body,
            _claim: claim,
        }
    }
}

impl Making {
    /// Copies the query, as far as it fits.
    fn query(&mut self, query: &str, claim: &mut Claim) -> Box<str> {
        let mut kept = query;
        if query.len() > self.room {
            self.cut = Some(Cut::TooLarge);
            // Cut behind a whole pair: `&` is no part of a longer character.
            let end = memchr::memrchr(b'&', &query.as_bytes()[..self.room]).unwrap_or(0);
            kept = query.get(..end).unwrap_or_default();
        }
        if !claim.grow(kept.len()) {
            self.cut = Some(Cut::Budget);
            kept = "";
        }
        kept.into()
    }

    fn decoder(
        &mut self,
        encoding: Option<&[u8]>,
        limits: &CaptureLimits,
        claim: &mut Claim,
    ) -> Option<Box<Inflate>> {
        let most = match self.kind {
            Kind::Other => return None,
            Kind::Multipart(_) => limits.answer,
            Kind::Form | Kind::Json => limits.body.saturating_add(1),
        };
        match inflate::decoder(encoding, most, claim) {
            Ok(decoder) => decoder.map(Box::new),
            Err(cut) => {
                self.give_up(cut);
                None
            }
        }
    }

    /// Takes decoded bytes; whether more are wanted.
    fn take(&mut self, bytes: &[u8], claim: &mut Claim) -> bool {
        match &mut self.kind {
            Kind::Other => return false,
            Kind::Multipart(scanner) => {
                scanner.push(bytes, claim);
                return true;
            }
            Kind::Form | Kind::Json => {}
        }
        let fits = bytes.len().min(self.room);
        if !claim.grow(fits) {
            claim.shrink(self.held.len());
            self.held = Vec::new();
            self.give_up(Cut::Budget);
            return false;
        }
        self.room -= fits;
        self.held.extend_from_slice(&bytes[..fits]);
        if fits < bytes.len() {
            self.cut.get_or_insert(Cut::TooLarge);
        }
        fits == bytes.len()
    }

    fn finish(self, sent: bool) -> (Body, Option<Cut>) {
        match self.kind {
            _ if !sent => (Body::None, self.cut),
            Kind::Other => (Body::None, self.cut),
            Kind::Form => (Body::Form(self.held.into_boxed_slice()), self.cut),
            Kind::Json => (Body::Json(self.held.into_boxed_slice()), self.cut),
            Kind::Multipart(scanner) => {
                let (parts, cut) = scanner.finish(true);
                (Body::Parts(Box::new(parts)), self.cut.or(cut))
            }
        }
    }

    /// Nothing can be read of the body; what it is remains known.
    fn give_up(&mut self, cut: Cut) {
        self.room = 0;
        self.cut = Some(cut);
        if let Kind::Multipart(scanner) = &mut self.kind {
            scanner.stop();
        }
    }
}

impl Kind {
    fn of(content_type: &[u8], limits: &CaptureLimits) -> Self {
        let says = |word: &str| {
            let mut parts = content_type.windows(word.len());
            parts.any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
        };
        if says("multipart/form-data") {
            return Self::Multipart(Box::new(Scanner::new(content_type, limits.body)));
        }
        if says("application/x-www-form-urlencoded") {
            return Self::Form;
        }
        match says("application/json") {
            true => Self::Json,
            false => Self::Other,
        }
    }

    fn shape(&self, sent: bool, query: bool) -> Shape {
        match self {
            Self::Form if sent => Shape::Form,
            Self::Json if sent => Shape::Json,
            Self::Multipart(_) if sent => Shape::Multipart,
            _ if query => Shape::Query,
            _ => Shape::None,
        }
    }
}

impl RequestCopy {
    /// Bytes of the body, as sent.
    #[must_use]
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How the parameters are written.
    #[must_use]
    pub(crate) fn shape(&self) -> Shape {
        self.shape
    }

    /// Why the copy is not whole, if it is not; what is counted is in `Observed::cuts`.
    #[cfg(test)]
    pub(super) fn cut(&self) -> Option<Cut> {
        self.cut
    }

    /// All arguments, unmasked, and why some are missing.
    pub(super) fn arguments(&self) -> (Members<'_>, Option<Cut>) {
        params::arguments(&self.query, &self.body, self.cut)
    }

    /// The files, unmasked.
    pub(super) fn files(&self) -> &[File] {
        match &self.body {
            Body::Parts(parts) => &parts.files,
            _ => &[],
        }
    }

    /// All arguments as texts, in the order they count; none if not all of them could be read.
    #[must_use]
    pub(crate) fn texts(&self) -> Option<Vec<(String, String)>> {
        let (members, cut) = self.arguments();
        let text = |(name, value): (Cow<'_, str>, _)| {
            params::as_text(value).map(|text| (name.into_owned(), text.into_owned()))
        };
        cut.is_none()
            .then(|| members.into_iter().filter_map(text).collect())
    }

    /// One argument as Telegram would read it: query first, then the body, the first one
    /// wins. The value is raw (unmasked): for routing, never for a record or a log.
    #[must_use]
    pub(crate) fn argument(&self, name: &str) -> Option<Cow<'_, str>> {
        let (members, _) = self.arguments();
        let (_, value) = members.into_iter().find(|(known, _)| known == name)?;
        params::as_text(value)
    }
}

impl fmt::Debug for RequestTap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestTap({} bytes)", self.bytes)
    }
}

impl fmt::Debug for RequestCopy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            bytes, shape, cut, ..
        } = self;
        write!(f, "RequestCopy({shape:?}, {bytes} bytes, cut {cut:?})")
    }
}
