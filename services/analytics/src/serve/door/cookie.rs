//! The cookie that says which session a browser is in.
//!
//! In: a session's id, the installation's key. Out: the cookie's text and back. Invariant: an id is read only from what this
//! installation has signed, so that made-up cookies never reach SQL; over https the cookie belongs to this host alone. Pure.

use actix_web::cookie::{Cookie, SameSite, time::Duration};
use data_encoding::BASE64URL_NOPAD;
use gramtap_tenants::Keys;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A session's id.
pub(in crate::serve) type Id = [u8; 16];

/// What it is called: a browser takes the first name only over https, only for this host.
pub(in crate::serve) fn name(url: &str) -> &'static str {
    match is_secure(url) {
        true => "__Host-gramtap",
        false => "gramtap",
    }
}

fn is_secure(url: &str) -> bool {
    url.starts_with("https://")
}

/// The id, signed.
pub(in crate::serve) fn seal(keys: &Keys, id: &Id) -> String {
    let signature = mac(keys, id).finalize().into_bytes();
    format!(
        "{}.{}",
        BASE64URL_NOPAD.encode(id),
        BASE64URL_NOPAD.encode(&signature)
    )
}

/// The id that was signed, if it was.
pub(in crate::serve) fn open(keys: &Keys, text: &str) -> Option<Id> {
    let (id, signature) = text.split_once('.')?;
    let id: Id = BASE64URL_NOPAD
        .decode(id.as_bytes())
        .ok()?
        .try_into()
        .ok()?;
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).ok()?;
    mac(keys, &id).verify_slice(&signature).ok()?;
    Some(id)
}

fn mac(keys: &Keys, id: &Id) -> Hmac<Sha256> {
    // A key shorter than the hash's block is filled up with zeros.
    let mut block = [0; 64];
    block[..32].copy_from_slice(&keys.cookie_key());
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(id);
    mac
}

/// The cookie to set, for as long as a session may last.
pub(in crate::serve) fn set(keys: &Keys, url: &str, id: &Id) -> Cookie<'static> {
    made(url, seal(keys, id), super::sessions::LONGEST)
}

/// The cookie that takes the other one away.
pub(in crate::serve) fn clear(url: &str) -> Cookie<'static> {
    made(url, String::new(), 0)
}

fn made(url: &str, value: String, seconds: i64) -> Cookie<'static> {
    Cookie::build(name(url), value)
        .path("/")
        .http_only(true)
        .secure(is_secure(url))
        .same_site(SameSite::Lax)
        .max_age(Duration::seconds(seconds))
        .finish()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::serve::tests::keys;
    use proptest::prelude::*;

    #[test]
    fn over_https_it_is_of_this_host_alone() {
        let keys = keys();
        let text = set(&keys, "https://console.example", &[7; 16]).to_string();
        assert!(text.starts_with("__Host-gramtap="), "{text}");
        for part in [
            "; HttpOnly",
            "; Secure",
            "; SameSite=Lax",
            "; Path=/",
            "; Max-Age=2592000",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let text = set(&keys, "http://127.0.0.1:8090", &[7; 16]).to_string();
        assert!(
            text.starts_with("gramtap=") && !text.contains("Secure"),
            "{text}"
        );
        assert!(!text.contains("Domain"), "{text}");
    }

    proptest! {
        #[test]
        fn only_what_was_signed_is_read(id: [u8; 16], place in 0usize..65, bit in 0u8..8) {
            let keys = keys();
            let text = seal(&keys, &id);
            prop_assert_eq!(open(&keys, &text), Some(id));
            let mut bytes = text.into_bytes();
            let place = place % bytes.len();
            bytes[place] ^= 1 << bit;
            let forged = String::from_utf8_lossy(&bytes).into_owned();
            prop_assert_eq!(open(&keys, &forged), None);
        }

        #[test]
        fn junk_is_none(text in "\\PC{0,80}") {
            prop_assert_eq!(open(&keys(), &text), None);
        }
    }
}
