//! Ingress: the API door. Bots call it instead of the Bot API; it relays every call, byte for
//! byte, and tells the bus what it saw.
//!
//! The way of a call: `accept` takes the request from actix-web, `identify` finds whose it
//! is, `relay` sends it to Telegram and the answer back; `observe` copies what streams by and
//! turns it into records, `publish` hands those to the bus. `worker.rs` is what one HTTP thread
//! holds, [`app`] wires it all and ends it in order, [`parts`] opens what services share, [`admin`]
//! answers probes, [`process`] makes the process safe to hold tokens in, [`config`] reads its settings.
//!
//! Invariant: the bot comes first. No call waits for Kafka, or for Redis and SQL beyond a short
//! bound; what cannot be recorded is counted; a token is in memory and nowhere else.

mod accept;
pub mod admin;
pub mod app;
pub mod config;
mod identify;
mod observe;
pub mod parts;
pub mod process;
mod publish;
mod relay;
mod worker;

pub use config::Config;
