//! Telling what became of updates.
//!
//! In: attempts and decisions, from `consume/poller.rs`. Out: records. `outcome.rs` makes those of deliveries.v1, `graveyard.rs` those of
//! inbox.dead.v1 and inbox.retry.v1, `writer.rs` writes them; `standing.rs` says how webhooks stand. Invariant: records of one partition are written in the order of the decisions
//! they tell of; nothing is done before its record is acknowledged.

pub(crate) mod graveyard;
pub(crate) mod outcome;
pub(crate) mod standing;
pub(crate) mod writer;
