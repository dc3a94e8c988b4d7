//! Handing updates to bots' webhooks.
//!
//! In: what `arrange` lets start. Out: attempts, made by `courier.rs`, and what follows from them. Whether and where a webhook may be called says
//! [`gramtap_outbound::guard`], what an attempt's outcome means [`verdict`], when it is tried again [`schedule`], whether the endpoint is called at
//! all [`breaker`], what the bot has already [`dedup`], what Telegram would tell of a failure `message.rs`. Invariant: every decision is a function of what it is given, time and randomness included.

pub mod breaker;
pub(crate) mod courier;
pub mod dedup;
pub(crate) mod message;
pub mod schedule;
pub mod verdict;
