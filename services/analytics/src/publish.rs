//! Writes what came of a batch.
//!
//! In: batches of `consume/`. Out: events.v1, errors.v1, seen.v1 and the group's offsets, by `transaction.rs`. Invariant: all of
//! a batch or nothing of it.

pub(crate) mod transaction;
