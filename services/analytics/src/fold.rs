//! From a batch of events and errors to changes of sums. Pure.
//!
//! In: payloads of events.v1, errors.v1, deliveries.v1 and inbox.dead.v1, in the order of a partition (`store/follow.rs`). Each is read as
//! far as it is needed (`fact.rs`) → added to the [`Sums`] of its bot (`count.rs`; `source.rs` takes start
//! payloads apart, `text.rs` bounds labels): how often things were seen (`sums.rs`), how long calls took
//! (`histogram.rs`), who was active (`user.rs`), which errors hit whom (`error.rs`, `sketch.rs`), whether it
//! has come at all and who was refused (`first.rs`), what was delivered to its webhook (`delivery.rs`). Out:
//! [`Folded`], to `store/apply.rs`. Invariant: folding a batch is the same as folding its parts and joining
//! them in order; beyond the order in which labels and profiles were seen, order within a batch changes nothing.

mod count;
pub mod delivery;
pub mod error;
pub(crate) mod fact;
pub mod first;
pub mod histogram;
pub mod sketch;
mod source;
pub mod sums;
mod text;
pub mod user;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use gramtap_events::{TenantId, Topic, topics};

pub use delivery::Place;
pub use sums::Sums;

use crate::zone::Zone;

/// Time zones of bots that have set one.
#[derive(Clone, Debug, Default)]
pub struct Zones {
    /// Grows with every change of any.
    pub version: i64,
    /// Those that are not UTC.
    pub of: HashMap<TenantId, Zone>,
}

impl Zones {
    /// A bot's zone.
    #[must_use]
    pub fn of(&self, tenant: TenantId) -> &Zone {
        const UTC: &Zone = &Zone::UTC;
        self.of.get(&tenant).unwrap_or(UTC)
    }
}

/// What records have come to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Folded {
    /// By bot.
    pub bots: BTreeMap<TenantId, Sums>,
    /// Records that were counted.
    pub records: u64,
    /// Records that could not be read, and were passed over.
    pub unread: u64,
}

impl Folded {
    /// Adds a record whose place nobody asks for. One that cannot be read is counted as such.
    pub fn add(&mut self, topic: &Topic, payload: &[u8], zones: &Zones) {
        self.add_at(topic, Place::default(), payload, zones);
    }

    /// Adds a record. One that cannot be read is counted as such.
    pub fn add_at(&mut self, topic: &Topic, place: Place, payload: &[u8], zones: &Zones) {
        let added = match topic.name {
            _ if delivery::is_read_here(topic) => delivery::add(self, topic, place, payload, zones),
            name if name == topics::EVENTS.name => serde_json::from_slice(payload).map(|event| {
                count::event(self, &event, zones);
            }),
            _ => serde_json::from_slice(payload).map(|failure| {
                count::failure(self, &failure, zones);
            }),
        };
        match added {
            Ok(()) => self.records += 1,
            Err(error) => {
                self.unread += 1;
                tracing::warn!(
                    topic = topic.name,
                    line = error.line(),
                    column = error.column(),
                    "record not understood"
                );
            }
        }
    }

    /// Adds what later records have come to.
    pub fn join(&mut self, later: Self) {
        for (tenant, mut sums) in later.bots {
            sums.delay(self.records);
            match self.bots.entry(tenant) {
                std::collections::btree_map::Entry::Vacant(free) => {
                    free.insert(sums);
                }
                std::collections::btree_map::Entry::Occupied(mut known) => {
                    known.get_mut().join(sums);
                }
            }
        }
        self.records += later.records;
        self.unread += later.unread;
    }

    /// Leaves only what belongs to a window of whole days (UTC), `from..to` in seconds.
    pub fn keep(&mut self, from: i64, to: i64) {
        for sums in self.bots.values_mut() {
            sums.keep(from, to);
        }
    }
}
