//! The public label of a bot: 26 characters of lower-case base32.
//!
//! In: `registry.rs` makes one for each tenant; ingress reads it from a host name or a path. Out: a
//! key of the directory. Invariant: it never begins with `bot`, so that no code is taken for a
//! `/bot…` path. It is no secret: DNS and certificates show it. Pure but for the system's randomness.

use std::fmt;
use std::str::FromStr;

use gramtap_events::TenantId;
use serde::{Deserialize, Serialize};

/// A code, always in lower case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code([u8; Self::LENGTH]);

/// The text is no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a code has 26 characters of a-z and 2-7 and does not begin with bot")]
pub struct CodeError;

/// The system gives no randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random bytes: {0}")]
pub struct RandomError(#[from] getrandom::Error);

impl Code {
    /// Characters: 128 bits in base32.
    pub const LENGTH: usize = 26;

    /// A new code from 128 random bits.
    pub fn generate() -> Result<Self, RandomError> {
        loop {
            // One in 32,768 begins with bot.
            if let Ok(code) = random_label()?.parse() {
                return Ok(code);
            }
        }
    }

    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// A new id for a tenant, from 128 random bits.
pub(crate) fn new_tenant_id() -> Result<TenantId, RandomError> {
    loop {
        match random_label()?.parse() {
            Ok(TenantId::UNATTRIBUTED) | Err(_) => {}
            Ok(id) => return Ok(id),
        }
    }
}

pub(crate) fn random_label() -> Result<String, RandomError> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits)?;
    Ok(data_encoding::BASE32_NOPAD
        .encode(&bits)
        .to_ascii_lowercase())
}

impl FromStr for Code {
    type Err = CodeError;

    /// Reads a label of a host name or path in any case: host names have none.
    fn from_str(text: &str) -> Result<Self, CodeError> {
        let mut bytes: [u8; Self::LENGTH] = text.as_bytes().try_into().map_err(|_| CodeError)?;
        bytes.make_ascii_lowercase();
        let fits = |byte: &u8| matches!(byte, b'a'..=b'z' | b'2'..=b'7');
        match bytes.iter().all(fits) && !bytes.starts_with(b"bot") {
            true => Ok(Self(bytes)),
            false => Err(CodeError),
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_codes_are_read() {
        for text in [
            "",
            "abc",
            "botcdefghijklmnopqrstuvwxy",
            "BOTCDEFGHIJKLMNOPQRSTUVWXY",
            "abcdefghijklmnopqrstuvwxy1",
            "abcdefghijklmnopqrstuvwx.y",
            "abcdefghijklmnopqrstuvwxyzz",
            "äbcdefghijklmnopqrstuvwxy",
        ] {
            assert_eq!(text.parse::<Code>(), Err(CodeError), "{text}");
        }
        let code: Code = "ABCDEFGHIJKLMNOPQRSTUVWXYZ".parse().unwrap();
        assert_eq!(code.to_string(), "abcdefghijklmnopqrstuvwxyz");
    }

    #[test]
    fn generated_codes_differ_and_are_read_back() {
        let mut seen = std::collections::HashSet::new();
        for _ in 0..2_000 {
            let code = Code::generate().unwrap();
            assert!(!code.as_str().starts_with("bot"));
            assert_eq!(code.as_str().parse(), Ok(code));
            assert!(seen.insert(code));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn what_is_read_is_written_alike(text in "[a-z2-7]{26}") {
            match text.parse::<Code>() {
                Ok(code) => prop_assert_eq!(code.as_str(), text),
                Err(CodeError) => prop_assert!(text.starts_with("bot")),
            }
        }
    }
}
