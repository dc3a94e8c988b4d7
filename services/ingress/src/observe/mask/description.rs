//! What is kept of the text of an error.
//!
//! In: Telegram's `description`, tokens already hidden. Out: the same, bounded; in the modes that
//! keep no texts without what it quotes of them. Invariant: outside `full`, what stands between
//! quotes goes unless it names a field of the Bot API or is a single character: Telegram quotes
//! the bot's text in complaints about entities.

/// Telegram's own texts are shorter.
const LONGEST: usize = 512;
/// What a quotation that stays is introduced by.
const NAMED: [&str; 6] = ["field", "parameter", "object", "method", "type", "class"];

/// The text, cut to a length that says all.
pub(super) fn bounded(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

/// The text without what it quotes.
pub(super) fn without_quotes(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('"') {
        let before = &rest[..at];
        let (quoted, after) = closing(&rest[at + 1..]);
        let keeps = is_harmless(before, quoted);
        shown.push_str(before);
        shown.push('"');
        shown.push_str(if keeps { quoted } else { "…" });
        shown.push('"');
        rest = after;
    }
    shown.push_str(rest);
    bounded(&shown)
}

/// The quotation and what follows it. A quoted text may hold quotes itself: unless a word alone
/// stands before the next quote, the last quote of the text ends it. An open one goes to the end.
fn closing(text: &str) -> (&str, &str) {
    let next = text.find('"').unwrap_or(text.len());
    let last = text.rfind('"').unwrap_or(text.len());
    let end = if is_word(&text[..next]) { next } else { last };
    (&text[..end], text.get(end + 1..).unwrap_or_default())
}

fn is_harmless(before: &str, quoted: &str) -> bool {
    let single = quoted.chars().count() <= 1;
    let word = before.trim_end().rsplit(' ').next().unwrap_or_default();
    let named = NAMED.iter().any(|known| word.eq_ignore_ascii_case(known));
    single || (named && is_word(quoted))
}

fn is_word(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotations_of_the_bots_text_go() {
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
            ("Character \"-\" is reserved", "Character \"-\" is reserved"),
            ("found \"he said \"no\" to me\" and \"that\"", "found \"…\""),
            ("an open \"quotation of a name", "an open \"…\""),
            (
                "expected \"b\", found \"secret\"",
                "expected \"b\", found \"…\"",
            ),
            ("Field \"not a name\"", "Field \"…\""),
        ];
        for (text, shown) in table {
            assert_eq!(without_quotes(text), shown);
        }
        assert_eq!(bounded(&"ж".repeat(600)).chars().count(), 512);
    }
}
