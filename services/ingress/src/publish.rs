//! Publish: records to the bus, whatever state it is in.
//!
//! In: records of all workers. Out: `shared/bus`. [`publisher`] packs a record into a parcel and
//! hands it to the [`batcher`] actor, which offers it to the bus; [`backlog`] decides what
//! happens while the bus refuses or stalls, [`spool`] keeps records on disk then, [`gaps`]
//! counts what is lost.

pub(crate) mod backlog;
pub(crate) mod batcher;
pub(crate) mod gaps;
pub(crate) mod publisher;
pub(crate) mod spool;
