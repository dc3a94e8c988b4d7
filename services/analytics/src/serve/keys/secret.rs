//! The text of a key, and what is kept of it.
//!
//! In: the system's randomness; the text that a script sends. Out: a text to be shown once, and the hash that is kept. Invariant: a
//! secret has 256 random bits, so that a hash of it can be neither guessed nor tried out: no slow hash is needed, which would
//! let anybody spend this machine's time with wrong keys. The hash is keyed, so that who may write SQL alone makes no keys. Pure
//! but for the randomness.

use std::fmt;

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::Sha256;

/// Characters of an id: 80 bits.
const ID: usize = 16;
/// Characters of a secret: 256 bits.
const SECRET: usize = 52;

/// The two parts of `gt_<id>_<secret>`.
#[derive(Clone, PartialEq, Eq)]
pub struct Presented {
    /// What the key is found by. No secret.
    pub id: String,
    secret: String,
}

impl Presented {
    /// A new one.
    pub fn generate() -> Result<Self, <OsRng as TryRngCore>::Error> {
        let (mut id, mut secret) = ([0; 10], [0; 32]);
        OsRng.try_fill_bytes(&mut id)?;
        OsRng.try_fill_bytes(&mut secret)?;
        Ok(Self {
            id: label(&id),
            secret: label(&secret),
        })
    }

    /// Reads what a script sent.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix("gt_")?.split_once('_')?;
        let fits = |part: &str, length| {
            let sign = |byte: u8| matches!(byte, b'a'..=b'z' | b'2'..=b'7');
            part.len() == length && part.bytes().all(sign)
        };
        (fits(id, ID) && fits(secret, SECRET)).then(|| Self {
            id: id.to_owned(),
            secret: secret.to_owned(),
        })
    }

    /// The text that its owner is shown, once.
    #[must_use]
    pub fn text(&self) -> String {
        format!("gt_{}_{}", self.id, self.secret)
    }

    /// What is kept of it.
    #[must_use]
    pub fn hash(&self, key: &[u8; 32]) -> String {
        HEXLOWER.encode(&self.mac(key).finalize().into_bytes())
    }

    /// Whether it is the one that is kept. Takes the same time whatever differs.
    #[must_use]
    pub fn is(&self, key: &[u8; 32], kept: &str) -> bool {
        let kept = HEXLOWER.decode(kept.as_bytes()).unwrap_or_default();
        self.mac(key).verify_slice(&kept).is_ok()
    }

    fn mac(&self, key: &[u8; 32]) -> Hmac<Sha256> {
        // A key shorter than the hash's block is filled up with zeros.
        let mut block = [0; 64];
        block[..32].copy_from_slice(key);
        let mut mac = Hmac::new(&block.into());
        mac.update(self.id.as_bytes());
        mac.update(self.secret.as_bytes());
        mac
    }
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "gt_{}_…", self.id)
    }
}

fn label(bits: &[u8]) -> String {
    BASE32_NOPAD.encode(bits).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_key_is_read_back_known_by_its_hash_alone_and_never_printed() {
        let (one, two) = (
            Presented::generate().unwrap(),
            Presented::generate().unwrap(),
        );
        let text = one.text();
        assert_eq!(text.len(), 3 + ID + 1 + SECRET);
        assert_eq!(Presented::read(&text), Some(one.clone()));
        let kept = one.hash(&[1; 32]);
        assert!(one.is(&[1; 32], &kept));
        assert!(!one.is(&[2; 32], &kept) && !two.is(&[1; 32], &kept));
        assert!(!one.is(&[1; 32], "") && !one.is(&[1; 32], "no hash"));
        assert!(!format!("{one:?}").contains(&one.secret) && !kept.contains(&one.secret));
    }

    #[test]
    fn what_is_no_key_is_not_looked_up() {
        let good = Presented::generate().unwrap().text();
        for text in [
            "",
            "gt_",
            "gt__",
            &good[1..],
            &good[..good.len() - 1],
            &good.to_uppercase(),
            &good.replace("gt_", "gt-"),
            &format!("{good} "),
        ] {
            assert_eq!(Presented::read(text), None, "{text}");
        }
    }
}
