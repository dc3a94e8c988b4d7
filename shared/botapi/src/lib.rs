//! Gramtap's own calls to the Bot API: for an operator, never for a bot's traffic.
//!
//! The way of a question: `verify.rs` makes a path of a token → `request.rs` GETs it below `telegram.url` through awc →
//! `verify.rs` judges the answer. Who asks: `gramtap bots add --token`, `gramtap doctor`, the console.
//!
//! Invariant: a token stands in the path of a request and nowhere else: no redirect is followed, no error text holds it.

mod request;
pub mod verify;

pub use request::{Answered, AskError, Section, get};
