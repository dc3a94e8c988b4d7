//! The forwarder: webhook updates that were taken in reach their bots, in order, until they expire, never lost.
//!
//! The way of an update: [`consume`] reads `inbox.v1` and `inbox.retry.v1` and keeps a ledger of what is done; [`arrange`] puts it into the
//! lane of its queue, and says when its turn has come; [`deliver`] says whether and where the bot's webhook may be called, what
//! the outcome means, and when to try again; a method in the bot's answer is executed (`answer`). What waits long stands in `inbox.retry.v1`, what is given up in `inbox.dead.v1`; each attempt is
//! told in `deliveries.v1` (`report`). What is decided, in [`arrange`], [`deliver`] and the ledger, knows no clock, no socket, no randomness; [`consume`]'s poller, the
//! courier and the writer do the work and bring them. [`app`] wires it and ends it in order, [`config`] reads its settings.
//!
//! Invariants, held against an oracle through kills and rebalances (`tests/model.rs`): of a queue one update is under way at a time, in the
//! order in which they were taken in; nothing is started after its expiry, nor again once its success is in `deliveries.v1`; a record is
//! committed only when what was made of it is written. Dies: forgets everything, and finds it again from the commits and the topics.
//!
//! # Driving it
//!
//! One task owns a [`Dispatch`](arrange::dispatch::Dispatch). It is a member of one group for both topics, in which partitions of the same
//! number go together. `now` is the clock's time, the one that ingress stamps `at` with.
//!
//! | when | call |
//! |---|---|
//! | partition *p* of both topics was assigned | ask for the ends of both, [`assigned`](arrange::dispatch::Dispatch::assigned); then read `deliveries.v1` of *p* from [`Restored::mark`](arrange::dispatch::Restored) to its end and call [`delivered`](arrange::dispatch::Dispatch::delivered) for each `verdict: delivered` with an `update_id`; only then hand on records |
//! | a record was read | [`record`](arrange::dispatch::Dispatch::record) with [`Item::inbox`](arrange::Item::inbox) or [`Item::retry`](arrange::Item::retry); one that cannot be read is logged, counted, and [`skipped`](arrange::dispatch::Dispatch::skipped) by its place plus one |
//! | records were gone before they were read | [`skipped`](arrange::dispatch::Dispatch::skipped) |
//! | an attempt has ended | [`outcome`](arrange::dispatch::Dispatch::outcome); write the attempt's record; if it succeeded, [`done`](arrange::dispatch::Dispatch::done) once that is acknowledged |
//! | a parked or buried update is acknowledged | [`done`](arrange::dispatch::Dispatch::done) with its place |
//! | the registry knows of a bot's bound on connections, of what it had dropped, of another webhook | [`set_connections`](arrange::dispatch::Dispatch::set_connections), [`set_dropped`](arrange::dispatch::Dispatch::set_dropped), [`renewed`](arrange::dispatch::Dispatch::renewed) |
//! | [`wakes_at`](arrange::dispatch::Dispatch::wakes_at) has come | [`tick`](arrange::dispatch::Dispatch::tick) |
//! | a second has gone by | [`commit`](arrange::dispatch::Dispatch::commit) for both topics of each partition |
//! | *p* is to be given up | hand on no more of its records, wait a little for [`flying`](arrange::dispatch::Dispatch::flying) and for acknowledgements, commit, [`revoked`](arrange::dispatch::Dispatch::revoked), release |
//! | how much waits is to be told | [`waiting`](arrange::dispatch::Dispatch::waiting) |
//! | the process is to end | [`stop`](arrange::dispatch::Dispatch::stop), then as above |
//!
//! After each of them: do what [`next`](arrange::dispatch::Dispatch::next) says until it says nothing. A [`Decision`](arrange::Decision) tells
//! what it wants and what to call then. Writes of one partition keep the order of the decisions (one idempotent producer), and are
//! repeated until they succeed; the mark to commit is the offset after the last record of `deliveries.v1` in *p* that was
//! acknowledged, once `done` was called for it.
//!
//! To deliver: find the bot's webhook ([`Outcome::Impossible`](deliver::verdict::Outcome) with `endpoint_missing` where it has none), open
//! headers and body (`Impossible` with the error's label), [`Endpoint::parse`](gramtap_outbound::guard::Endpoint::parse),
//! [`Policy::admit`](gramtap_outbound::guard::Policy::admit), resolve its name, [`Policy::check`](gramtap_outbound::guard::Policy::check)
//! ([`Outcome::Refused`](deliver::verdict::Outcome)), dial one of the addresses returned and no other, and make an `Outcome` of the answer's status
//! and `Retry-After` ([`retry_after`](deliver::schedule::retry_after)) or of the fault.

mod answer;
pub mod app;
pub mod arrange;
pub mod config;
pub mod consume;
pub mod deliver;
mod report;
mod worker;

pub use config::Config;

#[cfg(test)]
mod tests;
