//! Pushes updates to the bots' webhooks, as Telegram does (telegram.md §2.4).
//!
//! The way of an update: it waits in its bot's queue (`world/queue.rs`). [`postman`] asks the bot's
//! [`plan`] what goes out now ([`lanes`] for the order, [`schedule`] for retries, [`pace`] for new
//! connections) and hands it to a [`courier`], one per connection. That dials the webhook's
//! [`address`] ([`dial`], [`trust`]), writes the bytes of [`request`] and reads the answer ([`exchange`],
//! [`response`]), has [`verdict`] judge it, lets `methods.rs` perform what it asks for, tells the plan,
//! and notes it in [`deliveries`].
//! Invariant: decisions are pure and follow the simulator's clock; what is in flight stays in the
//! bot's queue until a 2xx. Overload: bounded by max_connections and by what a queue holds.

pub(crate) mod address;
pub(crate) mod courier;
pub(crate) mod deliveries;
pub(crate) mod dial;
pub(crate) mod exchange;
pub(crate) mod lanes;
pub(crate) mod pace;
pub(crate) mod plan;
pub(crate) mod postman;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod schedule;
pub(crate) mod trust;
pub(crate) mod verdict;
