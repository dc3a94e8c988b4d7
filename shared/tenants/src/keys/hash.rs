//! What a token is known by where the token itself may not be.
//!
//! In: tokens, on the way of a call. Out: the set of verified tokens, logs. Invariant: without the
//! installation key nothing about the token follows from it, not even by trying all tokens of a
//! bot. Costs about a microsecond and no allocation.

use std::fmt;

use gramtap_telegram::Token;
use hmac::Mac;

use super::Keys;

/// The keyed hash of a token: 128 bits, printed as 8 characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenHash([u8; 16]);

impl Keys {
    /// The hash of a token in this installation.
    #[must_use]
    pub fn hash_token(&self, token: &Token) -> TokenHash {
        let mut mac = self.0.hash.clone();
        mac.update(token.expose().as_bytes());
        let full: [u8; 32] = mac.finalize().into_bytes().into();
        let mut hash = [0; 16];
        hash.copy_from_slice(&full[..16]);
        TokenHash(hash)
    }
}

impl fmt::Display for TokenHash {
    /// The first 32 bits: enough to tell the tokens of an installation apart in its logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..4]
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::keys::tests::keys;

    #[test]
    fn tokens_are_told_apart_within_an_installation_only() {
        let (one, two) = (Token::parse("42:a").unwrap(), Token::parse("42:b").unwrap());
        assert_eq!(keys(1).hash_token(&one), keys(1).hash_token(&one.clone()));
        assert_ne!(keys(1).hash_token(&one), keys(1).hash_token(&two));
        assert_ne!(keys(1).hash_token(&one), keys(2).hash_token(&one));
        assert_eq!(keys(1).hash_token(&one).to_string().len(), 8);
    }
}
