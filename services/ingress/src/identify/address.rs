//! The part of a target that is Gramtap's: `/c/{code}` before the Bot API's path.
//!
//! In: the raw target. Out: the code, and the target that Telegram is to see. Invariant: what is
//! left is the bot's own bytes from the slash behind the code on; nothing is normalised.

/// A raw target, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address<'t> {
    /// The label behind `/c/`.
    pub(crate) code: Option<&'t str>,
    /// What is relayed: path and query.
    pub(crate) target: &'t str,
    /// The raw path of it.
    pub(crate) path: &'t str,
    /// The raw query of it.
    pub(crate) query: Option<&'t str>,
}

impl<'t> Address<'t> {
    /// Takes a target apart.
    pub(crate) fn of(target: &'t str) -> Self {
        let (code, target) = match target
            .strip_prefix("/c/")
            .and_then(|rest| rest.find('/').map(|at| rest.split_at(at)))
        {
            Some((code, rest)) => (Some(code), rest),
            None => (None, target),
        };
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        Self {
            code,
            target,
            path,
            query,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_prefix_off_and_leaves_the_rest_alone() {
        let table = [
            (
                "/bot1:a/getMe",
                None,
                "/bot1:a/getMe",
                "/bot1:a/getMe",
                None,
            ),
            (
                "/c/abc/bot1:a/getMe?x=/c/d/",
                Some("abc"),
                "/bot1:a/getMe?x=/c/d/",
                "/bot1:a/getMe",
                Some("x=/c/d/"),
            ),
            (
                "/c/abc/file/bot1%3Aa/a%2Fb",
                Some("abc"),
                "/file/bot1%3Aa/a%2Fb",
                "/file/bot1%3Aa/a%2Fb",
                None,
            ),
            (
                "/c/abc//bot1:a/x",
                Some("abc"),
                "//bot1:a/x",
                "//bot1:a/x",
                None,
            ),
            ("/c/abc", None, "/c/abc", "/c/abc", None),
            ("/c//x", Some(""), "/x", "/x", None),
            ("/", None, "/", "/", None),
        ];
        for (raw, code, target, path, query) in table {
            assert_eq!(
                Address::of(raw),
                Address {
                    code,
                    target,
                    path,
                    query
                },
                "{raw}"
            );
        }
    }
}
