//! What all records share: their topic, their kind, their version, their bytes.
//!
//! In: a record. Out: the key, headers and payload that the bus carries. Invariant: the headers
//! `gt-kind` and `gt-version` say the same as the fields `kind` and `v` inside.

use bytes::Bytes;
use serde::Serialize;

use crate::{TenantId, Topic};

/// A record of one of the topics.
pub trait Record: Serialize {
    /// The topic it belongs to.
    const TOPIC: &'static Topic;
    /// Grows with every addition to the record's fields.
    const VERSION: u16;

    /// Which of the topic's kinds it is; the header `gt-kind`.
    fn kind(&self) -> &'static str;

    /// Who it is about; the key.
    fn tenant(&self) -> TenantId;

    /// The payload: one JSON object.
    fn payload(&self) -> Result<Bytes, serde_json::Error> {
        let mut payload = Vec::with_capacity(TYPICAL);
        serde_json::to_writer(&mut payload, self)?;
        Ok(payload.into())
    }
}

/// What most records need of bytes, so that they are written without moving.
const TYPICAL: usize = 1_024;

/// The name of the header with a record's kind.
pub const KIND: &str = "gt-kind";
/// The name of the header with a record's version.
pub const VERSION: &str = "gt-version";
/// The name of the header with the W3C trace context, where the call was sampled.
pub const TRACEPARENT: &str = "traceparent";
