//! What integration tests of the services have in common.
//!
//! The way of a test through the files: `installation.rs` makes what an installation has (a data
//! directory, keys, a registry, a bus); `ingress.rs`, `forwarder.rs` and `analytics.rs` start real processes on it (`service.rs`); `client.rs`
//! sends it exact bytes and reads its answers; `records.rs` reads back what reached the bus; and
//! `canary.rs` looks for what may be nowhere,
//! also in traces (`collector.rs`). `broker.rs` takes Kafka away, `wire.rs` Redis and
//! Postgres. Invariant: nothing is skipped: what is missing fails
//! the test and is named. Every wait ends after [`DEADLINE`], in failure. What was started ends
//! with its guard.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "whatever fails here fails the test"
)]

mod address;
mod analytics;
pub mod broker;
mod canary;
mod client;
mod collector;
mod endpoint;
mod forwarder;
mod ingress;
mod installation;
mod records;
mod service;
mod wait;
mod wire;

use std::time::Duration;

pub use address::free_addresses;
pub use analytics::{Analytics, Turn, analytics_turn, begin_at_the_end, commit_the_ends};
pub use canary::{
    CANARY, assert_no_canary, canaries_in, canaries_in_bytes, canaries_in_redis,
    canaries_in_tables, canaries_on,
};
pub use client::{Answer, Client, Stream};
pub use collector::Collector;
pub use endpoint::{Endpoint, Pushed, Reaction};
pub use forwarder::{
    Forwarder, Inboxes, Round, dead_until, deliveries_until, message, parked_until, put, round,
};
pub use ingress::Ingress;
pub use installation::{Installation, Stores, Wires, fresh_bot};
pub use records::{
    calls, dead, deliveries, errors, errors_until, events, events_until, inbox, updates,
};
pub use service::{Service, binary};
pub use wait::{seconds, until, within};
pub use wire::Wire;

/// After how long something that does not happen is a failure.
pub const DEADLINE: Duration = Duration::from_secs(60);
