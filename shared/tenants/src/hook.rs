//! The secret part of a webhook's address, and the hash that it is known by.
//!
//! In: the system's randomness; ingress reads one from a path. Out: a key of the directory. Invariant: the registry, Redis and the topic hold the hash
//! alone, so that who reads them can forge no update; the secret is printed by nothing but [`Hook::expose`]. Pure but for the randomness.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::code::{RandomError, random_label};

/// The secret of one webhook's address: 128 random bits as 26 characters of lower-case base32.
#[derive(Clone)]
pub struct Hook(Zeroizing<String>);

/// What a hook is known by: the first half of its SHA-256. Nothing is gained by keying or stretching it: what it hides is random.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct HookHash([u8; 16]);

/// The text is no hook, or no hash of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a webhook's secret has 26 characters of a-z and 2-7, its hash 32 of 0-9 and a-f")]
pub struct HookError;

impl Hook {
    /// Characters.
    pub const LENGTH: usize = 26;

    /// A new one.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub fn generate() -> Result<Self, RandomError> {
        Ok(Self(Zeroizing::new(random_label()?)))
    }

    /// The secret, for the address that Telegram is told, and for nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What it is known by.
    #[must_use]
    pub fn hash(&self) -> HookHash {
        HookHash::of(&self.0)
    }
}

impl FromStr for Hook {
    type Err = HookError;

    /// Reads a part of a path. Telegram sends it as it was given: in lower case.
    fn from_str(text: &str) -> Result<Self, HookError> {
        let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'2'..=b'7');
        match text.len() == Self::LENGTH && text.bytes().all(fits) {
            true => Ok(Self(Zeroizing::new(text.to_owned()))),
            false => Err(HookError),
        }
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hook({})", self.hash())
    }
}

impl HookHash {
    fn of(hook: &str) -> Self {
        let digest = Sha256::new()
            .chain_update(b"gramtap hook v1 ")
            .chain_update(hook)
            .finalize();
        let mut half = [0; 16];
        half.copy_from_slice(&digest[..16]);
        Self(half)
    }
}

impl fmt::Display for HookHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for HookHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for HookHash {
    type Err = HookError;

    fn from_str(text: &str) -> Result<Self, HookError> {
        let bytes = data_encoding::HEXLOWER.decode(text.as_bytes());
        let bytes = bytes.map_err(|_| HookError)?;
        bytes.try_into().map(Self).map_err(|_| HookError)
    }
}

impl Serialize for HookHash {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HookHash {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_hook_is_read_back_and_shown_by_its_hash_alone() {
        let hook = Hook::generate().unwrap();
        let read: Hook = hook.expose().parse().unwrap();
        assert_eq!(read.hash(), hook.hash());
        let shown = format!("{hook:?} {:?} {}", hook.hash(), hook.hash());
        assert!(!shown.contains(hook.expose()), "{shown}");
        let hash: HookHash = hook.hash().to_string().parse().unwrap();
        assert_eq!(hash, hook.hash());
        assert_ne!(hash, Hook::generate().unwrap().hash());
    }

    #[test]
    fn the_hash_of_a_hook_stays_the_same_for_ever() {
        let hash = HookHash::of("abcdefghijklmnopqrstuvwxyz");
        assert_eq!(hash.to_string(), "0b27d8ce170d6e52c33ca0d2e47de913");
    }

    #[test]
    fn only_hooks_are_read() {
        for text in [
            "",
            "abc",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            "abcdefghijklmnopqrstuvwxy1",
            "abcdefghijklmnopqrstuvwxyzz",
        ] {
            assert!(text.parse::<Hook>().is_err(), "{text}");
        }
        for text in ["", "00", "0123456789ABCDEF0123456789ABCDEF"] {
            assert!(text.parse::<HookHash>().is_err(), "{text}");
        }
    }
}
