//! The installation key and what is derived from it.
//!
//! In: `[secrets]` (`keys/source.rs`). Out: sealed tokens (`keys/seal.rs`) and updates (`keys/inbox.rs`); keys for the hash that a
//! token is known by and for pseudonyms, both made by ingress; one for the console's cookies. Invariant: each purpose has a key of
//! its own, so that no use of one tells anything about another; none is ever printed.
//!
//! Rotation: a key file may hold several keys, one a line. The first seals; all of them open; the
//! last one makes the pseudonyms, so that these stay the same while it stays in the file.

mod inbox;
mod seal;
mod source;

use std::fmt;
use std::sync::Arc;

use gramtap_events::TenantId;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

pub use inbox::{Part, Place};
pub use source::{KeysError, SecretsSection};

/// 32 secret bytes.
pub(crate) type Bytes32 = Zeroizing<[u8; 32]>;

/// The keys of this installation. Cheap to clone.
#[derive(Clone)]
pub struct Keys(Arc<Inner>);

struct Inner {
    /// All keys that open, the one that seals first. Never empty.
    seals: Vec<seal::Seal>,
    token: Bytes32,
    pseudonyms: Bytes32,
    cookies: Bytes32,
    access: Bytes32,
}

impl Keys {
    /// The first key seals, the last makes pseudonyms.
    pub(crate) fn new(first: &Bytes32, older: &[Bytes32]) -> Self {
        let last = older.last().unwrap_or(first);
        let seals = std::iter::once(first).chain(older).map(seal::Seal::new);
        Self(Arc::new(Inner {
            seals: seals.collect(),
            token: derive(first, "gramtap token hash v1"),
            pseudonyms: derive(last, "gramtap pseudonyms v1"),
            cookies: derive(first, "gramtap cookies v1"),
            access: derive(last, "gramtap api keys v1"),
        }))
    }

    /// Which key seals. No secret.
    #[must_use]
    pub fn id(&self) -> &str {
        self.0.seals.first().map_or("", seal::Seal::id)
    }

    /// The key of the hash that a token is known by where the token itself may not be. Without it
    /// a hash tells nothing, not even by trying all tokens of a bot.
    #[must_use]
    pub fn token_key(&self) -> [u8; 32] {
        *self.0.token
    }

    /// The key that the console signs its cookies with. Another first key signs everybody out.
    #[must_use]
    pub fn cookie_key(&self) -> [u8; 32] {
        *self.0.cookies
    }

    /// The key of the hashes that API keys are kept as. Stays the same while the last key stays in the file.
    #[must_use]
    pub fn access_key(&self) -> [u8; 32] {
        *self.0.access
    }

    /// The key that a bot's users and chats get their pseudonyms with.
    #[must_use]
    pub fn pseudonym_key(&self, tenant: TenantId) -> [u8; 32] {
        *derive(&self.0.pseudonyms, tenant.as_str())
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.id())
    }
}

/// The key for a purpose.
fn derive(key: &Bytes32, purpose: &str) -> Bytes32 {
    let mut mac = mac(key);
    mac.update(purpose.as_bytes());
    Zeroizing::new(mac.finalize().into_bytes().into())
}

fn mac(key: &Bytes32) -> Hmac<Sha256> {
    // A key shorter than the hash's block is filled up with zeros.
    let mut block = Zeroizing::new([0; 64]);
    block[..32].copy_from_slice(&**key);
    Hmac::new(&(*block).into())
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    pub(crate) fn keys(seed: u8) -> Keys {
        Keys::new(&Zeroizing::new([seed; 32]), &[])
    }

    #[test]
    fn purposes_have_keys_of_their_own() {
        let key = Zeroizing::new([7; 32]);
        assert_ne!(derive(&key, "a"), derive(&key, "b"));
        assert_eq!(derive(&key, "a"), derive(&key, "a"));
        assert_ne!(derive(&key, "a"), derive(&Zeroizing::new([8; 32]), "a"));
    }

    #[test]
    fn each_bot_and_each_installation_has_pseudonyms_of_its_own() {
        let [one, two] = ["aaaaaaaaaaaaaaaaaaaaaaaaab", "aaaaaaaaaaaaaaaaaaaaaaaaac"]
            .map(|id| id.parse().unwrap());
        assert_eq!(keys(1).pseudonym_key(one), keys(1).pseudonym_key(one));
        assert_ne!(keys(1).pseudonym_key(one), keys(1).pseudonym_key(two));
        assert_ne!(keys(1).pseudonym_key(one), keys(2).pseudonym_key(one));
        assert_ne!(keys(1).token_key(), keys(2).token_key());
        assert_ne!(keys(1).token_key(), keys(1).pseudonym_key(one));
        assert_ne!(keys(1).cookie_key(), keys(2).cookie_key());
        assert_ne!(keys(1).cookie_key(), keys(1).token_key());
    }

    #[test]
    fn rotation_keeps_pseudonyms_while_the_oldest_key_stays() {
        let (old, new) = (Zeroizing::new([1; 32]), Zeroizing::new([2; 32]));
        let tenant = "aaaaaaaaaaaaaaaaaaaaaaaaab".parse().unwrap();
        let before = Keys::new(&old, &[]);
        let after = Keys::new(&new, &[old]);
        assert_eq!(before.pseudonym_key(tenant), after.pseudonym_key(tenant));
        assert_eq!(before.access_key(), after.access_key());
        assert_ne!(before.token_key(), after.token_key());
    }

    #[test]
    fn keys_are_not_printed() {
        let text = format!("{:?} {:#?}", keys(7), keys(7));
        assert!(!text.contains("[7") && text.len() < 60, "{text}");
    }
}
