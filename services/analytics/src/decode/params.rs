//! Reads the parameters of a call that events tell.
//!
//! In: the filtered parameters of a call's record, which bots write as they please. Out: [`Params`].
//! Invariant: a parameter of another shape than documented is not known; it spoils no other one. Of a name that stands
//! twice the first counts, as for Telegram.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::shapes::Key;

/// What is of interest of the parameters.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Params {
    pub(super) chat_id: Option<i64>,
    pub(super) user_id: Option<i64>,
    pub(super) thread_id: Option<i64>,
    pub(super) message_id: Option<i64>,
    /// How many messages a call is about, where it names a list of them.
    pub(super) messages: Option<usize>,
    pub(super) reply_to: Option<i64>,
    pub(super) text: Option<String>,
    pub(super) text_length: Option<i64>,
    /// Of setWebhook: the link, outside `full` scheme and host of it.
    pub(super) url: Option<String>,
}

impl Params {
    pub(super) fn read(params: &RawValue) -> Self {
        serde_json::from_str(params.get()).unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for Params {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Reading)
    }
}

struct Reading;

#[derive(Deserialize)]
struct Reply {
    message_id: Option<i64>,
}

impl<'de> Visitor<'de> for Reading {
    type Value = Params;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("parameters")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Params, A::Error> {
        let mut params = Params::default();
        while let Some(Key(name)) = map.next_key()? {
            match &*name {
                "chat_id" => take(&mut map, &mut params.chat_id)?,
                "user_id" | "receiver_user_id" => take(&mut map, &mut params.user_id)?,
                "message_thread_id" => take(&mut map, &mut params.thread_id)?,
                "message_id" => take(&mut map, &mut params.message_id)?,
                "reply_to_message_id" => take(&mut map, &mut params.reply_to)?,
                "text" | "caption" => take(&mut map, &mut params.text)?,
                "text_length" | "caption_length" => take(&mut map, &mut params.text_length)?,
                "url" => take(&mut map, &mut params.url)?,
                "reply_parameters" => {
                    let mut reply = None::<Reply>;
                    take(&mut map, &mut reply)?;
                    params.reply_to = params.reply_to.or(reply.and_then(|it| it.message_id));
                }
                "message_ids" => {
                    let mut ids = None::<Vec<IgnoredAny>>;
                    take(&mut map, &mut ids)?;
                    params.messages = params.messages.or(ids.map(|ids| ids.len()));
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(params)
    }
}

/// Takes a value over if it is of the right shape and none is there yet.
fn take<'de, A, T>(map: &mut A, to: &mut Option<T>) -> Result<(), A::Error>
where
    A: MapAccess<'de>,
    T: Deserialize<'de>,
{
    let raw: &'de RawValue = map.next_value()?;
    if to.is_none() {
        *to = serde_json::from_str(raw.get()).ok().flatten();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_bots_write_is_read_as_far_as_it_can_be() {
        let full = Params {
            chat_id: Some(42),
            message_id: Some(7),
            thread_id: Some(3),
            text: Some("hi".to_owned()),
            reply_to: Some(5),
            ..Params::default()
        };
        let table = [
            (
                r#"{"chat_id":42,"message_id":7,"message_thread_id":3,"text":"hi","reply_parameters":{"message_id":5}}"#,
                full,
            ),
            (
                r#"{"chat_id_is_username":true,"text_length":2,"message_ids":[1,2,3],"0":"d"}"#,
                Params {
                    text_length: Some(2),
                    messages: Some(3),
                    ..Params::default()
                },
            ),
            (
                r#"{"chat_id":"@ann","user_id":{"id":1},"text":null,"message_id":1.5,"url":""}"#,
                Params {
                    url: Some(String::new()),
                    ..Params::default()
                },
            ),
            (
                r#"{"chat_id":1,"chat_id":2}"#,
                Params {
                    chat_id: Some(1),
                    ..Params::default()
                },
            ),
            ("[1]", Params::default()),
            ("{}", Params::default()),
        ];
        for (text, expected) in table {
            let raw = RawValue::from_string(text.to_owned());
            assert_eq!(
                raw.map(|raw| Params::read(&raw)).ok(),
                Some(expected),
                "{text}"
            );
        }
    }
}
