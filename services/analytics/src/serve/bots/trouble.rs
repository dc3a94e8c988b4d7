//! Why a change was not made, in words with a way out.
//!
//! In: refusals of the registry and of Telegram. Out: [`Trouble`], for the page whose form it was. Invariant: every refusal says what to do;
//! what only SQL can mend is no trouble but a fault. Pure.

use gramtap_botapi::verify::VerifyError;
use gramtap_tenants::RegistryError;

use crate::serve::fault::Fault;

/// What is wrong, and where to go.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::serve) struct Trouble {
    pub(in crate::serve) text: String,
    /// A path, and what it is called.
    pub(in crate::serve) link: Option<(String, &'static str)>,
}

impl Trouble {
    pub(in crate::serve) fn text(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            link: None,
        }
    }

    /// A refusal of the registry; a fault where nobody who filled in a form can help.
    pub(super) fn of(error: RegistryError) -> Result<Self, Fault> {
        Ok(match error {
            RegistryError::Connected { bot, code } => Self {
                text: format!(
                    "Bot {bot} is connected already. Use it as it is, or remove it first."
                ),
                link: Some((format!("/bots/{code}/connect"), "Open it")),
            },
            RegistryError::UnknownCode(_) => Self {
                text: "The bot was removed meanwhile. Connect it again.".to_owned(),
                link: Some(("/bots/add".to_owned(), "Connect a bot")),
            },
            RegistryError::OtherBot { bound, token } => {
                let bound =
                    bound.map_or_else(|| "another bot".to_owned(), |bot| format!("bot {bot}"));
                Self::text(&format!(
                    "The token is that of bot {token}, not of {bound}. Give the token of {bound}, or rebind first."
                ))
            }
            RegistryError::NoWebhook(code) | RegistryError::Released(code) => Self {
                text: "The bot has no webhook here. Give it one first.".to_owned(),
                link: Some((format!("/bots/{code}/settings"), "Settings")),
            },
            RegistryError::Name => Self::text("The name has 128 characters at most."),
            error @ (RegistryError::Database(_)
            | RegistryError::Keys(_)
            | RegistryError::Random(_)
            | RegistryError::Unreadable { .. }) => return Err(error.into()),
        })
    }

    /// Telegram did not say that the token is the bot's.
    pub(super) fn token(error: &VerifyError) -> Self {
        let by_id =
            "or connect it by its bot id, which is filled in below: then Telegram is not asked.";
        Self::text(&match error {
            VerifyError::Refused { bot, told } => format!(
                "Telegram refuses the token of bot {bot}: {told}. Copy it again from @BotFather; it may have been revoked."
            ),
            VerifyError::Unclear { told, .. } => {
                format!("Telegram did not say whose the token is: {told}. Try again, {by_id}")
            }
            VerifyError::Unreachable { source, .. } => format!("{source}; {by_id}"),
            VerifyError::OtherBot { bot, named } => format!(
                "Telegram says that the token of bot {bot} is that of bot {named}: the setting telegram.url names no Bot API."
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use gramtap_telegram::BotId;

    #[test]
    fn refusals_have_a_way_out() {
        let code = "abcdefghijklmnopqrstuvwxyz".parse().unwrap();
        let bot = BotId(7);
        let trouble = Trouble::of(RegistryError::Connected { bot, code }).unwrap();
        let (path, _) = trouble.link.unwrap();
        assert_eq!(path, "/bots/abcdefghijklmnopqrstuvwxyz/connect");
        for (error, said) in [
            (RegistryError::UnknownCode(code), "Connect it again"),
            (RegistryError::Name, "128"),
            (
                RegistryError::OtherBot {
                    bound: Some(BotId(8)),
                    token: bot,
                },
                "of bot 8",
            ),
            (
                RegistryError::OtherBot {
                    bound: None,
                    token: bot,
                },
                "another bot",
            ),
        ] {
            let trouble = Trouble::of(error).unwrap();
            assert!(trouble.text.contains(said), "{trouble:?}");
        }
        let told = "Unauthorized".to_owned();
        let refused = VerifyError::Refused { bot, told };
        assert!(Trouble::token(&refused).text.contains("@BotFather"));
    }
}
