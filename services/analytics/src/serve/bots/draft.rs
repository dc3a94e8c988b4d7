//! What somebody has filled in to connect a bot.
//!
//! In: the form of `add.rs`. Out: a [`NewTenant`] to ask for, or what is wrong. Invariant: no token is ever in a [`Draft`], whichever field
//! it was typed into, so a form that comes back holds none. Pure.

use gramtap_events::tenant::Privacy;
use gramtap_settings::SecretString;
use gramtap_telegram::{BotId, Token};
use gramtap_tenants::NewTenant;
use serde::Deserialize;

use super::trouble::Trouble;

/// The form.
#[derive(Debug, Default, Deserialize)]
pub(in crate::serve) struct Given {
    #[serde(default)]
    way: String,
    #[serde(default)]
    token: SecretString,
    #[serde(default)]
    bot: SecretString,
    #[serde(default)]
    name: SecretString,
    #[serde(default)]
    privacy: String,
    #[serde(default)]
    store: Option<String>,
}

/// How the bot is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::serve) enum Way {
    /// By its token.
    #[default]
    Token,
    /// By its bot id.
    Id,
    /// By an address of its own.
    Code,
}

/// What may be shown again.
#[derive(Clone, Debug, Default)]
pub(in crate::serve) struct Draft {
    pub(super) way: Way,
    pub(super) bot: String,
    pub(super) name: String,
    pub(super) privacy: Privacy,
    pub(super) store: bool,
}

impl Draft {
    pub(super) fn is(&self, way: &str) -> bool {
        way == match self.way {
            Way::Token => "token",
            Way::Id => "id",
            Way::Code => "code",
        }
    }
}

/// Reads the form: what may be shown again, and what to ask for; with the token that was given.
pub(super) fn read(given: Given) -> (Draft, Result<(NewTenant, Option<Token>), Trouble>) {
    let way = match given.way.as_str() {
        "id" => Way::Id,
        "code" => Way::Code,
        _ => Way::Token,
    };
    let (bot, name) = (given.bot.expose().trim(), given.name.expose().trim());
    let mut draft = Draft {
        way,
        // Anything else may be a token.
        bot: bot
            .parse::<BotId>()
            .map_or_else(|_| String::new(), |bot| bot.to_string()),
        name: String::new(),
        privacy: given.privacy.parse().unwrap_or_default(),
        store: given.store.is_some(),
    };
    if holds_token(name) {
        return (
            draft,
            Err(Trouble::text(
                "The name holds a token. A token belongs in the field for it and nowhere else.",
            )),
        );
    }
    draft.name = name.to_owned();
    let read = tenant(&draft, &given.token, bot);
    (draft, read)
}

fn tenant(
    draft: &Draft,
    token: &SecretString,
    bot: &str,
) -> Result<(NewTenant, Option<Token>), Trouble> {
    if draft.name.chars().count() > NewTenant::LONGEST_NAME {
        return Err(Trouble::text("The name has 128 characters at most."));
    }
    if draft.name.chars().any(char::is_control) {
        return Err(Trouble::text("The name must be one line of text."));
    }
    let mut new = NewTenant {
        bot: None,
        name: (!draft.name.is_empty()).then(|| draft.name.clone()),
        privacy: Some(draft.privacy),
        token: None,
    };
    match draft.way {
        Way::Code => Ok((new, None)),
        Way::Id if bot.is_empty() => Err(Trouble::text(
            "Give the bot id: the number before the colon of its token.",
        )),
        Way::Id if holds_token(bot) => Err(Trouble::text(
            "That is a token, not a bot id. The bot id is the number before its colon; or choose \"By its token\".",
        )),
        Way::Id => match bot.parse() {
            Ok(bot) => {
                new.bot = Some(bot);
                Ok((new, None))
            }
            Err(_) => Err(Trouble::text(
                "A bot id is a number, the one before the colon of the bot's token.",
            )),
        },
        Way::Token => match Token::parse(token.expose().trim()) {
            Ok(token) => {
                new.bot = Some(token.bot());
                Ok((new, Some(token)))
            }
            Err(_) if token.expose().trim().is_empty() => Err(Trouble::text(
                "Give the token that @BotFather shows for the bot, or choose another way.",
            )),
            Err(_) => Err(Trouble::text(
                "That is no token. It looks like 123456789:AA… with 35 characters behind the colon; copy all of it from @BotFather.",
            )),
        },
    }
}

/// Whether a text holds what may be a token, though a mistyped one.
pub(in crate::serve) fn holds_token(text: &str) -> bool {
    let in_secret = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    text.match_indices(':').any(|(at, _)| {
        let (before, after) = (&text.as_bytes()[..at], &text.as_bytes()[at + 1..]);
        let digits = before
            .iter()
            .rev()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        digits >= 5 && after.iter().take_while(|byte| in_secret(byte)).count() >= 8
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const TOKEN: &str = "123456789:AAcanary-_0123456789abcdefghijklmnop";

    fn given(way: &str, token: &str, bot: &str, name: &str) -> Given {
        let secret = |text: &str| SecretString::new(text.to_owned());
        Given {
            way: way.to_owned(),
            token: secret(token),
            bot: secret(bot),
            name: secret(name),
            privacy: "full".to_owned(),
            store: Some("yes".to_owned()),
        }
    }

    #[test]
    fn three_ways_and_what_is_wrong_with_each() {
        for (form, bot, wrong) in [
            (given("token", TOKEN, "", "Shop"), Some(123_456_789), ""),
            (
                given("token", &format!(" {TOKEN}\n"), "7", ""),
                Some(123_456_789),
                "",
            ),
            (given("token", "", "", ""), None, "Give the token"),
            (given("token", "123456789", "", ""), None, "no token"),
            (given("id", "", " 7 ", ""), Some(7), ""),
            (given("id", TOKEN, "", ""), None, "Give the bot id"),
            (given("id", "", "seven", ""), None, "is a number"),
            (given("id", "", TOKEN, ""), None, "not a bot id"),
            (given("code", "", "", ""), None, ""),
            (given("code", "", "", &"x".repeat(129)), None, "128"),
            (given("code", "", "", "a\nb"), None, "one line"),
            (
                given("code", "", "", &format!("my {TOKEN}")),
                None,
                "holds a token",
            ),
        ] {
            let shown = format!("{form:?}");
            let (draft, read) = read(form);
            assert!(
                !format!("{shown}{draft:?}{read:?}").contains("AAcanary"),
                "{draft:?}"
            );
            assert_eq!((draft.privacy, draft.store), (Privacy::Full, true));
            match read {
                Ok((new, token)) => {
                    assert_eq!((new.bot.map(|bot| bot.0), wrong), (bot, ""), "{shown}");
                    assert_eq!(token.is_some(), draft.way == Way::Token);
                    assert!(new.token.is_none());
                }
                Err(trouble) => assert!(
                    !wrong.is_empty() && trouble.text.contains(wrong),
                    "{trouble:?}"
                ),
            }
        }
    }

    #[test]
    fn mistyped_tokens_are_seen() {
        for (text, holds) in [
            (TOKEN, true),
            ("x 12345:AAcanary", true),
            ("see 123456789:AAcanary_x, thanks", true),
            ("12:30 news bot", false),
            ("Shop: the bot", false),
            ("12345: the bot", false),
            ("", false),
        ] {
            assert_eq!(holds_token(text), holds, "{text}");
        }
    }
}
