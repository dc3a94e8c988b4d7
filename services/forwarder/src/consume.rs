//! Reading what waits for delivery.
//!
//! In: `inbox.v1` and `inbox.retry.v1`, in a group in which the partitions of one number belong to one member. Out: records for
//! `arrange`, and commits. Invariant: nothing is committed before it is done, and what is done is not read as new again
//! ([`ledger`]).

pub mod ledger;
pub mod ranges;
