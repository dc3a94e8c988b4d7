//! The table of names: what a member may keep outside `full`.
//!
//! In: names of members (`filter.rs`). Out: a [`Rule`]; `shapes.rs` says which strings it lets
//! through. Invariant: a name that is not here lets no string and no number out. Source: Bot
//! API 10.x; names that end alike mean alike and are told by their ending.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

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

/// Whole names.
const NAMES: [(Rule, &str); 15] = [
    (
        Rule::Secret,
        "access_token api_key certificate credentials password provider_token secret secret_token token",
    ),
    (Rule::Person, "chat_instance id"),
    (
        Rule::Number,
        "cache_time level max_connections max_quantity message_auto_delete_time offset rating retry_after \
         score start_timestamp subscription_price timeout value video_start_timestamp",
    ),
    (
        Rule::Word,
        "action allowed_updates chat_type format method origin point rarity source status sticker_format \
         sticker_type style transaction_type type update_type valign",
    ),
    (Rule::Language, "language_code"),
    (Rule::Currency, "currency last_resale_currency"),
    (
        Rule::ParseMode,
        "explanation_parse_mode parse_mode question_parse_mode quote_parse_mode text_parse_mode",
    ),
    (Rule::Emoji, "emoji"),
    (
        Rule::Length,
        "about bio button_text caption comment custom_description description explanation forward_text \
         html markdown message_text option_text query question quote reason short_description text",
    ),
    (Rule::Callback, "callback_data"),
    (Rule::Command, "command"),
    (Rule::Payload, "payload start_parameter"),
    (
        Rule::Media,
        "animation audio cover document file live_photo media old_sticker photo png_sticker sticker thumb \
         thumbnail video video_note voice",
    ),
    (Rule::Mime, "mime_type thumbnail_mime_type"),
    (Rule::Remark, "last_error_message"),
];

/// Endings behind an underscore, or whole names; the first that fits counts.
const ENDINGS: [(Rule, &str); 3] = [
    // Messages, threads, options, emoji, effects.
    (
        Rule::Thing,
        "color_id draft_id effect_id emoji_id emoji_ids gift_id media_group_id message_id message_ids \
         option_id option_ids request_id story_id task_id task_ids thread_id update_id",
    ),
    (Rule::Person, "id ids"),
    (
        Rule::Number,
        "amount amounts color count date delay duration height length limit period position size width",
    ),
];

/// The rule of a name.
pub(super) fn rule(name: &str) -> Rule {
    static TABLE: LazyLock<Table> = LazyLock::new(Table::new);
    TABLE.rule(name)
}

/// Both tables, made for looking up: every member of every body is looked up once.
struct Table {
    names: HashMap<&'static str, Rule, BuildHasherDefault<Fnv>>,
    /// By the last word of the ending.
    endings: HashMap<&'static str, Vec<(Rule, &'static str)>, BuildHasherDefault<Fnv>>,
}

impl Table {
    fn new() -> Self {
        let words = |(rule, words): &(Rule, &'static str)| {
            let rule = *rule;
            words.split_whitespace().map(move |word| (rule, word))
        };
        let names = NAMES
            .iter()
            .flat_map(words)
            .map(|(rule, name)| (name, rule))
            .collect();
        let mut endings: HashMap<_, Vec<_>, _> = HashMap::default();
        for (rule, ending) in ENDINGS.iter().flat_map(words) {
            endings
                .entry(last_word(ending))
                .or_default()
                .push((rule, ending));
        }
        Self { names, endings }
    }

    fn rule(&self, name: &str) -> Rule {
        if let Some(rule) = self.names.get(name) {
            return *rule;
        }
        let endings = self.endings.get(last_word(name)).into_iter().flatten();
        let fits = |ending: &str| {
            let head = name.strip_suffix(ending);
            head.is_some_and(|head| head.is_empty() || head.ends_with('_'))
        };
        let mut fitting = endings.filter(|(_, ending)| fits(ending));
        fitting.next().map_or(Rule::Other, |(rule, _)| *rule)
    }
}

fn last_word(name: &str) -> &str {
    memchr::memrchr(b'_', name.as_bytes()).map_or(name, |at| &name[at + 1..])
}

/// FNV-1a: the keys are ours and few, so nobody can fill a bucket.
#[derive(Default)]
struct Fnv(u64);

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_endings() {
        let table = [
            ("id", Rule::Person),
            ("chat_id", Rule::Person),
            ("new_thing_ids", Rule::Person),
            ("message_id", Rule::Thing),
            ("reply_to_message_id", Rule::Thing),
            ("custom_emoji_ids", Rule::Thing),
            ("media_group_id", Rule::Thing),
            ("linked_group_id", Rule::Person),
            ("commessage_id", Rule::Person),
            ("text", Rule::Length),
            ("text_length", Rule::Number),
            ("height", Rule::Number),
            ("photo_height", Rule::Number),
            ("count", Rule::Number),
            ("account", Rule::Other),
            ("valid", Rule::Other),
            ("data", Rule::Other),
            ("first_name", Rule::Other),
            ("secret_token", Rule::Secret),
            ("callback_data", Rule::Callback),
            ("", Rule::Other),
            ("_", Rule::Other),
        ];
        for (name, expected) in table {
            assert_eq!(rule(name), expected, "{name}");
        }
    }

    #[test]
    fn no_name_is_told_twice() {
        let mut names: Vec<&str> = NAMES
            .iter()
            .flat_map(|(_, names)| names.split_whitespace())
            .collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
