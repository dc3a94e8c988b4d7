//! The table of names: what a member may keep outside `full`.
//!
//! In: names of members and strings under them (`filter.rs`). Out: a [`Rule`], and whether a string
//! has the shape that its rule lets through. Invariant: a name that is not here lets no string and
//! no number out. Source: Bot API 10.x; names that end alike mean alike and are told by ending.

/// What is let through under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// Nothing, in any mode: the value is a secret.
    Secret,
    /// An id of a user, a chat, a query; replaced by its pseudonym.
    Person,
    /// An id of something that is nobody.
    Thing,
    /// A count, size, date, position or amount.
    Number,
    /// A word of Telegram's.
    Word,
    Language,
    Currency,
    ParseMode,
    Emoji,
    /// Of a text, its length.
    Length,
    /// What a button tells the bot.
    Callback,
    Command,
    Payload,
    /// A file by id, by link or by upload.
    Media,
    Mime,
    /// A text of Telegram's that may quote.
    Remark,
    /// Nothing but booleans and what is inside.
    Other,
}

const SECRETS: [&str; 9] = [
    "access_token",
    "api_key",
    "certificate",
    "credentials",
    "password",
    "provider_token",
    "secret",
    "secret_token",
    "token",
];

/// Ids of messages, threads, emoji: they lead to nobody.
const THINGS: [&str; 22] = [
    "accent_color_id",
    "background_custom_emoji_id",
    "background_emoji_id",
    "correct_option_id",
    "correct_option_ids",
    "custom_emoji_id",
    "direct_messages_topic_id",
    "gift_id",
    "icon_custom_emoji_id",
    "media_group_id",
    "message_effect_id",
    "message_id",
    "message_ids",
    "message_thread_id",
    "option_id",
    "option_ids",
    "profile_accent_color_id",
    "reply_to_message_id",
    "request_id",
    "task_id",
    "task_ids",
    "update_id",
];

const NUMBERS: [&str; 33] = [
    "amount",
    "auth_date",
    "cache_time",
    "closing_minute",
    "color",
    "date",
    "duration",
    "expires_in",
    "height",
    "length",
    "level",
    "limit",
    "max_connections",
    "max_quantity",
    "months",
    "next_level_votes",
    "offset",
    "opening_minute",
    "pay_for_upgrade",
    "position",
    "quantity",
    "rating",
    "retry_after",
    "score",
    "size",
    "start_timestamp",
    "timeout",
    "total",
    "valid_until",
    "value",
    "votes",
    "width",
    "year",
];
const NUMBER_ENDINGS: [&str; 12] = [
    "_amount", "_amounts", "_color", "_count", "_date", "_delay", "_length", "_limit", "_period",
    "_rarity", "_size", "_time",
];

const WORDS: [&str; 14] = [
    "action",
    "allowed_updates",
    "currency_code",
    "format",
    "fragment_type",
    "method",
    "origin",
    "source",
    "status",
    "sticker_format",
    "sticker_type",
    "style",
    "type",
    "update_type",
];

const LENGTHS: [&str; 19] = [
    "about",
    "bio",
    "button_text",
    "callback_data",
    "caption",
    "comment",
    "description",
    "explanation",
    "html",
    "markdown",
    "message_text",
    "query",
    "question",
    "quote",
    "reason",
    "short_description",
    "text",
    "thank_you_text",
    "title_text",
];

const MEDIA: [&str; 15] = [
    "animation",
    "audio",
    "cover",
    "document",
    "file",
    "live_photo",
    "media",
    "photo",
    "png_sticker",
    "sticker",
    "thumb",
    "thumbnail",
    "video",
    "video_note",
    "voice",
];

/// The rule of a name.
pub(super) fn rule(name: &str) -> Rule {
    let among = |names: &[&str]| names.binary_search(&name).is_ok();
    match name {
        "callback_data" => Rule::Callback,
        "command" => Rule::Command,
        "payload" | "start_parameter" => Rule::Payload,
        "language_code" => Rule::Language,
        "currency" => Rule::Currency,
        "parse_mode"
        | "explanation_parse_mode"
        | "question_parse_mode"
        | "text_parse_mode"
        | "quote_parse_mode" => Rule::ParseMode,
        "emoji" => Rule::Emoji,
        "mime_type" => Rule::Mime,
        "last_error_message" => Rule::Remark,
        "id" | "chat_instance" => Rule::Person,
        _ if among(&SECRETS) => Rule::Secret,
        _ if among(&THINGS) => Rule::Thing,
        _ if name.ends_with("_id") || name.ends_with("_ids") => Rule::Person,
        _ if among(&WORDS) => Rule::Word,
        _ if among(&LENGTHS) => Rule::Length,
        _ if among(&MEDIA) => Rule::Media,
        _ if among(&NUMBERS) => Rule::Number,
        _ if NUMBER_ENDINGS.iter().any(|ending| name.ends_with(ending)) => Rule::Number,
        _ => Rule::Other,
    }
}

/// Whether the Bot API writes the id as a number, so that a string of digits stands for one.
pub(super) fn is_numeric(name: &str) -> bool {
    const ENDINGS: [&str; 6] = [
        "chat_id",
        "chat_ids",
        "message_id",
        "message_ids",
        "user_id",
        "user_ids",
    ];
    const NAMES: [&str; 6] = [
        "correct_option_id",
        "direct_messages_topic_id",
        "message_thread_id",
        "option_id",
        "request_id",
        "task_id",
    ];
    ENDINGS.iter().any(|ending| name.ends_with(ending)) || NAMES.contains(&name)
}

/// Whether a name is one that Telegram could have given.
pub(super) fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..64).contains(&name.len())
        && name.as_bytes()[0].is_ascii_lowercase()
        && name.bytes().all(fits)
}

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
        Rule::Language => all(12, |byte| byte.is_ascii_alphanumeric() || byte == b'-'),
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
    fn the_tables_are_sorted() {
        for table in [&SECRETS[..], &THINGS, &NUMBERS, &WORDS, &LENGTHS, &MEDIA] {
            assert!(table.windows(2).all(|pair| pair[0] < pair[1]), "{table:?}");
        }
    }

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
