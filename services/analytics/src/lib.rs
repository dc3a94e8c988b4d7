//! From records to events, numbers and errors with advice.
//!
//! Two ways of the data, each in order. `consume/` reads calls.v1 and updates.v1 → `decode/` makes events
//! and errors of them, each once → `publish/` writes these, the memory of what was counted and the offsets in
//! one transaction. `fold/` reads events.v1 and errors.v1 → `store/` keeps sums per bot and hour in SQL → `query/`
//! answers questions about them → `serve/` shows the answers; `zone.rs` says where a bot's hours and dates begin. [`replay`] puts dead
//! letters into the inbox again when somebody asks for it.
//! [`app`] runs it all and ends it in order, [`config`] reads the settings.

pub mod app;
pub mod config;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod consume;
pub mod decode;
pub mod fold;
pub mod publish;
pub mod query;
pub mod replay;
pub mod serve;
pub mod store;
pub mod zone;

#[cfg(test)]
mod sqlite_tests;

pub use config::Config;
