//! JSON as a tree that borrows from the bytes it was read from.
//!
//! In: JSON of requests, answers and updates. Out: [`Node`], which [`crate::Mask`]
//! filters in place and [`Node::raw`] writes. Invariant: strings are decoded (no escape
//! hides anything), members keep their order and a repeated name counts once, the first time;
//! depth is bounded by serde_json (128). Reading bytes that end early gives what came before.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Node<'a> {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An integer that only fits without a sign.
    Big(u64),
    /// Any other number.
    Float(f64),
    /// A string, decoded.
    Text(Cow<'a, str>),
    /// An array.
    List(Vec<Node<'a>>),
    /// An object.
    Object(Members<'a>),
}

/// The members of an object, in order, each name once.
pub type Members<'a> = Vec<(Cow<'a, str>, Node<'a>)>;

impl<'a> Node<'a> {
    /// Reads one whole value.
    #[must_use]
    pub fn parse(json: &'a [u8]) -> Option<Self> {
        // Once for all costs less than for each string.
        str::from_utf8(json).ok().and_then(Self::parse_text)
    }

    /// As [`Node::parse`], from text.
    #[must_use]
    pub fn parse_text(json: &'a str) -> Option<Self> {
        let mut reader = serde_json::Deserializer::from_str(json);
        let node = Anything.deserialize(&mut reader).ok()?;
        reader.end().is_ok().then_some(node)
    }

    /// The same, borrowing nothing.
    #[must_use]
    pub fn into_owned(self) -> Node<'static> {
        match self {
            Self::Null => Node::Null,
            Self::Bool(value) => Node::Bool(value),
            Self::Int(value) => Node::Int(value),
            Self::Big(value) => Node::Big(value),
            Self::Float(value) => Node::Float(value),
            Self::Text(text) => Node::Text(Cow::Owned(text.into_owned())),
            Self::List(items) => Node::List(items.into_iter().map(Node::into_owned).collect()),
            Self::Object(members) => Node::Object(
                members
                    .into_iter()
                    .map(|(name, value)| (Cow::Owned(name.into_owned()), value.into_owned()))
                    .collect(),
            ),
        }
    }

    /// The text of a string.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// As JSON.
    #[must_use]
    pub fn raw(&self) -> Option<Box<RawValue>> {
        serde_json::value::to_raw_value(self).ok()
    }
}

/// What was read of an object: its members, and whether it came to its end.
#[derive(Debug, PartialEq)]
pub struct Head<'a> {
    /// The last one has no value when the bytes ended, or went wrong, inside it.
    pub members: Vec<(Cow<'a, str>, Option<Node<'a>>)>,
    /// It came to its end.
    pub whole: bool,
}

impl<'a> Head<'a> {
    /// Reads an object as far as it goes. Not even the beginning of one: no members, not whole.
    #[must_use]
    pub fn parse(json: &'a [u8]) -> Self {
        let mut members = Vec::new();
        let whole = match str::from_utf8(json) {
            Ok(text) => read(serde_json::Deserializer::from_str(text), &mut members),
            // It may be cut inside a sign, or wrong later than what is looked for.
            Err(_) => read(serde_json::Deserializer::from_slice(json), &mut members),
        };
        // A number at the very end may lack digits: nothing says that it is whole.
        let open =
            |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'-' | b'+');
        if !whole
            && json.last().is_some_and(open)
            && let Some((_, value @ Some(Node::Int(_) | Node::Big(_) | Node::Float(_)))) =
                members.last_mut()
        {
            *value = None;
        }
        keep_first(&mut members);
        Self { members, whole }
    }

    /// A member that was read whole.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Node<'a>> {
        let found = self.members.iter().find(|(known, _)| known == name);
        found.and_then(|(_, value)| value.as_ref())
    }
}

// === reading ===

/// Members that most of Telegram's objects have, or fewer.
const TYPICAL: usize = 8;

struct Anything;

