//! Filters a tree in the modes that keep no texts.
//!
//! In: a tree and where it comes from (`lib.rs`), the table of names (`rules.rs`). Out: the tree
//! with what the table lets through; the header of `lib.rs` describes its shape. Invariant: a
//! string is kept only by a rule that names it and if it has that rule's shape, secrets masked;
//! filtering what was filtered changes nothing (but pseudonyms, which would be hashed again).

use std::borrow::Cow;

use super::pseudonym::{self, PseudonymKey};
use super::rules::{self, Rule};
use super::{MASKED, command, description, secret, shapes};
use crate::tree::{Members, Node};

/// The filter of `metadata`, or with a key of `pseudonymous`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filter<'k> {
    pub(super) key: Option<&'k PseudonymKey>,
}

/// Where in which body a member stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place<'n> {
    /// The name of the member that holds it.
    pub(super) within: &'n str,
    /// The bot wrote it itself.
    pub(super) own: bool,
    /// Numbers may be written as strings: parameters.
    pub(super) loose: bool,
    /// A parameter or a member of the result itself.
    pub(super) top: bool,
    /// Of a method about the webhook.
    pub(super) webhook: bool,
}

/// Telegram's bound on callback data.
const LONGEST_CALLBACK: usize = 64;
/// In characters.
const LONGEST_BUTTON: usize = 128;
/// The members whose objects, or strings, are buttons.
const BUTTONS: [&str; 5] = [
    "button",
    "buttons",
    "inline_keyboard",
    "keyboard",
    "menu_button",
];
/// Messages inside a message that somebody else wrote.
const QUOTED: [&str; 4] = [
    "external_reply",
    "pinned_message",
    "quote",
    "reply_to_message",
];

impl<'n> Place<'n> {
    /// The place of the members of the object `name`.
    pub(super) fn inside(self, name: &'n str) -> Self {
        let pressed = self.within == "callback_query" && name == "message";
        Self {
            within: name,
            own: (self.own || pressed) && !QUOTED.contains(&name),
            top: false,
            webhook: false,
            ..self
        }
    }
}

impl Filter<'_> {
    /// Filters a whole body; whether anything is kept.
    pub(super) fn root(self, node: &mut Node<'_>, place: Place<'_>) -> bool {
        match node {
            Node::Object(members) => self.members(members, place),
            Node::List(items) => {
                items.retain_mut(|item| self.item("result", item, place.inside("result")))
            }
            Node::Bool(_) | Node::Int(_) | Node::Big(_) => {}
            Node::Null | Node::Float(_) | Node::Text(_) => return false,
        }
        true
    }

    fn members(self, members: &mut Members<'_>, place: Place<'_>) {
        let command = command_in(members, place);
        let has_command = members.iter().any(|(name, _)| name == "command");
        members.retain_mut(|(name, value)| match &**name {
            // Only what was read off a text; the payload of an invoice is the bot's own affair.
            "payload" if !has_command => false,
            _ => self.member(name, value, place),
        });
        add(members, command);
    }

    fn member(self, name: &mut Cow<'_, str>, value: &mut Node<'_>, place: Place<'_>) -> bool {
        if !rules::is_name(name) {
            return false;
        }
        let rule = match (&**name, place.within) {
            ("data", "callback_query") => Rule::Callback,
            // Elsewhere it is a part of an address.
            ("state", "subscription") => Rule::Word,
            _ => rules::rule(name),
        };
        if rule == Rule::Secret {
            *value = Node::Text(Cow::Borrowed(MASKED));
            return true;
        }
        if place.loose {
            loosen(name, rule, value, place.top);
        }
        match value {
            Node::Null | Node::Float(_) => false,
            Node::Bool(_) => true,
            Node::Int(_) | Node::Big(_) if rule == Rule::Length => {
                let length = value.raw().map_or(0, |raw| raw.get().len());
                rename(name, "_length");
                *value = count(length);
                true
            }
            Node::Int(_) | Node::Big(_) => self.number(rule, value),
            Node::Text(_) => self.text(name, rule, value, place),
            Node::List(items) => {
                items.retain_mut(|item| self.item(name, item, place));
                true
            }
            Node::Object(members) => {
                self.members(members, place.inside(name));
                true
            }
        }
    }

    /// An element of the list `name`. Elements have no names of their own, so none becomes a length.
    fn item(self, name: &str, item: &mut Node<'_>, place: Place<'_>) -> bool {
        let is_button = place.own && name == "keyboard";
        match item {
            Node::List(items) => {
                items.retain_mut(|item| self.item(name, item, place));
                true
            }
            Node::Text(text) if is_button && text.chars().count() <= LONGEST_BUTTON => {
                clean(text);
                true
            }
            Node::Text(_) => {
                let mut kept = Cow::Borrowed(name);
                self.member(
                    &mut kept,
                    item,
                    Place {
                        top: false,
                        ..place
                    },
                ) && *kept == *name
            }
            Node::Object(members) => {
                self.members(members, place.inside(name));
                true
            }
            _ => {
                let mut kept = Cow::Borrowed(name);
                self.member(&mut kept, item, place) && *kept == *name
            }
        }
    }

    fn number(self, rule: Rule, value: &mut Node<'_>) -> bool {
        match (rule, &*value, self.key) {
            (Rule::Number | Rule::Thing, ..) => true,
            (Rule::Person, Node::Int(id), Some(key)) => {
                *value = Node::Int(pseudonym::of(*id, key));
                true
            }
            (Rule::Person, Node::Int(_), None) => true,
            _ => false,
        }
    }

    /// A string: kept, renamed to its length, or dropped.
    fn text(
        self,
        name: &mut Cow<'_, str>,
        rule: Rule,
        value: &mut Node<'_>,
        place: Place<'_>,
    ) -> bool {
        let Node::Text(text) = value else {
            return false;
        };
        let is_button = place.own && name == "text" && BUTTONS.contains(&place.within);
        match rule {
            Rule::Length if is_button && text.chars().count() <= LONGEST_BUTTON => {}
            Rule::Callback if text.len() <= LONGEST_CALLBACK => {}
            Rule::Length | Rule::Callback => {
                let length = text.encode_utf16().count();
                rename(name, "_length");
                *value = count(length);
                return true;
            }
            Rule::Person | Rule::Thing if is_digits(text) => {
                if let (Rule::Person, Some(key)) = (rule, self.key) {
                    *text = Cow::Owned(pseudonym::of_digits(text, key));
                }
                return true;
            }
            Rule::Person if rules::is_numeric(name) && text.starts_with('@') => {
                rename(name, "_is_username");
                *value = Node::Bool(true);
                return true;
            }
            Rule::Command if command::is_command(text) => {}
            Rule::Payload if command::is_payload(text) => {}
            Rule::Media => *text = Cow::Borrowed(shapes::media(text)),
            Rule::Mime => match shapes::mime(text) {
                Some(kind) => *text = Cow::Owned(kind),
                None => return false,
            },
            Rule::Remark => {
                *text = Cow::Owned(description::without_echoes(text, self.key.is_some()))
            }
            Rule::Other if place.top && place.webhook && name == "url" => {
                *text = Cow::Owned(shapes::site(text))
            }
            rule if shapes::fits(rule, text) => {}
            _ => return false,
        }
        clean(text);
        true
    }
}

