//! Hides tokens and credentials in a decoded string.
//!
//! In: any string of any mode that is about to be kept. Out: the same, with `***` for secrets.
//! Invariant: a token is found however it is written: plain, with `%3A`, or with its characters
//! behind JSON escapes, percent escapes or character references inside the string. A text in which
//! one is found that way is kept decoded. Strings without `:`, `%`, `\` and `&#` cost one search.

use std::borrow::Cow;

use gramtap_telegram::redact::redact;
use percent_encoding::percent_decode_str;

use super::MASKED;

/// Rounds of decoding: a percent escape inside a JSON escape inside a percent escape.
const ROUNDS: usize = 3;
/// Bytes of a character reference behind `&#`, with its `;`. Looking further for the end of each
/// would take the square of the text's length.
const LONGEST_REFERENCE: usize = 64;
/// Every secret begins so; at the end of a text that was cut, so many characters give one away.
const SECRET_BEGINS: &str = "AA";
const CUT_SECRET: usize = 8;
/// What the secret part of Gramtap's own address of a webhook stands behind, and its characters.
const HOOK_BEHIND: &str = "/webhook/";
const HOOK: usize = 26;

/// `text` without its secrets.
pub(super) fn cleaned(text: &str) -> Cow<'_, str> {
    if memchr::memchr3(b':', b'%', b'\\', text.as_bytes()).is_none() && !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut shown = open(text);
    let mut view = shown.clone();
    for _ in 0..ROUNDS {
        view = match decoded(&view) {
            Some(decoded) => Cow::Owned(decoded),
            None => break,
        };
        if let Cow::Owned(masked) = open(&view) {
            view = Cow::Owned(masked);
            shown = view.clone();
        }
    }
    shown
}

/// Hides what stands there openly.
fn open(text: &str) -> Cow<'_, str> {
    let mut shown = redact(text);
    if let Some(masked) = without_cut_token(&shown) {
        shown = Cow::Owned(masked);
    }
    if let Some(masked) = without_credentials(&shown) {
        shown = Cow::Owned(masked);
    }
    if let Some(masked) = without_hooks(&shown) {
        shown = Cow::Owned(masked);
    }
    shown
}

/// Hides the beginning of a token that the end of the text cuts.
fn without_cut_token(text: &str) -> Option<String> {
    let in_secret = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let bytes = text.as_bytes();
    let secret = bytes
        .iter()
        .rev()
        .take_while(|byte| in_secret(byte))
        .count();
    let (head, tail) = text.split_at(text.len() - secret);
    let id = head.strip_suffix(':')?.as_bytes();
    let digits = id
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let is_token =
        (5..=16).contains(&digits) && secret >= CUT_SECRET && tail.starts_with(SECRET_BEGINS);
    is_token.then(|| format!("{head}{MASKED}"))
}

/// Hides `user:password` in `scheme://user:password@host`.
fn without_credentials(text: &str) -> Option<String> {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (scheme, behind) = rest.split_at(at + 3);
        let ends =
            |sign: char| matches!(sign, '/' | '?' | '#' | '"' | '<' | '>') || sign.is_whitespace();
        let authority = &behind[..behind.find(ends).unwrap_or(behind.len())];
        shown.push_str(scheme);
        rest = behind;
        if let Some(user) = authority.rfind('@')
            && &authority[..user] != MASKED
        {
            shown.push_str(MASKED);
            rest = &behind[user..];
        }
    }
    shown.push_str(rest);
    (shown != text).then_some(shown)
}

/// Hides what whoever pushes updates to Gramtap must know.
fn without_hooks(text: &str) -> Option<String> {
    let in_hook = |sign: &u8| sign.is_ascii_lowercase() || matches!(sign, b'2'..=b'7');
    let mut shown = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(HOOK_BEHIND) {
        let (before, behind) = rest.split_at(at + HOOK_BEHIND.len());
        shown.push_str(before);
        rest = behind;
        if behind.bytes().take_while(|sign| in_hook(sign)).count() == HOOK {
            shown.push_str(MASKED);
            rest = &behind[HOOK..];
        }
    }
    shown.push_str(rest);
    (shown != text).then_some(shown)
}

/// Undoes one round of escapes, if there are any and a colon may be among what they hide.
fn decoded(text: &str) -> Option<String> {
    let mut plain = Cow::Borrowed(text);
    if plain.contains('\\') {
        plain = Cow::Owned(without_json_escapes(&plain));
    }
    if plain.contains('%')
        && let Cow::Owned(decoded) = percent_decode_str(&plain).decode_utf8_lossy()
    {
        plain = Cow::Owned(decoded);
    }
    if plain.contains("&#") {
        plain = Cow::Owned(without_references(&plain));
    }
    (plain != text).then(|| plain.into_owned())
}

