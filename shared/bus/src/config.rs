//! The settings of the bus: `[bus]`, `[bus.embedded]` and `[kafka]` of `default.toml`.
//!
//! In: `shared/settings`. Out: `port.rs`. Invariant: the value of a property whose name holds
//! `password` or `secret` is in no `Debug` output and nothing serialized; unknown keys are refused.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use gramtap_settings::ByteSize;
use serde::{Deserialize, Serialize, Serializer};

/// All that the bus is opened with.
#[derive(Clone, Debug)]
pub struct BusConfig {
    /// `[bus]`.
    pub bus: BusSection,
    /// `[kafka]`; not looked at when the kind is embedded.
    pub kafka: KafkaSection,
    /// `data_dir`: where `log.db` lies.
    pub data_dir: PathBuf,
    /// What brokers know this process by (`client.id`), e.g. `gramtap-ingress`.
    pub client: String,
}

/// `[bus]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BusSection {
    /// Which engine.
    pub kind: Kind,
    /// `[bus.embedded]`.
    pub embedded: EmbeddedSection,
}

/// Which engine carries the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The durable log in a file of this process.
    Embedded,
    /// Kafka.
    Kafka,
}

/// `[bus.embedded]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbeddedSection {
    /// How long records are kept at most; a topic's own retention may be shorter.
    #[serde(with = "gramtap_settings::duration")]
    pub retention: Duration,
    /// What all records may take together.
    pub max_bytes: ByteSize,
}

/// `[kafka]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KafkaSection {
    /// host:port, several separated by commas.
    pub brokers: String,
    /// Any other setting of librdkafka.
    pub properties: Vec<Property>,
    /// Partitions of a topic that `topics apply` creates, and that the check expects.
    pub partitions: i32,
    /// Copies of a topic that `topics apply` creates.
    pub replication: i32,
    /// How batches are packed.
    pub compression: Compression,
}

/// How batches are packed on their way to Kafka.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// Not at all.
    None,
    /// Quick.
    Lz4,
    /// Small.
    Zstd,
}

impl Compression {
    /// librdkafka's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }
}

/// One `key=value` for librdkafka.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Property {
    /// e.g. `security.protocol`.
    pub key: String,
    /// May be a secret.
    pub value: String,
}

impl Property {
    /// The value, unless it may not be shown.
    fn shown(&self) -> &str {
        match ["password", "secret", "jaas", "key", "token"]
            .iter()
            .any(|word| self.key.contains(word))
        {
            true => "(hidden)",
            false => &self.value,
        }
    }
}

/// The text is no `key=value`. It is not shown, because it may hold a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a Kafka property is written key=value")]
pub struct PropertyError;

impl TryFrom<String> for Property {
    type Error = PropertyError;

    fn try_from(text: String) -> Result<Self, PropertyError> {
        let (key, value) = text.split_once('=').ok_or(PropertyError)?;
        match key.trim() {
            "" => Err(PropertyError),
            key => Ok(Self {
                key: key.to_owned(),
                value: value.trim().to_owned(),
            }),
        }
    }
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.key, self.shown())
    }
}

impl fmt::Debug for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Property {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn secret_properties_are_never_shown() {
        for key in [
            "sasl.password",
            "ssl.key.password",
            "sasl.oauthbearer.client.secret",
            "ssl.key.pem",
        ] {
            let property = Property::try_from(format!("{key}=hunter2=x")).unwrap();
            assert_eq!(property.value, "hunter2=x");
            let shown = format!(
                "{property:?} {property} {}",
                serde_json::to_string(&property).unwrap()
            );
            assert!(!shown.contains("hunter2"), "{shown}");
        }
        let plain = Property::try_from("security.protocol = ssl".to_owned()).unwrap();
        assert_eq!(plain.to_string(), "security.protocol=ssl");
        assert_eq!(Property::try_from("nothing".to_owned()), Err(PropertyError));
        assert_eq!(Property::try_from("=x".to_owned()), Err(PropertyError));
    }
}
