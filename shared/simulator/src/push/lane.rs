//! Which queue of a webhook an update belongs to.
//!
//! In: an update as it waits, `"message":{…}`. Out: [`Lane`]: messages go by chat, what a person
//! asks goes by person and kind, votes by poll. Invariant: the same update always gives the same
//! lane; one that cannot be read, or is of a kind not listed, has a lane of its own.

use std::fmt;

use serde::Deserialize;

/// A queue, named as it is shown: `message 7` is the queue of messages in chat 7.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Lane(String);

/// What of an update decides.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Keys {
    chat: Option<Id>,
    from: Option<Id>,
    user: Option<Id>,
    id: Option<serde_json::Value>,
    poll_id: Option<String>,
    new_chat_member: Option<Member>,
}

#[derive(Deserialize)]
struct Id {
    id: i64,
}

#[derive(Deserialize)]
struct Member {
    user: Id,
}

impl Lane {
    /// The lane of the update with this id and text.
    pub(crate) fn of(update: i64, text: &str) -> Self {
        let (kind, payload) = split(text);
        let keys: Keys = serde_json::from_str(payload).unwrap_or_default();
        let chat = keys.chat.map(|chat| chat.id.to_string());
        let from = keys.from.map(|from| from.id.to_string());
        let (family, key) = match kind {
            "message" | "edited_message" | "channel_post" | "edited_channel_post" => {
                ("message", chat)
            }
            "business_message" | "edited_business_message" | "deleted_business_messages" => {
                ("business_message", chat)
            }
            "shipping_query" | "pre_checkout_query" => ("payment", from),
            "inline_query" | "chosen_inline_result" | "callback_query" | "purchased_paid_media" => {
                (kind, from)
            }
            "poll" => (
                "poll",
                keys.id.and_then(|id| id.as_str().map(str::to_owned)),
            ),
            "poll_answer" => ("poll", keys.poll_id),
            "my_chat_member" => (kind, chat),
            "chat_member" => {
                let member = keys
                    .new_chat_member
                    .map(|member| member.user.id.to_string());
                ("member", member)
            }
            "chat_join_request" => ("member", from),
            "chat_boost" | "removed_chat_boost" => ("chat_boost", chat),
            "message_reaction" | "message_reaction_count" | "guest_message" => (kind, chat),
            "business_connection" => (kind, keys.user.map(|user| user.id.to_string())),
            _ => (kind, None),
        };
        Self(match key {
            Some(key) => format!("{family} {key}"),
            None => format!("update {update}"),
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The kind of an update, and what it carries.
pub(crate) fn split(text: &str) -> (&str, &str) {
    let (kind, payload) = text.split_once(':').unwrap_or((text, ""));
    (kind.trim_matches('"'), payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_table() {
        let table = [
            (
                r#""message":{"chat":{"id":-5},"from":{"id":7}}"#,
                "message -5",
            ),
            (r#""edited_message":{"chat":{"id":-5}}"#, "message -5"),
            (r#""channel_post":{"chat":{"id":-5}}"#, "message -5"),
            (r#""edited_channel_post":{"chat":{"id":-5}}"#, "message -5"),
            (
                r#""inline_query":{"id":"1","from":{"id":7}}"#,
                "inline_query 7",
            ),
            (
                r#""chosen_inline_result":{"from":{"id":7}}"#,
                "chosen_inline_result 7",
            ),
            (
                r#""callback_query":{"id":"1","from":{"id":7},"message":{}}"#,
                "callback_query 7",
            ),
            (
                r#""shipping_query":{"id":"1","from":{"id":7}}"#,
                "payment 7",
            ),
            (r#""pre_checkout_query":{"from":{"id":7}}"#, "payment 7"),
            (r#""poll":{"id":"55","options":[]}"#, "poll 55"),
            (
                r#""poll_answer":{"poll_id":"55","user":{"id":7}}"#,
                "poll 55",
            ),
            (
                r#""my_chat_member":{"chat":{"id":-5},"from":{"id":7}}"#,
                "my_chat_member -5",
            ),
            (
                r#""chat_member":{"chat":{"id":-5},"from":{"id":9},"new_chat_member":{"user":{"id":7}}}"#,
                "member 7",
            ),
            (
                r#""chat_join_request":{"chat":{"id":-5},"from":{"id":7}}"#,
                "member 7",
            ),
            (
                r#""message_reaction":{"chat":{"id":-5},"user":{"id":7}}"#,
                "message_reaction -5",
            ),
            (
                r#""message_reaction_count":{"chat":{"id":-5}}"#,
                "message_reaction_count -5",
            ),
            (r#""chat_boost":{"chat":{"id":-5}}"#, "chat_boost -5"),
            (
                r#""removed_chat_boost":{"chat":{"id":-5}}"#,
                "chat_boost -5",
            ),
            (
                r#""business_connection":{"id":"b","user":{"id":7}}"#,
                "business_connection 7",
            ),
            (
                r#""business_message":{"chat":{"id":5}}"#,
                "business_message 5",
            ),
            (
                r#""deleted_business_messages":{"chat":{"id":5}}"#,
                "business_message 5",
            ),
            (
                r#""purchased_paid_media":{"from":{"id":7}}"#,
                "purchased_paid_media 7",
            ),
            (r#""hologram":{"chat":{"id":5}}"#, "update 3"),
            (r#""message":{}"#, "update 3"),
            (r#""message":7"#, "update 3"),
        ];
        for (text, lane) in table {
            assert_eq!(Lane::of(3, text).name(), lane, "{text}");
        }
    }
}
