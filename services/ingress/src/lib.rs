//! Ingress: the API door. Bots call it instead of the Bot API; it relays every call, byte for
//! byte, and tells the bus what it saw.
//!
//! The way of a call: `accept` takes the request from actix-web, `identify` finds whose it
//! is, `relay` sends it to Telegram and the answer back; `observe` copies what streams by and
//! turns it into records, `publish` hands those to the bus. `worker.rs` is what one HTTP thread
//! holds, [`app`] wires it all and ends it in order, [`config`] reads its settings. What every process
//! is, probes and signals among it, is `shared/process`.
//!
//! Invariant: the bot comes first. No call waits for Kafka, or for Redis and SQL beyond a short
//! bound; what cannot be recorded is counted; a token is in memory and nowhere else.

mod accept;
pub mod app;
pub mod config;
mod identify;
mod observe;
mod publish;
mod relay;
mod worker;

pub use config::Config;
