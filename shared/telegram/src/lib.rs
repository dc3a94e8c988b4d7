//! Telegram's own vocabulary: what a request to the Bot API names and what an answer says.
//!
//! In: raw request paths, answer bodies and texts, from the services. Out: typed values; no I/O.
//! The way of a request through the files: [`target`] finds the bot's [`token`] and the
//! [`method`] in a path; [`update`] names what an answer to getUpdates carries, [`queue`] says in which order it
//! must reach the bot and until when; [`answer`]
//! reads an answer's envelope; [`redact`] hides tokens in any text that leaves the process.
//! Invariant: no `Debug`, `Display` or `Serialize` of this crate ever shows a token's secret.
//! Nothing here blocks, allocates without bound or panics on any input.

pub mod advice;
pub mod answer;
pub mod method;
pub mod queue;
pub mod redact;
pub mod target;
pub mod token;
pub mod update;

pub use answer::{Answer, Parameters};
pub use method::Method;
pub use queue::Queue;
pub use target::{Door, Target, TargetError};
pub use token::{BotId, Token, TokenError};
pub use update::UpdateKind;
