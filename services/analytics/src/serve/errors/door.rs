//! What Gramtap itself refused of a bot: wrong addresses, and other bots at its own.
//!
//! In: `query/refused.rs`. Out: rows of `error_refused.html`, to the list of errors, the page of a 404 and the overview. Invariant: the bot id that an
//! address is for and the one that was sent are both told.

use gramtap_telegram::BotId;

use crate::query::refused::{self, Refusal};
use crate::serve::bot::Bot;
use crate::serve::fault::Fault;
use crate::serve::{Site, clock};
use crate::zone::DAY;

/// Rows at most.
const MOST: i64 = 20;

/// Requests that were refused alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::serve) struct Row {
    /// What happened, with both ids.
    pub(in crate::serve) text: String,
    /// The bot id that the address is for.
    pub(super) expected: String,
    /// The bot id in the token.
    pub(super) sent: String,
    pub(super) addr: String,
    pub(super) agent: String,
    pub(super) n: i64,
    pub(super) last: String,
}

/// What was refused of a bot since a second, the last first.
pub(in crate::serve) async fn refused(
    site: &Site,
    bot: &Bot,
    since: i64,
    now: i64,
) -> Result<Vec<Row>, Fault> {
    let (code, id) = (bot.tenant.code.as_str(), bot.tenant.bot);
    let database = site.store.database();
    let day = since.div_euclid(DAY);
    let told = refused::of_bot(database, code, id.map(|it| it.0), day, MOST).await?;
    let told = told.into_iter();
    let told = told.filter(|refusal| refusal.last_at >= since * 1_000_000);
    Ok(told.map(|refusal| row(refusal, code, id, now)).collect())
}

fn row(refusal: Refusal, code: &str, id: Option<BotId>, now: i64) -> Row {
    let sent = refusal.bot;
    let is_here = refusal.code == code;
    let (expected, text) = match (refusal.reason.as_str(), id) {
        ("bot_mismatch", Some(id)) if is_here => (
            id.to_string(),
            format!(
                "This bot's address was called with the token of bot {sent}, and it is for bot {id}. Give bot {sent} an address of its \
                 own, or rebind this one in the settings."
            ),
        ),
        ("bot_mismatch", _) => (
            "another".to_owned(),
            format!("Bot {sent} called the address of another bot. Give it the one of its own."),
        ),
        ("code_unknown", _) => (
            "none".to_owned(),
            format!(
                "Bot {sent} called an address that no bot has. Compare it with the right one, letter by letter."
            ),
        ),
        _ => (
            "none".to_owned(),
            format!("Bot {sent} called the shared address while it was not connected."),
        ),
    };
    Row {
        text,
        expected,
        sent: sent.to_string(),
        addr: refusal.addr,
        agent: refusal.agent,
        n: refusal.n,
        last: clock::ago(now, refusal.last_at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ids_are_told() {
        let refusal = |reason: &str, bot, code: &str| Refusal {
            reason: reason.to_owned(),
            bot,
            code: code.to_owned(),
            addr: "192.0.2.7".to_owned(),
            agent: "telebot".to_owned(),
            n: 3,
            first_at: 0,
            last_at: 0,
        };
        for (refusal, expected, said) in [
            (
                refusal("bot_mismatch", 8, "ours"),
                "7",
                "bot 8, and it is for bot 7",
            ),
            (
                refusal("bot_mismatch", 7, "theirs"),
                "another",
                "address of another bot",
            ),
            (
                refusal("code_unknown", 7, "typo"),
                "none",
                "an address that no bot has",
            ),
            (
                refusal("bot_unknown", 7, ""),
                "none",
                "while it was not connected",
            ),
        ] {
            let sent = refusal.bot.to_string();
            let row = row(refusal, "ours", Some(BotId(7)), 100);
            assert_eq!((row.expected.as_str(), row.sent), (expected, sent));
            assert!(row.text.contains(said), "{}", row.text);
        }
    }
}
