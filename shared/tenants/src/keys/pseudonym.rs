//! Pseudonyms of users and chats, for bots in the `pseudonymous` privacy mode.
//!
//! In: ids of a bot's updates and calls. Out: ids of the same shape in its records. Invariant: the
//! same id of the same bot always becomes the same pseudonym, of another bot another one; the sign
//! is kept (groups are negative), and so is that a user and the private chat with them share an id;
//! a pseudonym fits 52 bits as every id of Telegram does.

use gramtap_events::TenantId;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::Keys;

/// The pseudonyms of one bot.
#[derive(Clone)]
pub struct Pseudonyms(Hmac<Sha256>);

impl Keys {
    /// The pseudonyms of a bot. Keep them: making this costs as much as four of [`Pseudonyms::id`].
    #[must_use]
    pub fn pseudonyms(&self, tenant: TenantId) -> Pseudonyms {
        let mut mac = self.0.pseudonyms.clone();
        mac.update(tenant.as_str().as_bytes());
        let key = Zeroizing::new(mac.finalize().into_bytes().into());
        Pseudonyms(super::mac(&key))
    }
}

impl Pseudonyms {
    /// The pseudonym of a user's or chat's id. Zero, which is nobody's, stays zero.
    #[must_use]
    pub fn id(&self, id: i64) -> i64 {
        if id == 0 {
            return 0;
        }
        let mut mac = self.0.clone();
        mac.update(&id.to_be_bytes());
        let hash: [u8; 32] = mac.finalize().into_bytes().into();
        let mut low = [0; 8];
        low.copy_from_slice(&hash[..8]);
        let size = (i64::from_be_bytes(low) & ((1 << 52) - 1)).max(1);
        if id < 0 { -size } else { size }
    }
}

impl std::fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pseudonyms")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::keys::tests::keys;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn pseudonyms_look_like_ids_and_are_stable(id in -(1i64 << 52)..1i64 << 52) {
            let tenant = "aaaaaaaaaaaaaaaaaaaaaaaaab".parse().unwrap();
            let other = "aaaaaaaaaaaaaaaaaaaaaaaaac".parse().unwrap();
            let pseudonym = keys(1).pseudonyms(tenant).id(id);
            prop_assert_eq!(pseudonym, keys(1).pseudonyms(tenant).id(id));
            prop_assert_eq!(pseudonym.signum(), id.signum());
            prop_assert!(pseudonym.abs() < 1 << 52);
            if id != 0 {
                prop_assert_ne!(pseudonym, id);
                prop_assert_ne!(pseudonym, keys(1).pseudonyms(other).id(id));
                prop_assert_ne!(pseudonym, keys(2).pseudonyms(tenant).id(id));
            }
        }
    }

    #[test]
    fn rotation_keeps_pseudonyms_while_the_oldest_key_stays() {
        let (old, new) = (Zeroizing::new([1; 32]), Zeroizing::new([2; 32]));
        let tenant = "aaaaaaaaaaaaaaaaaaaaaaaaab".parse().unwrap();
        let before = Keys::new(&old, &[]).pseudonyms(tenant).id(77);
        let after = Keys::new(&new, &[old]).pseudonyms(tenant).id(77);
        assert_eq!(before, after);
    }
}
