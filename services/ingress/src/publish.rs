//! Publish: records to the bus, whatever state it is in.
//!
//! In: records of all workers. Out: `shared/bus`. [`publisher`] packs a record into a parcel and,
//! if there is [`room`], hands it to the [`batcher`] actor, which offers it to the bus; [`backlog`] decides what
//! happens while the bus refuses or stalls, [`spool`] keeps records on disk then, [`gaps`]
//! counts what is lost; [`reports`] is what the bus says, also to the batcher that comes after one
//! that died ([`estate`]).

pub(crate) mod backlog;
pub(crate) mod batcher;
pub(crate) mod estate;
pub(crate) mod gaps;
pub(crate) mod publisher;
mod reports;
mod room;
pub(crate) mod spool;
