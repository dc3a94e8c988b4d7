//! Asks Telegram whose a token is.
//!
//! In: a token. Out: the bot that getMe names. Invariant: a refused token, an answer that is none of
//! the Bot API's, and no answer are told apart; none of the texts holds the token.

use gramtap_telegram::redact::redact;
use gramtap_telegram::{Answer, BotId, Token};
use serde::Deserialize;

use crate::{Answered, AskError, Section, get};

/// Why the token is not known to be the bot's.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It is no token, or one that was revoked.
    #[error("Telegram refuses the token of bot {bot}: {told}; copy it again from @BotFather")]
    Refused {
        /// The number in the token.
        bot: BotId,
        /// Telegram's words.
        told: String,
    },
    /// The answer tells neither.
    #[error(
        "Telegram did not say whose the token is: {told}; try again, or register the bot without asking: --id {bot}"
    )]
    Unclear {
        /// The number in the token.
        bot: BotId,
        /// What was answered.
        told: String,
    },
    /// There was no answer.
    #[error("{source}; or register the bot without asking: --id {bot}")]
    Unreachable {
        /// The number in the token.
        bot: BotId,
        /// Why.
        #[source]
        source: AskError,
    },
    /// The answer is about another bot.
    #[error(
        "Telegram says that the token of bot {bot} is that of bot {named}: telegram.url is no Bot API"
    )]
    OtherBot {
        /// The number in the token.
        bot: BotId,
        /// The bot that the answer names.
        named: BotId,
    },
}

/// The bot, as Telegram knows it.
#[derive(Debug, Deserialize)]
pub struct Verified {
    /// Its id.
    pub id: BotId,
    #[serde(default)]
    username: Option<String>,
}

impl Verified {
    /// Without the @.
    #[must_use]
    pub fn username(&self) -> Option<&str> {
        self.username.as_deref()
    }
}

/// Calls getMe.
///
/// # Errors
/// The token is not known to be the bot's; the text says what to do.
pub async fn ask(section: &Section, token: &Token) -> Result<Verified, VerifyError> {
    let bot = token.bot();
    let path = format!("/bot{}/getMe", token.expose());
    let answered = get(section, &path).await;
    judge(
        bot,
        &answered.map_err(|source| VerifyError::Unreachable { bot, source })?,
    )
}

fn judge(bot: BotId, answered: &Answered) -> Result<Verified, VerifyError> {
    let status = answered.status;
    let answer = Answer::parse(&answered.body);
    let told = answer
        .as_ref()
        .and_then(|answer| answer.description.as_deref());
    let told = told.map_or_else(
        || format!("it answered {status}"),
        |text| redact(text).into_owned(),
    );
    match answer {
        Some(answer) if answer.ok => {
            let named = answer
                .result
                .and_then(|result| serde_json::from_str::<Verified>(result.get()).ok());
            match named {
                Some(named) if named.id == bot => Ok(named),
                Some(named) => Err(VerifyError::OtherBot {
                    bot,
                    named: named.id,
                }),
                None => Err(VerifyError::Unclear {
                    bot,
                    told: "its answer names no bot".to_owned(),
                }),
            }
        }
        // 404 is what a token gets that does not even look like one.
        Some(_) if matches!(status, 401 | 403 | 404) => Err(VerifyError::Refused { bot, told }),
        _ => Err(VerifyError::Unclear { bot, told }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn answers_are_told_apart() {
        for (status, body, said) in [
            (
                200,
                r#"{"ok":true,"result":{"id":7,"username":"x_bot"}}"#,
                "",
            ),
            (200, r#"{"ok":true,"result":{"id":8}}"#, "bot 8"),
            (200, r#"{"ok":true,"result":true}"#, "names no bot"),
            (
                401,
                r#"{"ok":false,"error_code":401,"description":"Unauthorized"}"#,
                "refuses the token of bot 7: Unauthorized",
            ),
            (
                404,
                r#"{"ok":false,"error_code":404,"description":"Not Found"}"#,
                "refuses",
            ),
            (404, "<html>", "it answered 404"),
            (
                429,
                r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 5"}"#,
                "retry after 5",
            ),
            (502, "", "it answered 502"),
        ] {
            let answered = Answered {
                status,
                is_ours: false,
                body: body.as_bytes().to_vec(),
            };
            match judge(BotId(7), &answered) {
                Ok(verified) => {
                    assert_eq!((verified.username(), said), (Some("x_bot"), ""), "{body}")
                }
                Err(error) => assert!(
                    !said.is_empty() && error.to_string().contains(said),
                    "{body}: {error}"
                ),
            }
        }
    }
}
