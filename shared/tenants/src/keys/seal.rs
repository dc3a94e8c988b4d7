//! Sealing tokens: AES-256-GCM, bound to the tenant.
//!
//! In: `registry/token.rs`. Out: base64 text for SQL, and back. Invariant: a nonce is random and
//! used once; what was sealed for one tenant does not open for another; the text that a token is
//! opened into is wiped.

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use data_encoding::{BASE64, HEXLOWER};
use gramtap_events::TenantId;
use gramtap_telegram::Token;
use zeroize::Zeroizing;

use super::{Bytes32, Keys, KeysError, derive};

/// Bytes of a nonce.
const NONCE: usize = 12;

/// One key that seals and opens.
pub(super) struct Seal {
    id: String,
    cipher: Aes256Gcm,
}

impl Seal {
    pub(super) fn new(key: &Bytes32) -> Self {
        let id = derive(key, "gramtap key id v1");
        let seal = derive(key, "gramtap token seal v1");
        Self {
            id: HEXLOWER.encode(&id[..4]),
            cipher: Aes256Gcm::new(&(*seal).into()),
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }
}

impl Keys {
    /// Seals a tenant's token, with the key that [`Keys::id`] names.
    pub fn seal_token(&self, tenant: TenantId, token: &Token) -> Result<String, KeysError> {
        let mut sealed = vec![0; NONCE];
        getrandom::fill(&mut sealed)?;
        let seal = self.0.seals.first().ok_or(KeysError::Damaged)?;
        let payload = Payload {
            msg: token.expose().as_bytes(),
            aad: tenant.as_str().as_bytes(),
        };
        let nonce = Nonce::try_from(sealed.as_slice()).map_err(|_| KeysError::Damaged)?;
        let body = seal.cipher.encrypt(&nonce, payload);
        sealed.extend(body.map_err(|_| KeysError::Damaged)?);
        Ok(BASE64.encode(&sealed))
    }

    /// Opens what [`Keys::seal_token`] made.
    pub fn open_token(
        &self,
        tenant: TenantId,
        key_id: &str,
        sealed: &str,
    ) -> Result<Token, KeysError> {
        let seal = self.0.seals.iter().find(|seal| seal.id == key_id);
        let seal = seal.ok_or_else(|| KeysError::UnknownKey {
            key_id: key_id.to_owned(),
        })?;
        let sealed = BASE64.decode(sealed.as_bytes()).unwrap_or_default();
        let (nonce, body) = sealed.split_at_checked(NONCE).ok_or(KeysError::Damaged)?;
        let nonce = Nonce::try_from(nonce).map_err(|_| KeysError::Damaged)?;
        let payload = Payload {
            msg: body,
            aad: tenant.as_str().as_bytes(),
        };
        let text = seal.cipher.decrypt(&nonce, payload).map(Zeroizing::new);
        let text = text.map_err(|_| KeysError::Damaged)?;
        let text = std::str::from_utf8(&text).map_err(|_| KeysError::Damaged)?;
        Token::parse(text).map_err(|_| KeysError::Damaged)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::keys::tests::keys;
    use proptest::prelude::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaab";
    const B: &str = "aaaaaaaaaaaaaaaaaaaaaaaaac";

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_token_is_opened_by_its_tenant_alone(id in 1i64..1 << 40, secret in "[A-Za-z0-9_-]{35}", flip: usize) {
            let (keys, tenant) = (keys(1), A.parse().unwrap());
            let token = Token::parse(&format!("{id}:{secret}")).unwrap();
            let sealed = keys.seal_token(tenant, &token).unwrap();
            prop_assert!(!sealed.contains(&secret));
            prop_assert_ne!(&sealed, &keys.seal_token(tenant, &token).unwrap());
            prop_assert_eq!(&keys.open_token(tenant, keys.id(), &sealed).unwrap(), &token);
            let other = keys.open_token(B.parse().unwrap(), keys.id(), &sealed);
            prop_assert!(matches!(other, Err(KeysError::Damaged)));
            let mut changed = BASE64.decode(sealed.as_bytes()).unwrap();
            let place = flip % changed.len();
            changed[place] ^= 1;
            let changed = keys.open_token(tenant, keys.id(), &BASE64.encode(&changed));
            prop_assert!(matches!(changed, Err(KeysError::Damaged)));
        }
    }

    #[test]
    fn an_older_key_opens_and_the_first_one_seals() {
        let (old, new) = (Zeroizing::new([1; 32]), Zeroizing::new([2; 32]));
        let tenant = A.parse().unwrap();
        let token = Token::parse("42:secret").unwrap();
        let before = Keys::new(&old, &[]);
        let sealed = before.seal_token(tenant, &token).unwrap();
        let rotated = Keys::new(&new, std::slice::from_ref(&old));
        assert_ne!(rotated.id(), before.id());
        assert_eq!(
            rotated.open_token(tenant, before.id(), &sealed).unwrap(),
            token
        );
        let lost = Keys::new(&new, &[]).open_token(tenant, before.id(), &sealed);
        assert!(matches!(lost, Err(KeysError::UnknownKey { .. })));
    }

    #[test]
    fn garbage_is_damaged() {
        for sealed in ["", "!", "AAAA", "AAAAAAAAAAAAAAAAAAAAAAAA"] {
            let opened = keys(1).open_token(A.parse().unwrap(), keys(1).id(), sealed);
            assert!(matches!(opened, Err(KeysError::Damaged)), "{sealed}");
        }
    }
}
