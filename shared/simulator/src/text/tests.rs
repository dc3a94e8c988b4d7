//! Tables for the three notations: what is read, and what Telegram says of what cannot be.

use super::*;
use proptest::prelude::*;

/// `text | kind@offset+length(detail) …`
fn shown(text: &str, mode: &str) -> String {
    match Formatted::read(text, mode, "") {
        Err(failure) => failure.description.into_owned(),
        Ok(read) => {
            let show = |one: &Entity| {
                let detail = one
                    .detail
                    .as_ref()
                    .map(|(key, value)| format!("({key}={value})"))
                    .unwrap_or_default();
                format!("{}@{}+{}{detail}", one.kind, one.offset, one.length)
            };
            let entities: Vec<String> = read.entities.iter().map(show).collect();
            format!("{} | {}", read.text, entities.join(" "))
        }
    }
}

#[test]
fn html() {
    let table = [
        ("Привет, <b>мир</b> &amp; 🦀", "Привет, мир & 🦀 | bold@8+3"),
        ("🦀 <i>a<u>b</u></i>", "🦀 ab | italic@3+2 underline@4+1"),
        (
            "<a href=\"https://x/?a=1&amp;b\">x</a>",
            "x | text_link@0+1(url=https://x/?a=1&b)",
        ),
        (
            "<pre><code class=\"language-rust\">fn</code></pre>",
            "fn | pre@0+2(language=rust)",
        ),
        ("<code>x</code>&#60;&lt", "x<< | code@0+1"),
        (
            "<blockquote expandable>q</blockquote>",
            "q | expandable_blockquote@0+1",
        ),
        ("<span class=\"tg-spoiler\">s</span>", "s | spoiler@0+1"),
        ("  <b> x</b> ", "x | bold@0+1"),
        ("<b></b>x & y", "x & y | "),
        (
            "a <foo>",
            "Bad Request: can't parse entities: Unsupported start tag \"foo\" at byte offset 2",
        ),
        (
            "<b>x",
            "Bad Request: can't parse entities: Can't find end tag corresponding to start tag \"b\"",
        ),
        (
            "x</b>",
            "Bad Request: can't parse entities: Unexpected end tag at byte offset 1",
        ),
        (
            "<b>x</i>",
            "Bad Request: can't parse entities: Unmatched end tag at byte offset 4, expected \"</b>\", found \"</i>\"",
        ),
        (
            "1 <b",
            "Bad Request: can't parse entities: Unclosed start tag at byte offset 2",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(shown(text, "HTML"), expected, "{text}");
    }
}

#[test]
fn markdown() {
    let table = [
        ("*b* _i_ `c` \\*", "b i c * | bold@0+1 italic@2+1 code@4+1"),
        (
            "[t](http://x) [u]",
            "t u | text_link@0+1(url=http://x) text_link@2+1(url=u)",
        ),
        ("```rust\nfn```", "fn | pre@0+2(language=rust)"),
        (
            "a_b",
            "Bad Request: can't parse entities: Can't find end of the entity starting at byte offset 1",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(shown(text, "Markdown"), expected, "{text}");
    }
}

#[test]
fn markdown_v2() {
    let table = [
        (
            "*b _i_* __u__ ~s~ ||p||",
            "b i u s p | bold@0+3 italic@2+1 underline@4+1 strikethrough@6+1 spoiler@8+1",
        ),
        (
            "[t](http://x/\\)) 1\\.",
            "t 1. | text_link@0+1(url=http://x/))",
        ),
        (
            "![e](tg://emoji?id=5) [x]",
            "e x | custom_emoji@0+1(custom_emoji_id=5)",
        ),
        (
            "`a.b` ```rust\nfn```",
            "a.b fn | code@0+3 pre@4+2(language=rust)",
        ),
        (">q\n>r\nx", "q\nr\nx | blockquote@0+4"),
        (
            "x.",
            "Bad Request: can't parse entities: Character '.' is reserved and must be escaped with the preceding '\\'",
        ),
        (
            "a *b",
            "Bad Request: can't parse entities: Can't find end of Bold entity at byte offset 2",
        ),
        (
            "`b",
            "Bad Request: can't parse entities: Can't find end of Code entity at byte offset 0",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(shown(text, "MarkdownV2"), expected, "{text}");
    }
    assert_eq!(shown("x", "BBCode"), "Bad Request: unsupported parse_mode");
}

#[test]
fn entities_may_be_given() {
    let given = r#"[{"type":"bold","offset":1,"length":2},{"type":"nonsense","offset":0,"length":1},{"type":"bold","offset":3,"length":9}]"#;
    let read = Formatted::given(" abc ", given);
    assert_eq!(
        (
            read.text.as_str(),
            read.entities.len(),
            read.entities[0].offset
        ),
        ("abc", 1, 0)
    );
    assert_eq!(Formatted::given("a", "null").entities, []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn any_text_is_read_or_refused(text in "[<>/ab&#;=\"*_`~|\\[\\]()\\\\!> \nж🦀]{0,40}", mode in "HTML|Markdown|MarkdownV2") {
        if let Ok(read) = Formatted::read(&text, &mode, "") {
            let whole = units(&read.text);
            for one in &read.entities {
                prop_assert!(one.length > 0 && one.offset + one.length <= whole, "{one:?} in {read:?}");
            }
        }
    }
}
