//! Failures of what is sent: texts, markup, buttons, edits, answers to queries.
//!
//! In: 400s. Out: rows of the catalogue, the catch-all of 400 last.

use super::Again::Never;
use super::Class::{Bug, Expected};
use super::{Advice, Fits};

pub(super) const ROWS: &[Advice] = &[
    Advice {
        key: "not_modified",
        class: Expected,
        title: "The message is the same already",
        meaning: "The edit would change nothing, as when a user presses a button twice.",
        remedy: "Nothing, or compare before the edit.",
        again: Never,
        fits: row(&["message is not modified"]),
    },
    Advice {
        key: "message_gone",
        class: Expected,
        title: "The message is not there any more",
        meaning: "It was deleted meanwhile, or its id belongs to another chat.",
        remedy: "Take it as done. If it happens often, check that chat and message ids are stored together.",
        again: Never,
        fits: row(&[
            "message to edit not found",
            "message to delete not found",
            "message to forward not found",
            "message to copy not found",
            "message to be replied not found",
            "message to reply not found",
            "message to pin not found",
            "message to unpin not found",
            "message to react not found",
            "message not found",
            "MESSAGE_ID_INVALID",
            "message identifier is not specified",
        ]),
    },
    Advice {
        key: "message_too_old",
        class: Expected,
        title: "The message cannot be changed any more",
        meaning: "Messages can be deleted for 48 hours, and edited only if the bot sent them.",
        remedy: "Send a new message instead.",
        again: Never,
        fits: row(&[
            "message can't be edited",
            "message can't be deleted",
            "MESSAGE_DELETE_FORBIDDEN",
            "MESSAGE_EDIT_TIME_EXPIRED",
            "message can't be forwarded",
            "message can't be copied",
        ]),
    },
    Advice {
        key: "query_expired",
        class: Bug,
        title: "The answer to a button or query came too late",
        meaning: "Telegram forgets a pressed button after some minutes and an inline query after half a minute; or it was answered already.",
        remedy: "Answer first, work afterwards. The page shows how long the handler took from the update to the answer; after an outage of the bot such answers are to be expected.",
        again: Never,
        fits: row(&[
            "query is too old",
            "query ID is invalid",
            "QUERY_ID_INVALID",
        ]),
    },
    Advice {
        key: "entities_broken",
        class: Bug,
        title: "The formatting cannot be read",
        meaning: "The text holds signs that the parse_mode takes for markup, or a tag that is not closed. Telegram's text names the byte.",
        remedy: "Escape what users wrote (in MarkdownV2 all of _*[]()~`>#+-=|{}.! , in HTML < > &), or send entities instead of a parse_mode.",
        again: Never,
        fits: row(&[
            "can't parse entities",
            "can't find end of the entity",
            "unsupported start tag",
            "ENTITY_",
            "unsupported parse_mode",
        ]),
    },
    Advice {
        key: "text_too_long",
        class: Bug,
        title: "The text is too long",
        meaning: "A message may have 4,096 characters, a caption 1,024, an answer to a button 200.",
        remedy: "Cut it or send several; count after the formatting is taken away.",
        again: Never,
        fits: row(&["is too long", "MESSAGE_TOO_LONG", "MEDIA_CAPTION_TOO_LONG"]),
    },
    Advice {
        key: "text_empty",
        class: Bug,
        title: "The text is empty",
        meaning: "Nothing is left of it, perhaps after spaces and tags were taken away.",
        remedy: "Check before sending.",
        again: Never,
        fits: row(&[
            "text is empty",
            "text must be non-empty",
            "text must be encoded in UTF-8",
            "strings must be encoded in UTF-8",
        ]),
    },
    Advice {
        key: "button_broken",
        class: Bug,
        title: "A button or keyboard is not acceptable",
        meaning: "callback_data may have 1 to 64 bytes; a button needs exactly one kind of action; a URL has to be one.",
        remedy: "Count bytes, not characters; keep long data in your database and send its key.",
        again: Never,
        fits: row(&[
            "BUTTON_",
            "reply markup",
            "reply_markup",
            "inline keyboard",
            "can't parse keyboard",
            "can't parse inline keyboard",
            "REPLY_MARKUP_",
            "text buttons are unallowed",
        ]),
    },
    Advice {
        key: "json_broken",
        class: Bug,
        title: "An argument is not the JSON that it should be",
        meaning: "An object or list could not be read.",
        remedy: "Encode objects once, with a JSON library; in JSON requests send them as objects, not as strings.",
        again: Never,
        fits: row(&[
            "can't parse",
            "object expected",
            "must be of type",
            "must be an Array",
            "must be a",
        ]),
    },
    Advice {
        key: "argument_missing",
        class: Bug,
        title: "An argument is missing or empty",
        meaning: "Telegram's text names it.",
        remedy: "Compare the call with the method's documentation.",
        again: Never,
        fits: row(&[
            "is not specified",
            "is empty",
            "must be specified",
            "is required",
            "must be non-empty",
        ]),
    },
    Advice {
        key: "bad_request",
        class: Bug,
        title: "Telegram does not accept the request",
        meaning: "An argument is not what the method expects.",
        remedy: "Telegram's text names the reason.",
        again: Never,
        fits: row(&[]),
    },
];

const fn row(texts: &'static [&'static str]) -> Fits {
    Fits::Answer {
        codes: &[400],
        methods: &[],
        texts,
    }
}
