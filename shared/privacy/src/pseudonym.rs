//! Replaces an id by one that only the bot's key leads to.
//!
//! In: ids of users and chats (`filter.rs`), the bot's key. Out: ids of the same sign and type.
//! Invariant: the same id and key give the same pseudonym, whether the id was written as a number or
//! as a string of digits; it lies in 2^51..2^52, so it fits what Telegram promises of ids and is
//! never one of the service accounts, which are nobody and stay as they are.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The key that ids are replaced with in `pseudonymous` mode; one per bot.
pub type PseudonymKey = [u8; 32];

/// Telegram's notifications, the anonymous group administrator, the channel's voice.
const SERVICE_ACCOUNTS: [u64; 3] = [777_000, 1_087_968_824, 136_817_688];
const BIT: u32 = 51;

/// The pseudonym of an id. Zero, which is nobody's, stays.
pub(super) fn of(id: i64, key: &PseudonymKey) -> i64 {
    let size = id.unsigned_abs();
    if size == 0 || SERVICE_ACCOUNTS.contains(&size) {
        return id;
    }
    let hashed = i64::try_from(hashed(&id.to_string(), key)).unwrap_or(i64::MAX);
    if id < 0 { -hashed } else { hashed }
}

/// The pseudonym of an id that is a string of digits (they may be longer than a number is).
pub(super) fn of_digits(digits: &str, key: &PseudonymKey) -> String {
    match digits.parse() {
        Ok(id) => of(id, key).to_string(),
        Err(_) => hashed(digits, key).to_string(),
    }
}

fn hashed(text: &str, key: &PseudonymKey) -> u64 {
    let mut head = [0; 8];
    // A key of 32 bytes is always taken.
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) {
        mac.update(text.as_bytes());
        head.copy_from_slice(&mac.finalize().into_bytes()[..8]);
    }
    (u64::from_be_bytes(head) >> (u64::BITS - BIT)) | (1 << BIT)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn pseudonyms_keep_sign_and_size_and_differ_by_key() {
        let (one, other) = ([1; 32], [2; 32]);
        for id in [
            1,
            42,
            5_000_000_000,
            -42,
            -1_001_234_567_890,
            i64::MIN,
            i64::MAX,
        ] {
            let pseudonym = of(id, &one);
            assert_eq!(pseudonym.signum(), id.signum());
            assert!(
                (1 << 51..1 << 52).contains(&pseudonym.unsigned_abs()),
                "{pseudonym}"
            );
            assert_ne!(pseudonym, of(id, &other));
            assert_eq!(pseudonym, of(id, &one));
            assert_eq!(of_digits(&id.to_string(), &one), pseudonym.to_string());
        }
        assert_ne!(of(42, &one), -of(-42, &one));
        let long = "123456789012345678901234";
        assert!((1 << 51..1 << 52).contains(&of_digits(long, &one).parse::<u64>().unwrap()));
    }

    #[test]
    fn nobody_stays_nobody() {
        for id in [0, 777_000, 1_087_968_824, 136_817_688] {
            assert_eq!(of(id, &[7; 32]), id);
        }
    }
}
