//! Turns records of calls.v1, updates.v1, inbox.v1 and deliveries.v1 into events and errors, each once. Pure.
//!
//! The way of a record: [`decoder`] reads it, asks [`seen`] whether it has been counted, and has its
//! event made: by `updates.rs` (from there `messages.rs`, `members.rs`, `queries.rs`, `chats.rs`, `payments.rs`) or by
//! `calls.rs` (with `methods.rs` and `params.rs`; `polls.rs` for what counts apart; `failure.rs` and `template.rs` for
//! errors), by `deliveries.rs`. An update that was sealed is opened first (`bots.rs`). `blank.rs` is the event all begin with; `shapes.rs` and `message.rs` read what Telegram writes.
//! Out: events, errors and changed memories, in order, for `publish/`. Invariant: one record gives one
//! event or is a repeat; what cannot be read becomes an event that says so. Nothing here waits or fails.

mod blank;
pub mod bots;
mod calls;
mod chats;
pub mod decoder;
mod deliveries;
mod failure;
mod members;
mod message;
mod messages;
mod methods;
mod params;
mod payments;
mod polls;
mod queries;
pub mod seen;
mod shapes;
mod template;
#[cfg(test)]
mod tests;
mod updates;
