//! A bot's token and its public half, the bot id.
//!
//! In: text from a path, an argument or the operator. Out: [`Token`], whose secret only
//! [`Token::expose`] gives. Invariant: `Debug` shows the bot id alone; there is no `Display`
//! and no `Serialize`; the memory is wiped on drop. Parsing never fails with the text inside the error.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Telegram's id of a bot: a positive integer that fits 52 bits, public.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BotId(pub i64);

impl fmt::Display for BotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for BotId {
    type Err = TokenError;

    /// Reads decimal digits alone: no sign, no leading zero, at most 52 bits.
    fn from_str(text: &str) -> Result<Self, TokenError> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        if text.is_empty() || text.len() > 16 || !digits || text.starts_with('0') {
            return Err(TokenError::BotId);
        }
        match text.parse::<i64>() {
            Ok(id) if id < 1 << 52 => Ok(Self(id)),
            _ => Err(TokenError::BotId),
        }
    }
}

/// Why a text is no token. Never holds any part of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// There is no `:` between a bot id and a secret.
    #[error("a token has the form <bot id>:<secret>, and this has no colon")]
    Colon,
    /// What stands before the colon is no bot id.
    #[error("a token begins with the bot's id, a number that does not start with 0")]
    BotId,
    /// The secret is empty or holds a character that no token has.
    #[error("the part of a token after the colon has letters, digits, - and _ only")]
    Secret,
    /// Longer than the 80 characters that Telegram's server accepts.
    #[error("a token has 80 characters at most")]
    Length,
}

/// A bot's token, `<bot id>:<secret>`, percent escapes already decoded.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    text: Zeroizing<String>,
    bot: BotId,
}

/// The longest token that Telegram's server looks at (`ClientManager.cpp`, v10.0).
const LONGEST: usize = 80;

impl Token {
    /// Reads a token; lenient about the secret's length, as tests and local servers use short ones.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        if text.len() > LONGEST {
            return Err(TokenError::Length);
        }
        let (id, secret) = text.split_once(':').ok_or(TokenError::Colon)?;
        let bot = id.parse()?;
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if secret.is_empty() || !secret.bytes().all(fits) {
            return Err(TokenError::Secret);
        }
        Ok(Self {
            text: Zeroizing::new(text.to_owned()),
            bot,
        })
    }

    /// The public half.
    #[must_use]
    pub fn bot(&self) -> BotId {
        self.bot
    }

    /// The whole token. Whoever calls this answers for where it goes.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({}:***)", self.bot)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn reads_what_telegram_gives_out() {
        let token = Token::parse("123456789:AAF-abcdefghijklmnopqrstuvwxyz_0123").unwrap();
        assert_eq!(token.bot(), BotId(123_456_789));
        assert_eq!(
            token.expose(),
            "123456789:AAF-abcdefghijklmnopqrstuvwxyz_0123"
        );
    }

    #[test]
    fn refuses_with_the_reason() {
        let long = format!("1:{}", "a".repeat(80));
        let table = [
            ("", TokenError::Colon),
            ("123456", TokenError::Colon),
            (":abc", TokenError::BotId),
            ("0123:abc", TokenError::BotId),
            ("+1:abc", TokenError::BotId),
            ("12x:abc", TokenError::BotId),
            ("99999999999999999:abc", TokenError::BotId),
            ("4503599627370496:abc", TokenError::BotId),
            ("1:", TokenError::Secret),
            ("1:ab c", TokenError::Secret),
            ("1:ab\n", TokenError::Secret),
            ("1:ab:c", TokenError::Secret),
            (long.as_str(), TokenError::Length),
        ];
        for (text, reason) in table {
            assert_eq!(Token::parse(text).unwrap_err(), reason, "{text:?}");
        }
    }

    #[test]
    fn debug_hides_the_secret() {
        let token = Token::parse("42:s3cr3t").unwrap();
        assert_eq!(
            format!("{token:?} {token:#?}"),
            "Token(42:***) Token(42:***)"
        );
    }
}
