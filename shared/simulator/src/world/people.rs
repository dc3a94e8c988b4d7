//! Users, chats, and how a bot stands to each.
//!
//! In: the control API (`control/*`), methods that rename chats. Out: the JSON of `User` and `Chat`
//! objects, and [`Standing`], which decides whether a bot may write (`world.rs`).
//! Invariant: an id's sign tells its kind, as with Telegram: users positive, groups negative,
//! supergroups and channels below -1000000000000.

use serde::{Deserialize, Serialize};

use crate::json::{Object, Raw};

/// A person, or a bot as others see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Telegram's id: positive.
    pub id: i64,
    /// Shown in messages; "User {id}" if empty.
    #[serde(default)]
    pub first_name: String,
    /// Shown if there is one.
    #[serde(default)]
    pub last_name: Option<String>,
    /// Without the @.
    #[serde(default)]
    pub username: Option<String>,
    /// An IETF tag.
    #[serde(default)]
    pub language_code: Option<String>,
    /// Telegram Premium.
    #[serde(default)]
    pub is_premium: bool,
    /// The account is gone: sending answers 403.
    #[serde(default)]
    pub deactivated: bool,
    /// Whether this is a bot.
    #[serde(default)]
    pub is_bot: bool,
}

impl User {
    /// A person with an id and a first name.
    #[must_use]
    pub fn new(id: i64, first_name: &str) -> Self {
        Self {
            id,
            first_name: first_name.to_owned(),
            last_name: None,
            username: None,
            language_code: Some("en".to_owned()),
            is_premium: false,
            deactivated: false,
            is_bot: false,
        }
    }

    /// Their name, never empty.
    pub(crate) fn shown_name(&self) -> String {
        if self.first_name.is_empty() {
            return format!("User {}", self.id);
        }
        self.first_name.clone()
    }

    pub(crate) fn json(&self) -> Raw {
        Object::new()
            .number("id", self.id)
            .put("is_bot", &self.is_bot)
            .put("first_name", &self.shown_name())
            .some("last_name", self.last_name.as_ref())
            .some("username", self.username.as_ref())
            .some("language_code", self.language_code.as_ref())
            .flag("is_premium", self.is_premium)
            .end()
    }
}

/// The kind of a chat that is not private.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChatKind {
    /// With one user.
    Private,
    /// A basic group.
    Group,
    /// A supergroup.
    Supergroup,
    /// A channel.
    Channel,
}

impl ChatKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Group => "group",
            Self::Supergroup => "supergroup",
            Self::Channel => "channel",
        }
    }
}

/// A group, supergroup or channel; private chats come with their user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chat {
    /// Negative; below -1000000000000 for supergroups and channels.
    pub id: i64,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: ChatKind,
    /// Its name; "Chat {id}" if empty.
    #[serde(default)]
    pub title: String,
    /// Without the @, if it is public.
    #[serde(default)]
    pub username: Option<String>,
    /// Shown by getChat.
    #[serde(default)]
    pub description: Option<String>,
    /// A group that has become this supergroup.
    #[serde(default)]
    pub migrated_to: Option<i64>,
    /// The group was deleted.
    #[serde(default)]
    pub deleted: bool,
    /// User ids.
    #[serde(default)]
    pub members: Vec<i64>,
}

impl Chat {
    /// A chat with an id, a kind and a title.
    #[must_use]
    pub fn new(id: i64, kind: ChatKind, title: &str) -> Self {
        Self {
            id,
            kind,
            title: title.to_owned(),
            username: None,
            description: None,
            migrated_to: None,
            deleted: false,
            members: Vec::new(),
        }
    }

    pub(crate) fn json(&self) -> Raw {
        self.fields().end()
    }

    /// The fields every `Chat` object has; getChat adds more.
    pub(crate) fn fields(&self) -> Object {
        let title = if self.title.is_empty() {
            format!("Chat {}", self.id)
        } else {
            self.title.clone()
        };
        Object::new()
            .number("id", self.id)
            .put("title", &title)
            .some("username", self.username.as_ref())
            .put("type", self.kind.name())
    }
}

/// The fields of a private chat.
pub(crate) fn private_chat(user: &User) -> Object {
    Object::new()
        .number("id", user.id)
        .put("first_name", &user.shown_name())
        .some("last_name", user.last_name.as_ref())
        .some("username", user.username.as_ref())
        .put("type", "private")
}

/// How a bot stands to a chat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It may read and write. In a private chat: the user has started it.
    #[default]
    Member,
    /// It may also administer.
    Administrator,
    /// It left a group or channel, or was never in it.
    Left,
    /// It was removed. In a private chat: the user has blocked it.
    Kicked,
    /// Private chats: the user never started it.
    NeverStarted,
}

impl Standing {
    /// As `ChatMember.status` says it.
    pub(crate) fn status(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Administrator => "administrator",
            Self::Left | Self::NeverStarted => "left",
            Self::Kicked => "kicked",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_have_telegrams_order() {
        let mut user = User::new(7, "Ann");
        user.username = Some("ann".to_owned());
        assert_eq!(
            user.json().as_str(),
            r#"{"id":7,"is_bot":false,"first_name":"Ann","username":"ann","language_code":"en"}"#
        );
        assert_eq!(
            private_chat(&user).end().as_str(),
            r#"{"id":7,"first_name":"Ann","username":"ann","type":"private"}"#
        );
        let chat = Chat::new(-1001, ChatKind::Supergroup, "");
        assert_eq!(
            chat.json().as_str(),
            r#"{"id":-1001,"title":"Chat -1001","type":"supergroup"}"#
        );
    }
}
