//! `/v1` over SQLite and the embedded log: every route, every refusal.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod definitions;
mod open;
mod reading;
mod refusals;
pub(crate) mod script;
mod token;

use script::Script;
