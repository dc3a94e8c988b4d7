//! Reason phrases as actix wants them: `&'static str`.
//!
//! In: the phrase of Telegram's status line. Out: the same for the bot's. Clients show it to
//! people, so it passes unchanged. Invariant: at most [`BOUND`] phrases of a process are ever
//! kept (and never given back); a phrase beyond that becomes the standard one.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use actix_web::http::StatusCode;

/// Telegram uses a dozen; a phrase made up per answer must not fill the memory.
const BOUND: usize = 256;
/// A longer phrase is not kept.
const LONGEST: usize = 256;

static KEPT: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);

/// The phrase to answer with; none where the standard one of the status says the same.
pub(crate) fn phrase(status: StatusCode, raw: &[u8]) -> Option<&'static str> {
    if status
        .canonical_reason()
        .is_some_and(|reason| reason.as_bytes() == raw)
    {
        return None;
    }
    let fits = |byte: &u8| matches!(byte, b'\t' | b' '..=b'~' | 0x80..);
    let text = str::from_utf8(raw)
        .ok()
        .filter(|_| raw.len() <= LONGEST && raw.iter().all(fits))?;
    let mut guard = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = guard.get_or_insert_default();
    if let Some(known) = kept.get(text) {
        return Some(known);
    }
    if kept.len() >= BOUND {
        return None;
    }
    let phrase: &'static str = Box::leak(text.to_owned().into_boxed_str());
    kept.insert(phrase);
    Some(phrase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_phrases_as_they_are_and_not_without_bound() {
        assert_eq!(phrase(StatusCode::OK, b"OK"), None);
        assert_eq!(
            phrase(StatusCode::FORBIDDEN, b"You shall not pass"),
            Some("You shall not pass")
        );
        assert_eq!(phrase(StatusCode::OK, b""), Some(""));
        assert_eq!(phrase(StatusCode::OK, b"a\r\nb: c"), None);
        for number in 0..2 * BOUND {
            phrase(StatusCode::OK, format!("phrase {number}").as_bytes());
        }
        assert_eq!(phrase(StatusCode::OK, b"one too many"), None);
    }
}
