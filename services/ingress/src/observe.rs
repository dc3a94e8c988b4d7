//! Observe: bounded copies of what streams by, masked and made into records.
//!
//! The way of the data: the relay (`relay/`) pushes every chunk into a [`RequestTap`]
//! (`observe/request.rs`) and an [`AnswerTap`] (`observe/answer.rs`), which hold at most
//! [`CaptureLimits`] each and a [`Budget`] together; `inflate.rs` decodes, `multipart.rs` and
//! `split.rs` cut bodies into parameters and updates. When the call is over, [`record`]
//! turns its [`CallFacts`] and the copies into records: `params.rs` reads the arguments as
//! Telegram does, [`gramtap_privacy::Mask`] lets through what the bot's privacy mode allows, `origin.rs` says
//! who answered, [`Stopwatch`] whose time it was; [`PollFolds`] folds empty polls, [`Verified`]
//! knows which tokens are Telegram's. Out: records for `publish/`.
//! Invariant: pure, no I/O, nothing here waits, fails a call or panics on any bytes; what
//! cannot be copied is cut, and every [`Cut`] has a word to be counted by.

mod answer;
mod budget;
mod envelope;
mod inflate;
mod limits;
mod multipart;
mod origin;
mod params;
mod polls;
pub(crate) mod record;
mod request;
mod split;
mod standing;
mod stopwatch;
#[cfg(test)]
mod timing;
mod updates;

pub(crate) use answer::{AnswerHead, AnswerTap, Expect};
pub(crate) use budget::Budget;
pub(crate) use limits::CaptureLimits;
pub(crate) use multipart::file;
pub(crate) use origin::Ending;
pub(crate) use polls::PollFolds;
pub(crate) use record::{CallFacts, Observed};
pub(crate) use request::{RequestCopy, RequestHead, RequestTap};
pub(crate) use standing::{Place, TokenHash, TokenKey, Unverified, Verified};
pub(crate) use stopwatch::Stopwatch;