fn without_json_escapes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let hex = rest.strip_prefix('u').and_then(|rest| rest.get(..4));
        let code = hex.and_then(|hex| u32::from_str_radix(hex, 16).ok());
        match code.and_then(char::from_u32) {
            Some(sign) => {
                plain.push(sign);
                rest = &rest[5..];
            }
            // `\/` and `\\`; of the others the letter, which no token is cut by.
            None => {
                if let Some(sign) = rest.chars().next() {
                    plain.push(sign);
                    rest = &rest[sign.len_utf8()..];
                }
            }
        }
    }
    plain.push_str(rest);
    plain
}

/// `&#58;` and `&#x3a;`.
fn without_references(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("&#") {
        plain.push_str(&rest[..at]);
        let behind = &rest[at + 2..];
        let end = memchr::memchr(
            b';',
            &behind.as_bytes()[..behind.len().min(LONGEST_REFERENCE)],
        );
        let code = end.and_then(|end| {
            let (code, after) = (&behind[..end], &behind[end + 1..]);
            let code = match code.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => code.parse().ok()?,
            };
            Some((char::from_u32(code)?, after))
        });
        match code {
            Some((sign, after)) => {
                plain.push(sign);
                rest = after;
            }
            None => {
                plain.push_str("&#");
                rest = behind;
            }
        }
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "AAF-abcdefghijklmnopqrstuvwxyz_0123";

    #[test]
    fn tokens_are_found_however_they_are_written() {
        let hex: String = SECRET.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let twice = hex.replace('%', "%25");
        let json: String = SECRET
            .bytes()
            .map(|byte| format!("\\u00{byte:02X}"))
            .collect();
        let references: String = SECRET.bytes().map(|byte| format!("&#{byte};")).collect();
        let table = [
            format!("123456:{SECRET}"),
            format!("https://api.telegram.org/file/bot123456%3A{SECRET}/x.jpg"),
            format!("https:\\/\\/api.telegram.org\\/bot123456\\u003a{SECRET}\\/getMe"),
            format!("123456:{hex}"),
            format!("123456%253A{twice} "),
            format!("12345\\u0036:{json}"),
            format!("123456&#58;{SECRET}"),
            format!("123456&#x3A;{references}"),
            format!("\\u0025\\u0033A 123456\\u00253A{SECRET}"),
            format!("first 654321:{SECRET} then 12345\\u0036:{SECRET}"),
        ];
        for text in table {
            let shown = cleaned(&text);
            assert!(
                !shown.contains(&SECRET[4..]) && shown.contains(MASKED),
                "{text} -> {shown}"
            );
            assert_eq!(cleaned(&shown), shown, "{text}");
        }
    }

    /// Each `&#` looks for its end; with all of the text to look through, this test would hardly end.
    #[test]
    fn a_text_of_nothing_but_beginnings_of_references_is_read_in_one_pass() {
        let text = "&#".repeat(2 << 20) + ";";
        assert_eq!(cleaned(&text), text);
        let references = format!("&#x0000000000003a;123456&#0000000000058;{SECRET}");
        assert!(!cleaned(&references).contains(&SECRET[4..]));
    }

    #[test]
    fn credentials_hooks_and_cut_tokens_go() {
        let table = [
            (
                "https://joe:pass@example.org/a",
                "https://***@example.org/a",
            ),
            (
                "see http://joe@x.y:80 and ftp://a:b@c",
                "see http://***@x.y:80 and ftp://***@c",
            ),
            (
                "https://example.org/@joe?a@b",
                "https://example.org/@joe?a@b",
            ),
            ("https://a:p@ss@h/", "https://***@h/"),
            (
                "https://g.example/webhook/abcdefghijklmnopqrstuvwx27?a",
                "https://g.example/webhook/***?a",
            ),
            (
                "https:%2F%2Fg.example%2Fwebhook%2Fabcdefghijklmnopqrstuvwx27",
                "https://g.example/webhook/***",
            ),
            (
                "https://bot.example/webhook/updates",
                "https://bot.example/webhook/updates",
            ),
            ("it ends in 123456:AAF-abcdefgh", "it ends in 123456:***"),
            ("order 12345:delivered", "order 12345:delivered"),
            (
                "50% of \\ and &#300; at 10:30",
                "50% of \\ and &#300; at 10:30",
            ),
        ];
        for (text, shown) in table {
            assert_eq!(cleaned(text), shown);
        }
    }
}
