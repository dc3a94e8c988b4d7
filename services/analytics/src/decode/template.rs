//! Takes out of a description what differs from case to case.
//!
//! In: the text of an error. Out: a template that all errors of the same kind share. Invariant: no digit is
//! left, a template is its own template, and it is at most [`LONGEST`] characters long.
//!
//! Quotations become `"…"` (a single sign, and the name of a field, stay: they say what is wrong), links `URL`,
//! names `@…`, long words with digits (file ids, tokens, hashes) `ID`, other numbers `N`.

use std::borrow::Cow;

/// Telegram's own texts are shorter.
const LONGEST: usize = 240;
/// A word with digits that is so long is no word.
const LONG_WORD: usize = 20;
/// What the quotation of a name in the Bot API is introduced by.
const NAMED: [&str; 6] = ["field", "parameter", "object", "method", "type", "class"];

/// The template of a text.
pub(super) fn of(text: &str) -> String {
    let mut template: String = text.chars().take(LONGEST).collect();
    // What is left of a quotation may be the beginning of another: three turns settle any text.
    for _ in 0..4 {
        let next = once(&template);
        if next == template {
            break;
        }
        template = next;
    }
    template
}

fn once(text: &str) -> String {
    let text = unquoted(&unquoted(text, '"'), '\'').into_owned();
    let words: Vec<String> = text.split(' ').map(word).collect();
    words.join(" ")
}

fn word(word: &str) -> String {
    let has_digit = word.contains(char::is_numeric);
    if word.contains("://") {
        "URL".to_owned()
    } else if word.starts_with('@') && word.len() > 1 {
        "@…".to_owned()
    } else if has_digit && word.chars().count() >= LONG_WORD {
        "ID".to_owned()
    } else if has_digit {
        numbered(word)
    } else {
        word.to_owned()
    }
}

/// Each number, with a sign that is its own, as `N`.
fn numbered(word: &str) -> String {
    let mut template = String::new();
    let mut within = false;
    for sign in word.chars() {
        let is_digit = sign.is_numeric();
        if is_digit && !within {
            if template == "-" {
                template.clear();
            }
            template.push('N');
        } else if !is_digit {
            template.push(sign);
        }
        within = is_digit;
    }
    template
}

fn unquoted(text: &str, quote: char) -> Cow<'_, str> {
    if !text.contains(quote) {
        return Cow::Borrowed(text);
    }
    let (mut template, mut rest) = (String::new(), text);
    while let Some((before, quoted, after)) = quotation(rest, quote) {
        template.push_str(before);
        template.push(quote);
        let stays = quoted.chars().count() <= 1 || is_name(before, quoted);
        template.push_str(if stays { quoted } else { "…" });
        template.push(quote);
        rest = after;
    }
    template.push_str(rest);
    Cow::Owned(template)
}

/// The first quotation, what is before it and what is behind. An apostrophe inside a word (`can't`) is no quote.
fn quotation(text: &str, quote: char) -> Option<(&str, &str, &str)> {
    let begins = |at: &usize| quote == '"' || !text[..*at].ends_with(|c: char| c.is_alphanumeric());
    let ends = |rest: &str, at: &usize| {
        quote == '"' || !rest[at + 1..].starts_with(|c: char| c.is_alphanumeric())
    };
    let mut openings = text.match_indices(quote).map(|(at, _)| at);
    let opening = openings.find(begins)?;
    let rest = &text[opening + 1..];
    let mut closings = rest.match_indices(quote).map(|(at, _)| at);
    let closing = closings.find(|at| ends(rest, at))?;
    Some((&text[..opening], &rest[..closing], &rest[closing + 1..]))
}

fn is_name(before: &str, quoted: &str) -> bool {
    let word = before.trim_end().rsplit(' ').next().unwrap_or_default();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    NAMED.iter().any(|named| word.eq_ignore_ascii_case(named)) && quoted.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_differs_goes_and_what_tells_stays() {
        let table = [
            ("Bad Request: chat not found", "Bad Request: chat not found"),
            (
                "Too Many Requests: retry after 35",
                "Too Many Requests: retry after N",
            ),
            (
                "Bad Request: can't parse entities: Unsupported start tag \"john\" at byte offset 5",
                "Bad Request: can't parse entities: Unsupported start tag \"…\" at byte offset N",
            ),
            (
                "Bad Request: can't parse entities: Unsupported start tag \"…\" at byte offset 117",
                "Bad Request: can't parse entities: Unsupported start tag \"…\" at byte offset N",
            ),
            (
                "can't parse inline keyboard button: Field \"text\" must be of type String",
                "can't parse inline keyboard button: Field \"text\" must be of type String",
            ),
            (
                "Character '-' is reserved and must be escaped with the preceding '\\'",
                "Character '-' is reserved and must be escaped with the preceding '\\'",
            ),
            (
                "user -1001234567890 of @ann_b at https://a.b/c1?d gone",
                "user N of @… at URL gone",
            ),
            (
                "file AgACAgIAAxkBAAIB1234567890abcdef of 123456:AAcanaryAAcanaryAAcanaryAAcanaryAAc",
                "file ID of ID",
            ),
            ("STICKERS_TOO_MUCH2", "STICKERS_TOO_MUCHN"),
            ("chat '-100500'", "chat '…'"),
            ("", ""),
        ];
        for (text, template) in table {
            assert_eq!(of(text), template, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_template_has_no_digit_and_is_its_own(text in "([a-zé0-9٣'\"@:/ -]|can't|field |://){0,60}") {
            let template = of(&text);
            prop_assert!(!template.contains(char::is_numeric), "{}", template);
            prop_assert!(template.chars().count() <= LONGEST);
            prop_assert_eq!(of(&template), template);
        }

        #[test]
        fn numbers_make_no_difference(before in "[a-z :]{0,20}", one in 0_u64..1 << 52, other in 0_u64..1 << 52, after in "[a-z ]{0,20}") {
            let text = |number: u64| of(&format!("{before} {number} {after}"));
            prop_assert_eq!(text(one), text(other));
        }

        #[test]
        fn a_long_text_is_bounded(text in "\\PC{0,600}") {
            let template = of(&text);
            prop_assert!(template.chars().count() <= LONGEST);
            prop_assert!(!template.contains(char::is_numeric));
        }
    }
}
