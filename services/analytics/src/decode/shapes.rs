//! The small objects that many of Telegram's bodies hold.
//!
//! In: filtered JSON of a record (the header of ingress' `mask.rs` describes it). Out: typed values, all
//! optional, because every privacy mode leaves something out. Invariant: unknown members are
//! passed over; text is taken over once, into the event that will carry it.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::value::RawValue;

/// A user or a bot.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct User {
    pub(super) id: Option<i64>,
    pub(super) is_bot: Option<bool>,
    pub(super) username: Option<String>,
    pub(super) language_code: Option<String>,
    pub(super) is_premium: Option<bool>,
}

/// A chat.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Chat {
    pub(super) id: Option<i64>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
}

/// The name of a member.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Key<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// How large a file is: of a list of sizes the largest. Whatever else stands there has no size.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Size(pub(super) Option<i64>);

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Sizes;
        impl<'de> Visitor<'de> for Sizes {
            type Value = Size;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a file, a list of sizes, or anything")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Size, A::Error> {
                let mut size = Size(None);
                while let Some(Key(name)) = map.next_key()? {
                    match &*name {
                        "file_size" => size.0 = map.next_value()?,
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(size)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Size, A::Error> {
                let mut largest = Size(None);
                while let Some(size) = seq.next_element::<Size>()? {
                    largest.0 = largest.0.max(size.0);
                }
                Ok(largest)
            }

            fn visit_str<E: de::Error>(self, _: &str) -> Result<Size, E> {
                Ok(Size(None))
            }

            fn visit_bool<E: de::Error>(self, _: bool) -> Result<Size, E> {
                Ok(Size(None))
            }

            fn visit_i64<E: de::Error>(self, _: i64) -> Result<Size, E> {
                Ok(Size(None))
            }

            fn visit_u64<E: de::Error>(self, _: u64) -> Result<Size, E> {
                Ok(Size(None))
            }

            fn visit_f64<E: de::Error>(self, _: f64) -> Result<Size, E> {
                Ok(Size(None))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Size, E> {
                Ok(Size(None))
            }
        }
        from.deserialize_any(Sizes)
    }
}

/// Reads the member `name` of an object, passing over the others. None: it is not there, or not of
/// that shape.
pub(super) fn member<'a, T: Deserialize<'a>>(object: &'a RawValue, name: &str) -> Option<T> {
    struct Member<'n, T>(&'n str, PhantomData<T>);

    impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Member<'_, T> {
        type Value = Option<T>;

        fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Option<T>, D::Error> {
            from.deserialize_map(self)
        }
    }

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Member<'_, T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<T>, A::Error> {
            let mut found = None;
            while let Some(Key(name)) = map.next_key()? {
                match found.is_none() && name == self.0 {
                    true => found = Some(map.next_value()?),
                    false => drop(map.next_value::<IgnoredAny>()?),
                }
            }
            Ok(found)
        }
    }

    let mut from = serde_json::Deserializer::from_str(object.get());
    Member(name, PhantomData)
        .deserialize(&mut from)
        .ok()
        .flatten()
}
