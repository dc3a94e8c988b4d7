//! Publish: records to the bus, whatever state it is in.
//!
//! In: records of all workers. Out: `shared/bus`. [`publisher`] packs records into lots of parcels and,
//! if there is [`room`], hands these to the [`batcher`] actor, which offers them to the bus; [`backlog`] decides what
//! happens while the bus refuses or stalls, [`spool`] keeps records on disk then, [`gaps`]
//! counts what is lost; [`inbox`] is the durable way of pushed updates, [`circuit`] says when not to take it, [`recent`] what
//! must then wait; [`reports`] is what the bus says, also to the batcher that comes after one
//! that died ([`estate`]).

pub(crate) mod backlog;
pub(crate) mod batcher;
mod circuit;
pub(crate) mod estate;
pub(crate) mod gaps;
pub(crate) mod inbox;
pub(crate) mod publisher;
mod recent;
mod reports;
mod room;
pub(crate) mod spool;
