//! Relay: the call to Telegram and its answer to the bot.
//!
//! In: admitted calls, from `accept/`. Out: responses; what was seen, to `observe/`.
//! [`exchange`] sends and awaits, [`headers`] and [`reason`] pass on what is not the
//! connection's, [`respond`] builds responses, [`refusal`] words our own, [`hold`] slows down
//! who asks again too quickly, [`turns`] who is not known to Telegram; [`account`] keeps what is
//! known of a call until it is told, [`series`] what is counted of it. [`takeover`] changes the calls by which a bot sets its webhook. The other way, [`deliver`] asks
//! a bot's endpoint with an update, and [`attempt`] tells of it.

pub(crate) mod account;
pub(crate) mod attempt;
pub(crate) mod deliver;
pub(crate) mod exchange;
pub(crate) mod headers;
pub(crate) mod hold;
pub(crate) mod reason;
pub(crate) mod refusal;
pub(crate) mod respond;
pub(crate) mod series;
pub(crate) mod takeover;
pub(crate) mod turns;
