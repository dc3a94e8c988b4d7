//! Sealing: AES-256-GCM, each seal bound to what it belongs to.
//!
//! In: `registry/token.rs` (tokens), `inbox.rs` (webhook updates), `webhook.rs` (where those go). Out: base64 text for SQL, sealed bytes for records, and back.
//! Invariant: a nonce is random and used once; what was sealed for one tenant does not open for another; the text that a token is
//! opened into is wiped.

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use data_encoding::{BASE64, HEXLOWER};
use gramtap_events::TenantId;
use gramtap_telegram::Token;
use zeroize::Zeroizing;

use super::{Bytes32, Keys, KeysError, derive};

/// Bytes of a nonce.
pub(super) const NONCE: usize = 12;

/// One key that seals and opens.
pub(super) struct Seal {
    id: String,
    /// For tokens.
    token: Cipher,
    /// For updates that wait.
    pub(super) inbox: Cipher,
    /// For webhooks' addresses and secrets.
    webhook: Cipher,
}

/// One key for one purpose.
pub(super) struct Cipher(Aes256Gcm);

impl Seal {
    pub(super) fn new(key: &Bytes32) -> Self {
        let id = derive(key, "gramtap key id v1");
        let cipher = |purpose| Cipher(Aes256Gcm::new(&(*derive(key, purpose)).into()));
        Self {
            id: HEXLOWER.encode(&id[..4]),
            token: cipher("gramtap token seal v1"),
            inbox: cipher("gramtap inbox seal v1"),
            webhook: cipher("gramtap webhook seal v1"),
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }
}

impl Cipher {
    /// A nonce and the sealed bytes.
    pub(super) fn seal(
        &self,
        bound_to: &[u8],
        bytes: &[u8],
    ) -> Result<([u8; NONCE], Vec<u8>), KeysError> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce)?;
        let payload = Payload {
            msg: bytes,
            aad: bound_to,
        };
        let sealed = self.0.encrypt(&Nonce::from(nonce), payload);
        Ok((nonce, sealed.map_err(|_| KeysError::Damaged)?))
    }

    /// What was sealed.
    pub(super) fn open(
        &self,
        bound_to: &[u8],
        nonce: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, KeysError> {
        let nonce = Nonce::try_from(nonce).map_err(|_| KeysError::Damaged)?;
        let payload = Payload {
            msg: sealed,
            aad: bound_to,
        };
        let opened = self.0.decrypt(&nonce, payload);
        opened.map_err(|_| KeysError::Damaged)
    }
}

impl Keys {
    /// The key that seals.
    pub(super) fn first(&self) -> Result<&Seal, KeysError> {
        self.0.seals.first().ok_or(KeysError::Damaged)
    }

    /// The key of an id.
    pub(super) fn named(&self, key_id: &str) -> Result<&Seal, KeysError> {
        let seal = self.0.seals.iter().find(|seal| seal.id == key_id);
        seal.ok_or_else(|| KeysError::UnknownKey {
            key_id: key_id.to_owned(),
        })
    }

    /// Seals a tenant's token, with the key that [`Keys::id`] names.
    pub fn seal_token(&self, tenant: TenantId, token: &Token) -> Result<String, KeysError> {
        let (bound_to, token) = (tenant.as_str().as_bytes(), token.expose().as_bytes());
        let (nonce, body) = self.first()?.token.seal(bound_to, token)?;
        Ok(BASE64.encode(&[nonce.as_slice(), &body].concat()))
    }

    /// Seals what belongs to a tenant's webhook, as a text that names its key.
    pub(crate) fn seal_text(&self, tenant: TenantId, bytes: &[u8]) -> Result<String, KeysError> {
        let seal = self.first()?;
        let (nonce, body) = seal.webhook.seal(tenant.as_str().as_bytes(), bytes)?;
        let body = BASE64.encode(&[nonce.as_slice(), &body].concat());
        Ok(format!("{}.{body}", seal.id))
    }

    /// Opens what [`Keys::seal_text`] made.
    pub(crate) fn open_text(
        &self,
        tenant: TenantId,
        sealed: &str,
    ) -> Result<Zeroizing<Vec<u8>>, KeysError> {
        let (key_id, body) = sealed.split_once('.').ok_or(KeysError::Damaged)?;
        let cipher = &self.named(key_id)?.webhook;
        open(cipher, tenant, body)
    }

    /// Opens what [`Keys::seal_token`] made.
    pub fn open_token(
        &self,
        tenant: TenantId,
        key_id: &str,
        sealed: &str,
    ) -> Result<Token, KeysError> {
        let text = open(&self.named(key_id)?.token, tenant, sealed)?;
        let text = std::str::from_utf8(&text).map_err(|_| KeysError::Damaged)?;
        Token::parse(text).map_err(|_| KeysError::Damaged)
    }
}

fn open(cipher: &Cipher, tenant: TenantId, sealed: &str) -> Result<Zeroizing<Vec<u8>>, KeysError> {
    let sealed = BASE64.decode(sealed.as_bytes()).unwrap_or_default();
    let (nonce, body) = sealed.split_at_checked(NONCE).ok_or(KeysError::Damaged)?;
    let opened = cipher.open(tenant.as_str().as_bytes(), nonce, body);
    opened.map(Zeroizing::new)
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
