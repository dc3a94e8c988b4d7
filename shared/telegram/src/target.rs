//! What a request's path names: which bot, and which of its doors.
//!
//! In: the raw path (before `?`, still percent-encoded, any prefix of ours removed).
//! Out: [`Target`]. Follows tdlib's server: the path is decoded first, then read.
//! Invariant: this only *reads* the path; what is relayed is the raw one, byte for byte.

use std::borrow::Cow;

use memchr::memchr;
use percent_encoding::percent_decode_str;

use crate::{BotId, Method, Token};

/// A path under `/bot…` or `/file/bot…`.
#[derive(Clone, Debug)]
pub struct Target {
    /// The number before the token's colon, where it reads as a bot id.
    pub bot: Option<BotId>,
    /// The token, where it is well formed. Telegram judges the others.
    pub token: Option<Token>,
    /// What is asked for.
    pub door: Door,
}

/// The two doors of a bot, each also in the test environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Door {
    /// `/bot{token}/[test/]{method}`; the method's name may be empty (then the argument `method` counts).
    Method {
        /// `/test/` stood before the method.
        test: bool,
        /// The method asked for.
        method: Method,
    },
    /// `/file/bot{token}/[test/]{path}`. The path itself is not kept: it may name a user's file.
    File {
        /// `/test/` stood before the path.
        test: bool,
    },
}

/// The path lies outside the Bot API; Telegram answers such a path 404 `Not Found`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the path does not begin with /bot<token>/ or /file/bot<token>/")]
pub struct TargetError;

impl Target {
    /// Reads a raw path.
    pub fn parse(raw: &str) -> Result<Self, TargetError> {
        let decoded: Cow<'_, [u8]> = percent_decode_str(raw).into();
        let (file, rest) = match decoded.strip_prefix(b"/file") {
            Some(rest) => (true, rest),
            None => (false, &*decoded),
        };
        let rest = rest.strip_prefix(b"/bot").ok_or(TargetError)?;
        let (token, rest) = rest.split_at(memchr(b'/', rest).ok_or(TargetError)?);
        let (test, rest) = match rest.strip_prefix(b"/test") {
            Some(rest) if rest.starts_with(b"/") => (true, rest),
            _ => (false, rest),
        };
        let door = match file {
            true => Door::File { test },
            false => Door::Method {
                test,
                method: Method::named(&String::from_utf8_lossy(&rest[1..])),
            },
        };
        let token = std::str::from_utf8(token).unwrap_or_default();
        let bot = token.split_once(':').and_then(|(id, _)| id.parse().ok());
        Ok(Self {
            bot,
            token: Token::parse(token).ok(),
            door,
        })
    }

    /// The method, where one is called.
    #[must_use]
    pub fn method(&self) -> Option<&Method> {
        match &self.door {
            Door::Method { method, .. } => Some(method),
            Door::File { .. } => None,
        }
    }

    /// Whether this is a long poll.
    #[must_use]
    pub fn is_poll(&self) -> bool {
        self.method().is_some_and(Method::is_get_updates)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn call(test: bool, method: &str) -> Door {
        let method = Method::named(method);
        Door::Method { test, method }
    }

    #[test]
    fn reads_every_shape_that_clients_send() {
        let file = |test| Door::File { test };
        let table = [
            ("/bot1:a/getMe", Some(1), true, call(false, "getMe")),
            ("/bot1:a/GETME", Some(1), true, call(false, "getMe")),
            ("/bot1%3Aa%2FgetMe", Some(1), true, call(false, "getMe")),
            ("/%62ot1:a/getMe", Some(1), true, call(false, "getMe")),
            ("/bot1:a/test/getMe", Some(1), true, call(true, "getMe")),
            ("/bot1:a/", Some(1), true, call(false, "")),
            ("/bot1:a/getMe/", Some(1), true, call(false, "getMe/")),
            ("/bot1:a/newThing", Some(1), true, call(false, "newThing")),
            ("/bot1:a/testy", Some(1), true, call(false, "testy")),
            (
                "/file/bot1%3Aa/photos/file_1.jpg",
                Some(1),
                true,
                file(false),
            ),
            ("/file/bot1:a/test/photos/x", Some(1), true, file(true)),
            ("/file/bot1:a//var/lib/x", Some(1), true, file(false)),
            ("/botabc/getMe", None, false, call(false, "getMe")),
            ("/bot01:a/getMe", None, false, call(false, "getMe")),
            ("/bot1:/getMe", Some(1), false, call(false, "getMe")),
            ("/bot1:a%0d%0a/getMe", Some(1), false, call(false, "getMe")),
            ("/bot1:a%00/getMe", Some(1), false, call(false, "getMe")),
        ];
        for (path, bot, whole, door) in table {
            let target = Target::parse(path).unwrap();
            assert_eq!(target.bot, bot.map(BotId), "{path}");
            assert_eq!(target.token.is_some(), whole, "{path}");
            assert_eq!(target.door, door, "{path}");
        }
    }

    #[test]
    fn refuses_what_telegram_answers_not_found() {
        for path in [
            "",
            "/",
            "//bot1:a/getMe",
            "/bot1:a",
            "/file/x",
            "/file",
            "/Bot1:a/getMe",
            "bot1:a/x",
        ] {
            assert_eq!(Target::parse(path).unwrap_err(), TargetError, "{path}");
        }
    }

    proptest! {
        #[test]
        fn never_panics_and_never_shows_the_secret(secret in "[A-Za-z0-9_-]{20,35}", tail in "\\PC{0,40}") {
            let path = format!("/bot77:{secret}/{tail}");
            let target = Target::parse(&path).unwrap();
            prop_assume!(!tail.contains(&secret));
            let shown = format!("{target:?}");
            prop_assert!(!shown.contains(&secret));
        }
    }
}
