//! The topics and records that the services and analysts agree on.
//!
//! In: facts that ingress and the forwarder saw, and what analytics makes of them. Out: JSON, one object a
//! record, that Kafka and the embedded log carry. [`topics`] is the one table of topics;
//! [`identity`] says who a record is about and which one it is, [`moment`] when; [`call`],
//! [`update`], [`inbox`], [`delivery`] and [`tenant`] are the records of what was seen, [`event`] and [`failure`] those for analysts,
//! [`seen`] analytics' own memory; [`record`] is what all of them share.
//! Invariant: golden files in `golden/` and schemas in `schema/` follow these types, and a test
//! fails when they differ. No I/O here; a record holds no token, because none is put in.

pub mod call;
pub mod delivery;
pub mod event;
pub mod failure;
pub mod identity;
pub mod inbox;
pub mod moment;
pub mod record;
pub mod seen;
pub mod tenant;
pub mod topics;
pub mod update;

pub use identity::{Mint, RecordId, TenantId};
pub use moment::Moment;
pub use record::Record;
pub use topics::Topic;
