//! Who a record is about and which record it is.
//!
//! In: the registry (tenants) and the instance that saw a thing (records). Out: fields of every
//! record, keys of every topic. Invariant: a record's id is minted before any batching, and an
//! instance's sequences have no holes: a hole is a loss, and it is counted downstream.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A connected bot in this installation: 26 lower-case base32 characters, opaque and stable.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId([u8; Self::LENGTH]);

/// The text is no tenant id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a tenant id has 26 characters of a-z and 2-7")]
pub struct TenantIdError;

impl TenantId {
    /// Characters of an id: 128 random bits in base32.
    pub const LENGTH: usize = 26;

    /// The tenant of calls that could not be attributed, because the registry could not be asked.
    pub const UNATTRIBUTED: Self = Self([b'a'; Self::LENGTH]);

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for TenantId {
    type Err = TenantIdError;

    fn from_str(text: &str) -> Result<Self, TenantIdError> {
        let bytes: [u8; Self::LENGTH] = text.as_bytes().try_into().map_err(|_| TenantIdError)?;
        match bytes
            .iter()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'))
        {
            true => Ok(Self(bytes)),
            false => Err(TenantIdError),
        }
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for TenantId {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for TenantId {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for TenantId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TenantId".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "pattern": "^[a-z2-7]{26}$"})
    }
}

/// `{instance}-{epoch}-{sequence}`: which record this is, the same when it is sent twice.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct RecordId(String);

impl RecordId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Mints the record ids of one instance. Shared by all workers of a process.
#[derive(Debug)]
pub struct Mint {
    /// Of every id: instance and epoch.
    head: String,
    next: AtomicU64,
}

impl Mint {
    /// `instance` is the stable name of the process (a pod's name, a host's), `epoch` grows with
    /// every start of it (milliseconds of the clock will do).
    #[must_use]
    pub fn new(instance: &str, epoch: u64) -> Self {
        let fits = |sign: &char| sign.is_ascii_alphanumeric() || matches!(sign, '.' | '_' | '-');
        let instance: String = instance.chars().filter(fits).take(63).collect();
        Self {
            head: format!("{instance}-{epoch}-"),
            next: AtomicU64::new(0),
        }
    }

    /// The next id.
    pub fn mint(&self) -> RecordId {
        let sequence = self.next.fetch_add(1, Ordering::Relaxed);
        RecordId([&self.head, itoa::Buffer::new().format(sequence)].concat())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn tenant_ids_are_read_back_and_others_refused() {
        let id: TenantId = "abcdefghijklmnopqrstuvwx27".parse().unwrap();
        assert_eq!(
            serde_json::to_string(&id).unwrap(),
            "\"abcdefghijklmnopqrstuvwx27\""
        );
        for text in [
            "",
            "abc",
            "ABCDEFGHIJKLMNOPQRSTUVWX27",
            "abcdefghijklmnopqrstuvwx01",
        ] {
            assert_eq!(text.parse::<TenantId>(), Err(TenantIdError), "{text}");
        }
    }

    #[test]
    fn sequences_have_no_holes() {
        let mint = Mint::new("pod-1.a", 7);
        assert_eq!(mint.mint().as_str(), "pod-1.a-7-0");
        assert_eq!(mint.mint().as_str(), "pod-1.a-7-1");
    }
}
