//! Where somebody goes after signing in.
//!
//! In: `?next=`, which anybody can make up. Out: a path of this console. Invariant: never another host's address, however a browser may
//! read it. Pure.

/// Where people go who wanted nothing else.
const HOME: &str = "/bots";

/// The path, if it is one of ours, else the list of bots.
pub(super) fn own(wanted: &str) -> &str {
    let mut bytes = wanted.bytes();
    let begins = bytes.next() == Some(b'/') && !matches!(bytes.next(), Some(b'/' | b'\\'));
    // Browsers pass over tabs and line ends, and take a backslash for a slash.
    let plain = wanted
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let door = ["/sign-in", "/sign-out", "/welcome"];
    match begins && plain && !door.iter().any(|door| wanted.starts_with(door)) && wanted != "/" {
        true => wanted,
        false => HOME,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_paths_of_ours() {
        for wanted in [
            "/bots/abc/overview?days=7",
            "/refused",
            "/bots?x=https://evil.example",
            "/bots//evil.example",
        ] {
            assert_eq!(own(wanted), wanted);
        }
        for wanted in [
            "",
            "/",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "\\/evil.example",
            "https://evil.example",
            "https:evil.example",
            "javascript:alert(1)",
            "evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "/\r\nSet-Cookie: a=b",
            " //evil.example",
            "/a\\..\\evil",
            "/bots/é",
            "/sign-in?next=/sign-in",
            "/sign-out",
            "/welcome/x",
        ] {
            assert_eq!(own(wanted), HOME, "{wanted:?}");
        }
    }

    proptest! {
        #[test]
        fn it_stays_on_this_host(wanted in "[/\\\\a-z:@.?#\\t\\n ]{0,24}") {
            let base = url::Url::parse("https://console.example/sign-in").ok();
            let joined = base.and_then(|base| base.join(own(&wanted)).ok());
            let host = joined.as_ref().and_then(|url| url.host_str());
            prop_assert_eq!(host, Some("console.example"));
        }
    }
}
