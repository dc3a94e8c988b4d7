//! What must be read of an update to pass it on.
//!
//! In: an update as it was sent. Out: [`Head`]. Invariant: only the number and the one field that tells whose it is are read; all else is passed
//! over, whatever it is.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{By, Queue, rule};
use crate::UpdateKind;

/// What must be known of an update to pass it on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Telegram's number of it.
    pub update_id: Option<i64>,
    /// Its kind.
    pub kind: UpdateKind,
    /// The queue it waits in.
    pub queue: Queue,
}

impl Head {
    /// Reads an update, a JSON object. None for anything else.
    #[must_use]
    pub fn read(update: &[u8]) -> Option<Self> {
        let parts: Parts<'_> = serde_json::from_slice(update).ok()?;
        let name = parts.body.map_or("", |(name, _)| name);
        let queue = match (parts.body, rule(name)) {
            (Some((_, body)), Some((_, class, by, _))) => Queue {
                class: *class,
                id: by.number(body.get()).unwrap_or_default(),
            },
            _ => Queue::OTHER,
        };
        Some(Self {
            update_id: parts.update_id,
            kind: UpdateKind::named(name),
            queue,
        })
    }
}

impl By {
    fn number(self, body: &str) -> Option<i64> {
        #[derive(Deserialize)]
        struct Id {
            id: i64,
        }
        #[derive(Deserialize)]
        struct Chat {
            chat: Id,
        }
        #[derive(Deserialize)]
        struct From {
            from: Id,
        }
        #[derive(Deserialize)]
        struct User {
            user: Id,
        }
        #[derive(Deserialize)]
        struct Member {
            old_chat_member: User,
        }
        #[derive(Deserialize)]
        struct Poll<'a> {
            id: &'a str,
        }
        #[derive(Deserialize)]
        struct Answer<'a> {
            poll_id: &'a str,
        }
        fn read<'a, T: Deserialize<'a>>(body: &'a str) -> Option<T> {
            serde_json::from_str(body).ok()
        }
        match self {
            Self::Chat => read::<Chat>(body).map(|body| body.chat.id),
            Self::From => read::<From>(body).map(|body| body.from.id),
            Self::User => read::<User>(body).map(|body| body.user.id),
            Self::Member => read::<Member>(body).map(|body| body.old_chat_member.user.id),
            Self::Poll => read::<Poll<'_>>(body).and_then(|body| body.id.parse().ok()),
            Self::Answer => read::<Answer<'_>>(body).and_then(|body| body.poll_id.parse().ok()),
        }
    }
}

/// An update's number, and the field beside it, unread.
#[derive(Default)]
struct Parts<'a> {
    update_id: Option<i64>,
    body: Option<(&'a str, &'a RawValue)>,
}

impl<'de> Deserialize<'de> for Parts<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Parts<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an update")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut parts = Parts::default();
                while let Some(Name(name)) = map.next_key()? {
                    match name {
                        Some("update_id") => {
                            let number: &RawValue = map.next_value()?;
                            parts.update_id = number.get().parse().ok();
                        }
                        Some(name) if parts.body.is_none() => {
                            parts.body = Some((name, map.next_value()?));
                        }
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(parts)
            }
        }
        from.deserialize_map(Fields)
    }
}

/// A field's name; none where it is written with escapes, which no name of Telegram's is.
struct Name<'a>(Option<&'a str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Some(name)))
            }

            fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
                Ok(Name(None))
            }
        }
        from.deserialize_str(Text)
    }
}
