//! What a call fails with, in the Bot API's own words.
//!
//! In: the rules of `methods/*`, `world/*`, `route.rs`. Out: [`Failure`], rendered by
//! `methods.rs` into `{"ok":false,…}`. Invariant: the texts are Telegram's, to the letter; no text holds a token.

use std::borrow::Cow;

use crate::json::Object;

/// An answer with `"ok":false`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code} {description}")]
pub(crate) struct Failure {
    pub(crate) code: u16,
    pub(crate) description: Cow<'static, str>,
    /// Seconds; also sent as the header `Retry-After`.
    pub(crate) retry_after: Option<u32>,
    /// The supergroup that a group has become.
    pub(crate) migrate_to_chat_id: Option<i64>,
}

impl Failure {
    pub(crate) fn new(code: u16, description: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            description: description.into(),
            retry_after: None,
            migrate_to_chat_id: None,
        }
    }

    /// 400 `Bad Request: …`.
    pub(crate) fn bad(text: &str) -> Self {
        Self::new(400, format!("Bad Request: {text}"))
    }

    /// 403 `Forbidden: …`.
    pub(crate) fn forbidden(text: &str) -> Self {
        Self::new(403, format!("Forbidden: {text}"))
    }

    /// 409 `Conflict: …`.
    pub(crate) fn conflict(text: &str) -> Self {
        Self::new(409, format!("Conflict: {text}"))
    }

    /// 429 with the time to wait in all three places.
    pub(crate) fn flood(seconds: u32) -> Self {
        Self {
            retry_after: Some(seconds),
            ..Self::new(429, format!("Too Many Requests: retry after {seconds}"))
        }
    }

    /// 400 for a group that is a supergroup now.
    pub(crate) fn migrated(to: i64) -> Self {
        Self {
            migrate_to_chat_id: Some(to),
            ..Self::bad("group chat was upgraded to a supergroup chat")
        }
    }

    /// The body.
    pub(crate) fn body(&self) -> String {
        let parameters = match (self.migrate_to_chat_id, self.retry_after) {
            (None, None) => None,
            (chat, seconds) => Some(
                Object::new()
                    .some("migrate_to_chat_id", chat)
                    .some("retry_after", seconds)
                    .end(),
            ),
        };
        Object::new()
            .put("ok", &false)
            .put("error_code", &self.code)
            .put("description", &self.description)
            .some_raw("parameters", parameters.as_ref())
            .end()
            .as_str()
            .to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_telegrams() {
        assert_eq!(
            Failure::flood(7).body(),
            r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 7","parameters":{"retry_after":7}}"#
        );
        assert_eq!(
            Failure::migrated(-1001).body(),
            r#"{"ok":false,"error_code":400,"description":"Bad Request: group chat was upgraded to a supergroup chat","parameters":{"migrate_to_chat_id":-1001}}"#
        );
    }
}
