//! What is done to a proxy: requests one after the other, at a rate, or parked.
//!
//! `closed.rs` asks as fast as it is answered, `open.rs` at a rate whatever becomes of the answers, `parked.rs` holds polls.
//! Invariant: every request is answered 200, or the run fails; of an open load that is for whoever asks to say.

pub(crate) mod closed;
pub(crate) mod open;
pub(crate) mod parked;
