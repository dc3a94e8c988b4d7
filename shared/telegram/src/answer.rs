//! The envelope of every answer of the Bot API.
//!
//! In: an answer's body. Out: [`Answer`], its result left as raw JSON. Invariant: a body that
//! is no such envelope (a front server's HTML, a cut body) is `None`, never a guess.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// `{"ok":…,"result":…}` or `{"ok":false,"error_code":…,"description":…,"parameters":…}`.
#[derive(Debug, Deserialize)]
pub struct Answer<'a> {
    /// Whether the call succeeded.
    pub ok: bool,
    /// The result as Telegram wrote it.
    #[serde(borrow, default)]
    pub result: Option<&'a RawValue>,
    /// Telegram's code, as a rule the HTTP status.
    #[serde(default)]
    pub error_code: Option<i64>,
    /// What went wrong, or a remark about a success.
    #[serde(borrow, default)]
    pub description: Option<Cow<'a, str>>,
    /// What to do about it.
    #[serde(default)]
    pub parameters: Option<Parameters>,
}

/// `ResponseParameters` of the Bot API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    /// Seconds to wait before the call is repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<i64>,
    /// The supergroup that a group has become.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migrate_to_chat_id: Option<i64>,
}

impl<'a> Answer<'a> {
    /// Reads a body.
    #[must_use]
    pub fn parse(body: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn reads_success_and_failure() {
        let answer =
            Answer::parse(br#"{"ok":true,"result":{"id":1},"description":"Webhook was set"}"#)
                .unwrap();
        assert!(answer.ok);
        assert_eq!(answer.result.unwrap().get(), r#"{"id":1}"#);
        assert_eq!(answer.description.unwrap(), "Webhook was set");
        let body = br#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 5","parameters":{"retry_after":5}}"#;
        let answer = Answer::parse(body).unwrap();
        assert_eq!((answer.ok, answer.error_code), (false, Some(429)));
        assert_eq!(answer.parameters.unwrap().retry_after, Some(5));
    }

    #[test]
    fn anything_else_is_no_answer() {
        for body in [
            "",
            "<html>",
            "[]",
            "{}",
            r#"{"ok":1}"#,
            r#"{"ok":true,"result":"#,
        ] {
            assert!(Answer::parse(body.as_bytes()).is_none(), "{body}");
        }
    }
}
