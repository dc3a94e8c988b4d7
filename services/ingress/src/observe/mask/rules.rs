//! The table of names: what a member may keep outside `full`.
//!
//! In: names of members (`filter.rs`). Out: a [`Rule`]; `shapes.rs` says which strings it lets through. Invariant: a name that is not here lets no string and
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

/// Ids that lead to nobody, by their endings: of messages, threads, options, emoji, effects.
const THINGS: [&str; 17] = [
    "color_id",
    "draft_id",
    "effect_id",
    "emoji_id",
    "emoji_ids",
    "gift_id",
    "media_group_id",
    "message_id",
    "message_ids",
    "option_id",
    "option_ids",
    "request_id",
    "story_id",
    "task_id",
    "task_ids",
    "thread_id",
    "update_id",
];

const NUMBERS: [&str; 24] = [
    "amount",
    "cache_time",
    "color",
    "date",
    "duration",
    "height",
    "length",
    "level",
    "limit",
    "max_connections",
    "max_quantity",
    "message_auto_delete_time",
    "offset",
    "position",
    "rating",
    "retry_after",
    "score",
    "size",
    "start_timestamp",
    "subscription_price",
    "timeout",
    "value",
    "video_start_timestamp",
    "width",
];
const NUMBER_ENDINGS: [&str; 14] = [
    "_amount",
    "_amounts",
    "_color",
    "_count",
    "_date",
    "_delay",
    "_duration",
    "_height",
    "_length",
    "_limit",
    "_period",
    "_position",
    "_size",
    "_width",
];

const WORDS: [&str; 17] = [
    "action",
    "allowed_updates",
    "chat_type",
    "format",
    "method",
    "origin",
    "point",
    "rarity",
    "source",
    "status",
    "sticker_format",
    "sticker_type",
    "style",
    "transaction_type",
    "type",
    "update_type",
    "valign",
];

const LENGTHS: [&str; 19] = [
    "about",
    "bio",
    "button_text",
    "caption",
    "comment",
    "custom_description",
    "description",
    "explanation",
    "forward_text",
    "html",
    "markdown",
    "message_text",
    "option_text",
    "query",
    "question",
    "quote",
    "reason",
    "short_description",
    "text",
];

const MEDIA: [&str; 16] = [
    "animation",
    "audio",
    "cover",
    "document",
    "file",
    "live_photo",
    "media",
    "old_sticker",
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
        _ if is_thing(name) => Rule::Thing,
        _ if name.ends_with("_id") || name.ends_with("_ids") => Rule::Person,
        _ if among(&WORDS) => Rule::Word,
        _ if among(&LENGTHS) => Rule::Length,
        _ if among(&MEDIA) => Rule::Media,
        _ if among(&NUMBERS) => Rule::Number,
        _ if NUMBER_ENDINGS.iter().any(|ending| name.ends_with(ending)) => Rule::Number,
        _ => Rule::Other,
    }
}

/// `message_id` and `reply_to_message_id`, but not `some_message_id_hash`.
fn is_thing(name: &str) -> bool {
    let ends = |thing: &str| {
        name.strip_suffix(thing)
            .is_some_and(|head| head.is_empty() || head.ends_with('_'))
    };
    (name.ends_with("_id") || name.ends_with("_ids")) && THINGS.iter().any(|thing| ends(thing))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted() {
        for table in [&SECRETS[..], &NUMBERS, &WORDS, &LENGTHS, &MEDIA] {
            assert!(table.windows(2).all(|pair| pair[0] < pair[1]), "{table:?}");
        }
    }
}
