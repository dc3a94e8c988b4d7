//! What an answer says before one looks at its result.
//!
//! In: a body, or as much of it as was copied (`answer.rs`). Out: [`Envelope`]. Invariant: a page of
//! a front server is never taken for the Bot API's answer, and a cut envelope says what was seen
//! of it: Telegram writes `ok` first.

use gramtap_events::call::Error;
use gramtap_privacy::tree::{Head, Node};

/// What an answer says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Envelope {
    /// `{"ok":true,…}`.
    Ok,
    /// `{"ok":false,…}`; tokens in the description are hidden, nothing else yet.
    Failed(Error),
    /// A file, as asked for.
    File,
    /// An empty body.
    Empty,
    /// Something else: a front server's page.
    NotJson,
    /// It may be an envelope, but what it says was not seen: cut, or an unknown encoding.
    Unread,
}

/// A longer description is none of Telegram's.
const LONGEST: usize = 4096;

impl Envelope {
    /// Reads a body, whole or not.
    pub(super) fn read(body: &[u8]) -> Self {
        // As Telegram writes every success: no need to look further now.
        if body.starts_with(br#"{"ok":true,"#) {
            return Self::Ok;
        }
        let text = body.trim_ascii_start();
        if text.is_empty() {
            return Self::Empty;
        }
        let head = Head::parse(text);
        match head.get("ok") {
            Some(Node::Bool(true)) => Self::Ok,
            Some(Node::Bool(false)) => Self::Failed(error(&head)),
            _ if head.whole || !text.starts_with(b"{") => Self::NotJson,
            _ => Self::Unread,
        }
    }
}

fn error(head: &Head<'_>) -> Error {
    let number = |node: Option<&Node<'_>>| match node {
        Some(Node::Int(number)) => Some(*number),
        _ => None,
    };
    let parameter = |name: &str| match head.get("parameters") {
        Some(Node::Object(members)) => number(
            members
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value),
        ),
        _ => None,
    };
    let description = head.get("description").and_then(Node::text);
    Error {
        code: number(head.get("error_code")).unwrap_or(0),
        description: description.map(|text| gramtap_privacy::plain(text, LONGEST)),
        retry_after: parameter("retry_after"),
        migrate_to_chat_id: parameter("migrate_to_chat_id"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(code: i64, description: Option<&str>) -> Error {
        Error {
            code,
            description: description.map(str::to_owned),
            retry_after: None,
            migrate_to_chat_id: None,
        }
    }

    #[test]
    fn envelopes_and_what_is_none() {
        let flood = Error {
            retry_after: Some(5),
            ..failed(429, Some("Too Many Requests: retry after 5"))
        };
        let moved = Error {
            migrate_to_chat_id: Some(-100_123),
            ..failed(400, None)
        };
        let table = [
            (r#"{"ok":true,"result":{"message_id":1}}"#, Envelope::Ok),
            (r#" { "result" : 1, "ok" : true } "#, Envelope::Ok),
            (r#"{"ok":true,"result":{"cut":"#, Envelope::Ok),
            (
                r#"{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}"#,
                Envelope::Failed(failed(403, Some("Forbidden: bot was blocked by the user"))),
            ),
            (
                r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 5","parameters":{"retry_after":5}}"#,
                Envelope::Failed(flood),
            ),
            (
                r#"{"ok":false,"error_code":400,"parameters":{"migrate_to_chat_id":-100123}}"#,
                Envelope::Failed(moved),
            ),
            (
                r#"{"ok":false,"error_code":400,"descr"#,
                Envelope::Failed(failed(400, None)),
            ),
            (
                r#"{"ok":false,"description":"see /bot123:abc/getMe"}"#,
                Envelope::Failed(failed(0, Some("see /bot123:***/getMe"))),
            ),
            ("", Envelope::Empty),
            ("\r\n", Envelope::Empty),
            ("<html>502</html>", Envelope::NotJson),
            (r#"{"ok":1}"#, Envelope::NotJson),
            (r#"{"error":"x"}"#, Envelope::NotJson),
            ("[true]", Envelope::NotJson),
            (r#"{"resu"#, Envelope::Unread),
        ];
        for (body, envelope) in table {
            assert_eq!(Envelope::read(body.as_bytes()), envelope, "{body}");
        }
    }
}
