//! The shapes of strings that are kept outside `full`.
//!
//! In: strings under names that `rules.rs` knows (`filter.rs`). Out: whether one has its rule's shape,
//! or what of it is kept. Invariant: what passes is a word of Telegram's, a sign, a well-known type
//! or a host; no sentence, name or number of anybody does.

use super::rules::{Rule, is_name, rule};

/// Whether a string under a [`Rule::Word`], or the like, has the shape of one.
pub(super) fn fits(rule: Rule, text: &str) -> bool {
    let all = |most: usize, fits: fn(u8) -> bool| {
        (1..=most).contains(&text.len()) && text.bytes().all(fits)
    };
    match rule {
        // `getUpdates` as the argument `method`; every other word is lower-case.
        Rule::Word => {
            is_name(text)
                || (all(64, |byte| byte.is_ascii_alphabetic())
                    && gramtap_telegram::Method::named(text).is_known())
        }
        Rule::Language => {
            text.starts_with(|sign: char| sign.is_ascii_alphabetic())
                && all(12, |byte| byte.is_ascii_alphanumeric() || byte == b'-')
        }
        Rule::Currency => text.len() == 3 && all(3, |byte| byte.is_ascii_uppercase()),
        Rule::ParseMode => {
            ["html", "markdown", "markdownv2", "rich"].contains(&text.to_ascii_lowercase().as_str())
        }
        Rule::Emoji => is_emoji(text),
        _ => false,
    }
}

/// A few signs, none of them a letter; digits only where a keycap follows.
fn is_emoji(text: &str) -> bool {
    let keycap = text.ends_with('\u{20e3}');
    let fits = |sign: char| {
        !sign.is_control()
            && !sign.is_whitespace()
            && (!sign.is_alphanumeric() || (keycap && sign.is_ascii_digit()))
    };
    let ascii = text.bytes().filter(u8::is_ascii).count();
    (1..=16).contains(&text.chars().count())
        && ascii <= usize::from(keycap)
        && text.chars().all(fits)
}

/// What is kept of a file's type: known ones whole, of others the first half.
pub(super) fn mime(kind: &str) -> Option<String> {
    const HALVES: [&str; 7] = [
        "application",
        "audio",
        "font",
        "image",
        "model",
        "text",
        "video",
    ];
    let kind = kind
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    if KINDS.contains(&kind.as_str()) {
        return Some(kind);
    }
    let half = kind.split('/').next().unwrap_or_default();
    HALVES.contains(&half).then(|| format!("{half}/*"))
}

const KINDS: [&str; 40] = [
    "application/gzip",
    "application/json",
    "application/msword",
    "application/octet-stream",
    "application/pdf",
    "application/rtf",
    "application/vnd.android.package-archive",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/x-7z-compressed",
    "application/x-tar",
    "application/x-tgsticker",
    "application/xml",
    "application/zip",
    "audio/aac",
    "audio/flac",
    "audio/m4a",
    "audio/mp4",
    "audio/mpeg",
    "audio/ogg",
    "audio/wav",
    "audio/x-m4a",
    "audio/x-wav",
    "image/gif",
    "image/heic",
    "image/jpeg",
    "image/png",
    "image/svg+xml",
    "image/webp",
    "text/csv",
    "text/html",
    "text/markdown",
    "text/plain",
    "video/mp4",
    "video/quicktime",
    "video/webm",
    "video/x-matroska",
];

/// What a file's field is called: a parameter's name, or that it is one attached to a parameter.
pub(super) fn file_field(field: &str) -> &str {
    match rule(field) {
        Rule::Media => field,
        Rule::Secret => "certificate",
        _ => "attached",
    }
}

/// How a file is named by a string.
pub(super) fn media(text: &str) -> &'static str {
    match text {
        "upload" => "upload",
        "url" => "url",
        _ if text.starts_with("attach://") => "upload",
        _ if text.contains("://") => "url",
        _ => "file_id",
    }
}

/// Scheme and host of a link; empty stays empty, which is how a webhook is removed.
pub(super) fn site(link: &str) -> String {
    let Some((scheme, rest)) = link.split_once("://") else {
        return String::new();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let host = rest[..end].rsplit('@').next().unwrap_or_default();
    let fits = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']' | b'_')
    };
    match scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && host.len() < 256
        && host.bytes().all(fits)
    {
        true => format!("{scheme}://{host}"),
        false => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes() {
        let table = [
            (Rule::Word, "supergroup", true),
            (Rule::Word, "getUpdates", true),
            (Rule::Word, "John", false),
            (Rule::Word, "john smith", false),
            (Rule::Language, "pt-br", true),
            (Rule::Language, "Иван", false),
            (Rule::Currency, "XTR", true),
            (Rule::Currency, "Joe", false),
            (Rule::ParseMode, "MarkdownV2", true),
            (Rule::ParseMode, "John", false),
            (Rule::Emoji, "👍🏽", true),
            (Rule::Emoji, "❤\u{fe0f}", true),
            (Rule::Emoji, "5\u{fe0f}\u{20e3}", true),
            (Rule::Emoji, "12345\u{20e3}", false),
            (Rule::Emoji, "call 112", false),
            (Rule::Emoji, "Иван", false),
            (Rule::Emoji, "+7", false),
        ];
        for (rule, text, fitting) in table {
            assert_eq!(fits(rule, text), fitting, "{rule:?} {text}");
        }
        assert_eq!(mime("image/jpeg; charset=x").as_deref(), Some("image/jpeg"));
        assert_eq!(mime("text/johns-diary").as_deref(), Some("text/*"));
        assert_eq!(mime("john/smith"), None);
        assert_eq!(
            site("https://a:b@bot.example.org:8443/secret?x"),
            "https://bot.example.org:8443"
        );
        assert_eq!(site("bot.example.org/secret"), "");
        assert_eq!(site(""), "");
    }
}
