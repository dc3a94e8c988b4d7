//! Where a request goes, from its target alone.
//!
//! In: the raw request target. Out: [`Route`] for `connection.rs` and `fault.rs`.
//! The rules are those of Telegram's server: decode the path once, then cut it (telegram.md §2.1).
//! Invariant: pure; the same bytes always give the same route. `Debug` hides the token.

use std::fmt;

use gramtap_telegram::Token;
use percent_encoding::percent_decode;

/// Which of Telegram's two worlds.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// The one everybody uses.
    #[default]
    Production,
    /// `/bot{token}/test/{method}`: own bots, users, chats.
    Test,
}

/// A request's destination.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// A method of the Bot API.
    Call {
        token: String,
        environment: Environment,
        /// As sent, without the query; may be empty (then the argument `method` names it).
        method: String,
    },
    /// A file's content; `path` as decoded, without a leading slash.
    File {
        token: String,
        environment: Environment,
        path: String,
    },
    /// The control API; what follows `/simulator`, decoded.
    Control(String),
    /// The target names a host.
    Absolute,
    /// Nothing of ours.
    Unknown,
}

impl Route {
    /// Reads a target; everything from `?` or `#` on is not part of the path.
    pub(crate) fn of(target: &[u8]) -> Self {
        let path = &target[..memchr::memchr2(b'?', b'#', target).unwrap_or(target.len())];
        let decoded = percent_decode(path).decode_utf8_lossy();
        if !decoded.starts_with('/') {
            return Self::Absolute;
        }
        if let Some(rest) = decoded.strip_prefix("/simulator")
            && (rest.is_empty() || rest.starts_with('/'))
        {
            return Self::Control(rest.trim_start_matches('/').to_owned());
        }
        if let Some((token, environment, path)) = decoded.strip_prefix("/file/bot").and_then(cut) {
            return Self::File {
                token: token.to_owned(),
                environment,
                path: path.to_owned(),
            };
        }
        match decoded.strip_prefix("/bot").and_then(cut) {
            Some((token, environment, method)) => Self::Call {
                token: token.to_owned(),
                environment,
                method: method.to_owned(),
            },
            None => Self::Unknown,
        }
    }

    /// The bot named, if what stands for the token is one.
    pub(crate) fn bot(&self) -> Option<i64> {
        match self {
            Self::Call { token, .. } | Self::File { token, .. } => {
                Token::parse(token).ok().map(|token| token.bot().0)
            }
            _ => None,
        }
    }

    /// The method named in the path, lower-cased; `file` for a download.
    pub(crate) fn method(&self) -> Option<String> {
        match self {
            Self::Call { method, .. } => Some(method.to_ascii_lowercase()),
            Self::File { .. } => Some("file".to_owned()),
            _ => None,
        }
    }
}

/// Cuts `{token}/[test/]{rest}`. A rest that merely begins with "test" is no match: so does Telegram's server.
fn cut(text: &str) -> Option<(&str, Environment, &str)> {
    let (token, rest) = text.split_at(text.find('/')?);
    match rest.strip_prefix("/test") {
        Some(rest) => Some((token, Environment::Test, rest.strip_prefix('/')?)),
        None => Some((token, Environment::Production, rest.strip_prefix('/')?)),
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call { environment, .. } | Self::File { environment, .. } => f
                .debug_struct(if matches!(self, Self::Call { .. }) {
                    "Call"
                } else {
                    "File"
                })
                .field("bot", &self.bot())
                .field("environment", environment)
                .finish_non_exhaustive(),
            Self::Control(_) => f.write_str("Control"),
            Self::Absolute => f.write_str("Absolute"),
            Self::Unknown => f.write_str("Unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(environment: Environment, method: &str) -> Route {
        Route::Call {
            token: "1:a".to_owned(),
            environment,
            method: method.to_owned(),
        }
    }

    #[test]
    fn follows_the_table() {
        use Environment::{Production, Test};
        let table = [
            ("/bot1:a/getMe", call(Production, "getMe")),
            ("/bot1%3Aa%2FgetMe", call(Production, "getMe")),
            ("/%62ot1:a/getMe?x=/bot9:z/", call(Production, "getMe")),
            ("/bot1:a/getMe#f", call(Production, "getMe")),
            ("/bot1:a/getMe/", call(Production, "getMe/")),
            ("/bot1:a//getMe", call(Production, "/getMe")),
            ("/bot1:a/", call(Production, "")),
            ("/bot1:a/test/getMe", call(Test, "getMe")),
            ("/bot1:a/test/", call(Test, "")),
            ("/bot1:a/test", Route::Unknown),
            ("/bot1:a/testing", Route::Unknown),
            ("/bot1:a", Route::Unknown),
            ("//bot1:a/getMe", Route::Unknown),
            ("/", Route::Unknown),
            ("http://x/bot1:a/getMe", Route::Absolute),
            ("*", Route::Absolute),
            ("/simulator/bots?x", Route::Control("bots".to_owned())),
            ("/simulators", Route::Unknown),
        ];
        for (target, route) in table {
            assert_eq!(Route::of(target.as_bytes()), route, "{target}");
        }
        let file = Route::of(b"/file/bot1%3Aa/documents/a%20b.txt");
        assert!(
            matches!(&file, Route::File { token, path, .. } if token == "1:a" && path == "documents/a b.txt")
        );
        assert_eq!(file.method().as_deref(), Some("file"));
    }

    #[test]
    fn debug_hides_the_token() {
        let text = format!(
            "{:?} {:?}",
            Route::of(b"/bot1:secret/getMe"),
            Route::of(b"/file/bot1:secret/x")
        );
        assert!(
            !text.contains("secret") && text.contains("Some(1)"),
            "{text}"
        );
    }
}
