//! What bots answer to updates.
//!
//! In: answers of endpoints, from `deliver/courier.rs`. Out: calls of the Bot API, their records. `reply.rs` finds the method that an answer asks for,
//! `execute.rs` calls it with the bot's stored token, `record.rs` tells of it. Invariant: a method is executed once at most, after its delivery is on
//! record, in the order of its queue; what is not executed is counted and told. A kill between the record and the call loses the call:
//! the other way it would be made twice.

pub(crate) mod execute;
pub(crate) mod record;
pub(crate) mod reply;