/// The command of a message that somebody else than the bot wrote.
pub(super) fn command_in(members: &Members<'_>, place: Place<'_>) -> Option<command::Command> {
    let (_, text) = members
        .iter()
        .find(|(name, _)| name == "text" && !place.own)?;
    text.text().and_then(command::read)
}

/// Adds what was read off a text, unless Telegram itself has come to say so.
pub(super) fn add(members: &mut Members<'_>, command: Option<command::Command>) {
    let Some(command) = command else {
        return;
    };
    let derived = [
        ("command", Some(command.name)),
        ("payload", command.payload),
    ];
    for (name, text) in derived {
        if let Some(text) = text
            && !members.iter().any(|(known, _)| known == name)
        {
            let text = secret::cleaned(&text).into_owned();
            members.push((Cow::Borrowed(name), Node::Text(Cow::Owned(text))));
        }
    }
}

/// Reads a string of a parameter as what it stands for: a number, a boolean, JSON.
pub(super) fn loosen(name: &str, rule: Rule, value: &mut Node<'_>, top: bool) {
    let is_text = matches!(rule, Rule::Length | Rule::Callback | Rule::Payload);
    let text = match &*value {
        Node::Text(text) => text,
        Node::Null => return,
        // What is a text to Telegram is one even if the client wrote a number, or an object.
        other if is_text && top => {
            let raw = other.raw().map(|raw| raw.get().to_owned());
            *value = Node::Text(Cow::Owned(raw.unwrap_or_default()));
            return;
        }
        // Nor can one tell a number from a string of digits in a form, where the type is not known.
        Node::Int(id)
            if top
                && !rules::is_numeric(name)
                && matches!(rule, Rule::Person | Rule::Thing | Rule::Media) =>
        {
            *value = Node::Text(Cow::Owned(id.to_string()));
            return;
        }
        _ => return,
    };
    let is_number = rule == Rule::Number || rules::is_numeric(name);
    let read = match &**text {
        _ if is_text => None,
        word if word.eq_ignore_ascii_case("true") => Some(Node::Bool(true)),
        word if word.eq_ignore_ascii_case("false") => Some(Node::Bool(false)),
        "null" => Some(Node::Null),
        json if top && json.trim_start().starts_with(['{', '[']) => {
            Node::parse_text(json).map(Node::into_owned)
        }
        digits if is_number => digits
            .parse()
            .ok()
            .filter(|id: &i64| id.to_string() == digits)
            .map(Node::Int),
        _ => None,
    };
    if let Some(read) = read {
        *value = read;
    }
}

/// Masks the secrets of a string that is kept.
pub(super) fn clean(text: &mut Cow<'_, str>) {
    if let Cow::Owned(cleaned) = secret::cleaned(text) {
        *text = Cow::Owned(cleaned);
    }
}

fn rename(name: &mut Cow<'_, str>, ending: &str) {
    *name = Cow::Owned([name, ending].concat());
}

fn count(length: usize) -> Node<'static> {
    Node::Int(i64::try_from(length).unwrap_or(i64::MAX))
}

fn is_digits(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    (1..=32).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}
