//! What travels: a message on its way in, a delivery on its way out.
//!
//! In: the services' records. Out: the engines. Invariant: bytes are shared, not copied, until an
//! engine writes them; `Debug` shows sizes and never a body, because bodies may be secret.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use gramtap_events::{Record, Topic, record};

/// The largest record that both engines take: key, headers and payload together, in bytes.
pub const LARGEST: usize = 1024 * 1024;

/// One header of a record.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    /// Its name, e.g. `gt-kind`.
    pub name: Cow<'static, str>,
    /// Its value; a header without one is read as empty.
    pub value: Bytes,
}

impl Header {
    /// A header with a name known to the program.
    pub fn new(name: &'static str, value: impl Into<Bytes>) -> Self {
        Self {
            name: Cow::Borrowed(name),
            value: value.into(),
        }
    }
}

/// A record to be written. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Where it belongs.
    pub topic: &'static Topic,
    /// Decides the partition, and what compaction keeps; the tenant, for most topics.
    /// Without one the record goes to any partition.
    pub key: Option<Bytes>,
    /// Headers in order.
    pub headers: Vec<Header>,
    /// The record itself; none is a tombstone for its key in a compacted topic.
    pub payload: Option<Bytes>,
}

impl Message {
    /// A message without headers.
    pub fn new(topic: &'static Topic, key: impl Into<Bytes>, payload: impl Into<Bytes>) -> Self {
        Self {
            topic,
            key: Some(key.into()),
            headers: Vec::new(),
            payload: Some(payload.into()),
        }
    }

    /// A record of `shared/events` with its key, payload, `gt-kind` and `gt-version`.
    pub fn of<R: Record>(record: &R) -> Result<Self, serde_json::Error> {
        let version = R::VERSION.to_string();
        Ok(Self {
            topic: R::TOPIC,
            key: Some(Bytes::copy_from_slice(record.tenant().as_str().as_bytes())),
            headers: vec![
                Header::new(record::KIND, record.kind().as_bytes()),
                Header::new(record::VERSION, version),
            ],
            payload: Some(record.payload()?),
        })
    }

    /// The same with one header more.
    #[must_use]
    pub fn with(mut self, header: Header) -> Self {
        self.headers.push(header);
        self
    }

    /// Bytes of key, headers and payload together.
    #[must_use]
    pub fn size(&self) -> usize {
        size(self.key.as_ref(), &self.headers, self.payload.as_ref())
    }
}

/// What a queue counts for a record.
fn size(key: Option<&Bytes>, headers: &[Header], payload: Option<&Bytes>) -> usize {
    let headers = headers.iter().map(|it| it.name.len() + it.value.len());
    key.map_or(0, Bytes::len) + headers.sum::<usize>() + payload.map_or(0, Bytes::len)
}

/// A record as it was read.
#[derive(Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The topic it was read from.
    pub topic: &'static Topic,
    /// Its partition.
    pub partition: i32,
    /// Its place in the partition. They grow, but not always by one.
    pub offset: i64,
    /// As it was written.
    pub key: Option<Bytes>,
    /// As they were written.
    pub headers: Vec<Header>,
    /// As it was written; none is a tombstone.
    pub payload: Option<Bytes>,
    /// When it was handed to the bus: milliseconds since 1970, UTC.
    pub timestamp: i64,
}

impl Delivery {
    /// The value of the first header of that name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&Bytes> {
        let header = self.headers.iter().find(|header| header.name == name);
        header.map(|header| &header.value)
    }

    /// Bytes of key, headers and payload together.
    #[must_use]
    pub fn size(&self) -> usize {
        size(self.key.as_ref(), &self.headers, self.payload.as_ref())
    }
}

/// What the caller of `offer` knows a message by. Reported back as given; need not be unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Where a record was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Its partition.
    pub partition: i32,
    /// Its offset. None where the broker says only that it has the record already (an answer was
    /// lost and the record sent again).
    pub offset: Option<i64>,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("topic", &self.topic.name)
            .field("bytes", &self.size())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("topic", &self.topic.name)
            .field("partition", &self.partition)
            .field("offset", &self.offset)
            .field("bytes", &self.size())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes)", self.name, self.value.len())
    }
}
