//! Why the registry did not do what it was asked.
//!
//! In: the other files here. Out: the operator's commands, ingress. Invariant: a text says what to
//! do, and holds no token.

use gramtap_telegram::BotId;

use crate::Code;
use crate::code::RandomError;
use crate::keys::KeysError;

/// Why the registry did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The bot is connected already, under this code.
    #[error(
        "bot {bot} is connected already with the code {code}: use that one, or remove it first"
    )]
    Connected {
        /// The bot.
        bot: BotId,
        /// Where it is connected.
        code: Code,
    },
    /// No connected bot has this code.
    #[error("no connected bot has the code {0}")]
    UnknownCode(Code),
    /// The bot's webhook is not here.
    #[error(
        "the bot with the code {0} has no webhook here: gramtap bots add --webhook-url gives it one"
    )]
    NoWebhook(Code),
    /// The bot's webhook was given back to it.
    #[error("the webhook of the bot with the code {0} was given back to it")]
    Released(Code),
    /// The token is another bot's.
    #[error(
        "the token is that of bot {token}, not of {}",
        bound.map_or_else(|| "a bot that the code is bound to".to_owned(), |bot| format!("bot {bot}"))
    )]
    OtherBot {
        /// The bot that is meant; none if the code is bound to none.
        bound: Option<BotId>,
        /// The bot whose token was given.
        token: BotId,
    },
    /// The name is longer than [`NewTenant::LONGEST_NAME`](super::NewTenant::LONGEST_NAME).
    #[error("a name has {} characters at most", super::NewTenant::LONGEST_NAME)]
    Name,
    /// The database did not do it.
    #[error(transparent)]
    Database(#[from] gramtap_database::Error),
    /// A token could not be sealed or opened.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// A new code could not be made.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// A row holds what this version cannot read.
    #[error("the registry holds a {column} that cannot be read, of version {version}")]
    Unreadable {
        /// Where.
        column: &'static str,
        /// The version of the row.
        version: i64,
    },
}

impl RegistryError {
    /// The fixed word for metrics.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Connected { .. } => "connected",
            Self::UnknownCode(_) => "unknown_code",
            Self::NoWebhook(_) => "no_webhook",
            Self::Released(_) => "released",
            Self::OtherBot { .. } => "other_bot",
            Self::Name => "name",
            Self::Database(error) => error.label(),
            Self::Keys(error) => error.label(),
            Self::Random(_) => "random",
            Self::Unreadable { .. } => "unreadable",
        }
    }

    /// Whether the same may work later.
    #[must_use]
    pub fn retry(&self) -> bool {
        match self {
            Self::Database(error) => error.retry(),
            _ => false,
        }
    }
}