impl<'de> DeserializeSeed<'de> for Anything {
    type Value = Node<'de>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Node<'de>, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Anything {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Node<'de>, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node<'de>, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node<'de>, E> {
        Ok(Node::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node<'de>, E> {
        Ok(i64::try_from(value).map_or(Node::Big(value), Node::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node<'de>, E> {
        Ok(Node::Float(value))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Anything)? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node<'de>, A::Error> {
        let mut members: Members<'de> = Vec::with_capacity(TYPICAL);
        while let Some(name) = map.next_key_seed(Name)? {
            let value = map.next_value_seed(Anything)?;
            members.push((name, value));
        }
        keep_first(&mut members);
        Ok(Node::Object(members))
    }
}

struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Cow<'de, str>, D::Error> {
        from.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// Reads an object's members as far as it goes. Whether it came to its end.
fn read<'a, R: serde_json::de::Read<'a>>(
    mut from: serde_json::Deserializer<R>,
    members: &mut Vec<(Cow<'a, str>, Option<Node<'a>>)>,
) -> bool {
    let read = from.deserialize_map(Beginning(members));
    read.is_ok() && from.end().is_ok()
}

struct Beginning<'m, 'a>(&'m mut Vec<(Cow<'a, str>, Option<Node<'a>>)>);

impl<'a> Visitor<'a> for Beginning<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(Name)? {
            self.0.push((name, None));
            let value = map.next_value_seed(Anything)?;
            if let Some(last) = self.0.last_mut() {
                last.1 = Some(value);
            }
        }
        Ok(())
    }
}

/// Telegram reads the first of several; small objects are searched, large ones sorted.
pub fn keep_first<T>(members: &mut Vec<(Cow<'_, str>, T)>) {
    const SMALL: usize = 24;
    if members.len() > SMALL {
        let mut seen = std::collections::HashSet::with_capacity(members.len());
        let first: Vec<bool> = members
            .iter()
            .map(|(name, _)| seen.insert(&**name))
            .collect();
        let mut first = first.into_iter();
        members.retain(|_| first.next().unwrap_or(true));
        return;
    }
    let mut at = 1;
    while at < members.len() {
        match members[..at].iter().any(|(name, _)| *name == members[at].0) {
            true => drop(members.remove(at)),
            false => at += 1,
        }
    }
}

// === writing ===

impl Serialize for Node<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => to.serialize_unit(),
            Self::Bool(value) => to.serialize_bool(*value),
            Self::Int(value) => to.serialize_i64(*value),
            Self::Big(value) => to.serialize_u64(*value),
            Self::Float(value) => to.serialize_f64(*value),
            Self::Text(text) => to.serialize_str(text),
            Self::List(items) => to.collect_seq(items),
            Self::Object(members) => {
                let mut map = to.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_read_is_written_again_in_order() {
        let json = r#"{"b":[1,-2,18446744073709551615,1.5,true,null],"a":{"é":"a\"\n\u0000"}}"#;
        let node = Node::parse(json.as_bytes()).unwrap();
        assert_eq!(node.raw().unwrap().get(), json);
        assert_eq!(node.clone().into_owned(), node);
    }

    #[test]
    fn of_a_repeated_name_the_first_counts() {
        let node = Node::parse(br#"{"a":1,"b":2,"a":3,"\u0061":4}"#).unwrap();
        assert_eq!(node.raw().unwrap().get(), r#"{"a":1,"b":2}"#);
        let many: Vec<String> = (0..40).map(|at| format!("\"n{}\":{at}", at % 30)).collect();
        let json = format!("{{{}}}", many.join(","));
        let Node::Object(members) = Node::parse(json.as_bytes()).unwrap() else {
            unreachable!("an object");
        };
        assert_eq!(members.len(), 30);
        assert_eq!(members[29].1, Node::Int(29));
    }

    #[test]
    fn no_json_is_no_node() {
        let deep = "[".repeat(500) + &"]".repeat(500);
        for json in ["", "{", "{}x", "nul", "\"\\ud800\"", deep.as_str()] {
            assert_eq!(Node::parse(json.as_bytes()), None, "{json}");
        }
        assert_eq!(Node::parse(b"\"\xff\""), None);
    }

    #[test]
    fn an_object_that_ends_early_gives_what_came_before() {
        let json = br#"{"id":1234,"b":{"c":[1]},"d":"e"}"#;
        for end in 0..json.len() {
            let head = Head::parse(&json[..end]);
            assert!(!head.whole);
            match head.get("id") {
                Some(id) => assert_eq!((id, end > 10), (&Node::Int(1234), true)),
                None => assert!(end <= 10, "{end}"),
            }
            assert_eq!(head.get("b").is_some(), end >= 24, "{end}");
        }
        assert!(Head::parse(json).whole);
        let named = Head::parse(br#"{"update_id":1,"message":{"te"#);
        assert_eq!(named.members[1], (Cow::Borrowed("message"), None));
        assert_eq!(Head::parse(b"[1]").members, []);
    }
}
