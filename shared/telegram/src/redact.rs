//! Hides whatever is shaped like a token in a text that leaves the process.
//!
//! In: any bytes or text (descriptions, URLs, log lines, panic messages, JSON).
//! Out: the same with `123456:***` for each token, borrowed when there is none.
//! A token is a run of 5 to 16 digits, a colon (also as `%3A`, `%253A` or `\u003a`) and 35 or more
//! characters of its alphabet; after the word `bot` a secret of any length counts, so that
//! the short tokens of tests are hidden in paths too. Invariant: the output never holds what
//! [`find`] would find. One pass; a text without a colon costs one search.

use std::borrow::Cow;
use std::ops::Range;

/// What a colon of a token may be written as, in any case.
const COLONS: [&[u8]; 4] = [b":", b"%3A", b"%253A", b"\\u003a"];
/// Digits of a bot id.
const DIGITS: std::ops::RangeInclusive<usize> = 5..=16;
/// Telegram's secrets have 35 characters.
const SECRET: usize = 35;
/// What stands in the place of a secret.
const MASK: &str = "***";

/// The place of the first secret in `text` at or after `from`: the part behind the colon.
#[must_use]
pub fn find(text: &[u8], from: usize) -> Option<Range<usize>> {
    let mut at = from;
    while let Some(step) = memchr::memchr3(b':', b'%', b'\\', &text[at..]) {
        let sign = at + step;
        at = sign + 1;
        let starts = |colon: &&&[u8]| {
            let head = text[sign..].get(..colon.len());
            head.is_some_and(|head| head.eq_ignore_ascii_case(colon))
        };
        let Some(colon) = COLONS.iter().find(starts) else {
            continue;
        };
        let digits = text[..sign]
            .iter()
            .rev()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let after_bot = ends_with_bot(&text[..sign - digits]);
        let start = sign + colon.len();
        let length = text[start..]
            .iter()
            .take_while(|byte| in_secret(**byte))
            .count();
        let long = length >= SECRET && digits >= *DIGITS.start();
        if digits <= *DIGITS.end() && digits > 0 && (long || (after_bot && length > 0)) {
            return Some(start..start + length);
        }
    }
    None
}

/// `text` with every token's secret hidden.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    let mut place = find(text.as_bytes(), 0);
    if place.is_none() {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut from = 0;
    while let Some(secret) = place {
        shown.push_str(&text[from..secret.start]);
        shown.push_str(MASK);
        from = secret.end;
        place = find(text.as_bytes(), from);
    }
    shown.push_str(&text[from..]);
    Cow::Owned(shown)
}

fn in_secret(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

fn ends_with_bot(text: &[u8]) -> bool {
    text.len() >= 3 && text[text.len() - 3..].eq_ignore_ascii_case(b"bot")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECRET_TEXT: &str = "AAF-abcdefghijklmnopqrstuvwxyz_0123";

    #[test]
    fn hides_tokens_however_they_are_written() {
        for colon in [":", "%3A", "%3a", "%253A", "%253a", "\\u003a", "\\u003A"] {
            let text = format!(
                "GET https://x/file/bot123456{colon}{SECRET_TEXT}/a.jpg?x=1, again 987654{colon}{SECRET_TEXT}"
            );
            let shown = redact(&text);
            assert!(!shown.contains(SECRET_TEXT), "{shown}");
            assert_eq!(
                shown,
                format!("GET https://x/file/bot123456{colon}***/a.jpg?x=1, again 987654{colon}***")
            );
        }
        assert_eq!(redact("/bot1:a/getMe"), "/bot1:***/getMe");
        assert_eq!(redact("/BOT12:abc"), "/BOT12:***");
    }

    #[test]
    fn leaves_what_is_no_token() {
        for text in [
            "",
            "at 12:34:56",
            "127.0.0.1:8080",
            "a:b",
            "\\u003",
            "%3",
            "%",
            "12345:short",
            "https://example.org:443/x",
        ] {
            assert!(matches!(redact(text), Cow::Borrowed(_)), "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_shaped_like_a_token_is_left(before in "\\PC{0,20}", id in "[1-9][0-9]{4,11}", secret in "[A-Za-z0-9_-]{35}", after in "\\PC{0,20}") {
            let text = format!("{before} {id}:{secret} {after}");
            let shown = redact(&text).into_owned();
            prop_assert!(find(shown.as_bytes(), 0).is_none(), "{}", shown);
            prop_assert!(!shown.contains(&secret));
        }
    }
}
