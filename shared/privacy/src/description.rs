//! What is kept of the text of an error.
//!
//! In: Telegram's `description`, tokens already hidden. Out: the same, bounded; in the modes that
//! keep no texts without what it echoes. Invariant: outside `full`, what stands between quotes
//! goes, because Telegram quotes the bot's texts and links in its complaints, unless it names a
//! field of the Bot API or is a single character; links and `@names` go; in `pseudonymous` long
//! numbers, too.

/// Telegram's own texts are shorter.
const LONGEST: usize = 512;
/// What a quotation that stays is introduced by.
const NAMED: [&str; 6] = ["field", "parameter", "object", "method", "type", "class"];
/// A number of so many digits may be an id. Seconds to wait are shorter.
const ID_DIGITS: usize = 6;
const GONE: &str = "…";

/// The text, cut to a length that says all.
pub(super) fn bounded(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

/// The text without what it echoes of the bot's.
pub(super) fn without_echoes(text: &str, hides_ids: bool) -> String {
    let unquoted = without_quotes(&without_quotes(text, '"'), '\'');
    let words: Vec<&str> = unquoted
        .split(' ')
        .map(|word| kept(word, hides_ids))
        .collect();
    bounded(&words.join(" "))
}

fn kept(word: &str, hides_ids: bool) -> &str {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let is_link = word.contains("://") || (word.starts_with('@') && word.len() > 1);
    match is_link || (hides_ids && digits >= ID_DIGITS) {
        true => GONE,
        false => word,
    }
}

fn without_quotes(text: &str, quote: char) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(at) = opening(rest, quote) {
        let before = &rest[..at];
        let (quoted, after) = closing(&rest[at + 1..], quote);
        shown.push_str(before);
        shown.push(quote);
        shown.push_str(if is_harmless(before, quoted) {
            quoted
        } else {
            GONE
        });
        shown.push(quote);
        rest = after;
    }
    shown.push_str(rest);
    shown
}

/// Where a quotation begins. An apostrophe inside a word (`can't`) begins none.
fn opening(text: &str, quote: char) -> Option<usize> {
    let begins = |at: &usize| quote == '"' || !text[..*at].ends_with(char::is_alphanumeric);
    text.match_indices(quote).map(|(at, _)| at).find(begins)
}

/// The quotation and what follows it. A quoted text may hold quotes itself: unless a word alone
/// stands before the next quote, the last quote of the text ends it. An open one goes to the end.
fn closing(text: &str, quote: char) -> (&str, &str) {
    let ends = |at: &usize| quote == '"' || !text[at + 1..].starts_with(char::is_alphanumeric);
    let mut places = text.match_indices(quote).map(|(at, _)| at).filter(ends);
    let next = places.next().unwrap_or(text.len());
    let last = places.next_back().unwrap_or(next);
    let is_short = is_word(&text[..next]) || text[..next].chars().count() == 1;
    let end = if is_short { next } else { last };
    (&text[..end], text.get(end + 1..).unwrap_or_default())
}

fn is_harmless(before: &str, quoted: &str) -> bool {
    let single = quoted.chars().count() <= 1 && quoted != " ";
    let word = before.trim_end().rsplit(' ').next().unwrap_or_default();
    let named = NAMED.iter().any(|known| word.eq_ignore_ascii_case(known));
    single || quoted == GONE || (named && is_word(quoted))
}

fn is_word(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_echoed_of_the_bots_texts_goes() {
        let table = [
            ("Bad Request: chat not found", "Bad Request: chat not found"),
            (
                "Bad Request: can't parse entities: Unsupported start tag \"john\" at byte offset 5",
                "Bad Request: can't parse entities: Unsupported start tag \"…\" at byte offset 5",
            ),
            (
                "Bad Request: can't parse inline keyboard button: Field \"text\" must be of type String",
                "Bad Request: can't parse inline keyboard button: Field \"text\" must be of type String",
            ),
            (
                "Character '-' is reserved and must be escaped with the preceding '\\'",
                "Character '-' is reserved and must be escaped with the preceding '\\'",
            ),
            (
                "Bad Request: inline keyboard button URL 'https://john.example/x y' is invalid: Wrong HTTP URL",
                "Bad Request: inline keyboard button URL '…' is invalid: Wrong HTTP URL",
            ),
            ("URL 'john's home' can't be used", "URL '…' can't be used"),
            ("found \"he said \"no\" to me\" and \"that\"", "found \"…\""),
            ("an open \"quotation of a name", "an open \"…\""),
            (
                "expected \"b\", found \"secret\"",
                "expected \"b\", found \"…\"",
            ),
            ("Field \"not a name\"", "Field \"…\""),
            ("see https://x.y/z of @john now", "see … of … now"),
            (
                "Too Many Requests: retry after 34567",
                "Too Many Requests: retry after 34567",
            ),
            ("user 5000000001 left", "user 5000000001 left"),
            ("can't", "can't"),
        ];
        for (text, shown) in table {
            assert_eq!(without_echoes(text, false), shown);
            assert_eq!(without_echoes(shown, false), shown, "again");
        }
        assert_eq!(
            without_echoes("user 5000000001 left, retry after 34567", true),
            "user … left, retry after 34567"
        );
        assert_eq!(bounded(&"ж".repeat(600)).chars().count(), 512);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_quotation_stays(before in "[a-z é:]{0,9}( can't)?", quote in "['\"]", after in "[a-z'\" é]{0,12}") {
            let text = format!("{before} {quote}canary of {quote}many{quote} words{quote} {after}");
            let shown = without_echoes(&text, false);
            prop_assert!(!shown.contains("canary") && !shown.contains("words"), "{} -> {}", text, shown);
        }

        #[test]
        fn no_text_panics(text in "[a-z'\"é:/@ ]{0,30}") {
            prop_assert!(without_echoes(&text, true).chars().count() <= LONGEST);
        }
    }
}
