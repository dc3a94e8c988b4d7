//! Keeps the tokens that were given as arguments out of what is written.
//!
//! In: a text, and the process's arguments. Out: the text with `<bot id>:***` for each of these
//! tokens. Invariant: it finds a token of any length, where `gramtap_telegram::redact` knows them by
//! their usual one; clap quotes arguments that it does not understand. Pure.

use std::ffi::OsString;

use gramtap_telegram::{Token, redact::redact};

/// `text` without the tokens among `arguments`.
pub(crate) fn arguments(text: &str, arguments: &[OsString]) -> String {
    let mut shown = text.to_owned();
    for argument in arguments {
        let argument = argument.to_string_lossy();
        // `--token T`, `--token=T`, and whatever else was typed around it.
        let words = argument
            .split(['=', ' ', '"', '\'', '/', ','])
            .map(str::trim);
        for word in words.chain([argument.trim()]) {
            // In a URL the word `bot` stands before it.
            let word = word.trim_start_matches(|sign: char| !sign.is_ascii_digit());
            if let Some((id, secret)) = word.split_once(':')
                && hides(word, id, secret)
            {
                shown = shown.replace(word, &format!("{id}:***"));
            }
        }
    }
    redact(&shown).into_owned()
}

/// Whether it is a token, or a token that was damaged on its way here. An address is none.
fn hides(word: &str, id: &str, secret: &str) -> bool {
    let number = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    let port = secret.len() <= 5 && secret.bytes().all(|byte| byte.is_ascii_digit());
    Token::parse(word).is_ok() || (number && !secret.is_empty() && !port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_hidden_wherever_they_were_typed() {
        let long = "123456:AAF-abcdefghijklmnopqrstuvwxyz_0123";
        for (argument, text, shown) in [
            (
                "1:canary",
                "unexpected argument '1:canary' found",
                "unexpected argument '1:***' found",
            ),
            (
                "--tokn=1:canary",
                "unexpected argument '--tokn=1:canary'",
                "unexpected argument '--tokn=1:***'",
            ),
            ("--name=x 1:canary", "'x 1:canary'", "'x 1:***'"),
            (
                "http://h/bot1:canary/getMe",
                "http://h/bot1:canary/getMe",
                "http://h/bot1:***/getMe",
            ),
            ("1:can+ary", "'1:can+ary'", "'1:***'"),
            (
                "127.0.0.1:8082",
                "127.0.0.1:8082 is taken",
                "127.0.0.1:8082 is taken",
            ),
            ("up", "up", "up"),
            ("x", long, "123456:***"),
        ] {
            assert_eq!(arguments(text, &[argument.into()]), shown, "{argument}");
        }
    }
}
