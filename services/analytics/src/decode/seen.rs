//! The memory of what has been counted of one bot.
//!
//! In: numbers of updates and ids of records (`decoder.rs`); on assignment, what was kept of it (seen.v1). Out:
//! whether each is new; the memory as a record, for the same transaction as the events. Invariant: what
//! is new is admitted, what was admitted is not admitted again until it is forgotten, and only the oldest
//! is forgotten: it is bounded by [`ranges`], and by [`starts`].
//!
//! Updates are told by their number, because a bot that restarts without having confirmed them is given them again,
//! in new records. Calls are told by their record, because a record is sent twice after an ambiguous timeout.

pub mod ranges;
pub mod starts;
#[cfg(test)]
mod tests;

use gramtap_events::seen::Seen;
use gramtap_events::{Moment, Record, RecordId, TenantId};
use time::Duration;

use ranges::Ranges;
use starts::Starts;

/// After so long without an update Telegram may begin at another number, which says nothing about older ones. It
/// does after a week and keeps updates for a day, so any time between is right.
const RENUMBERED: Duration = Duration::days(4);

/// What has been counted of one bot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    updates: Ranges,
    updated_at: Option<Moment>,
    calls: Starts,
    unnumbered: Starts,
    deliveries: Starts,
}

impl Memory {
    /// The memory that a record keeps.
    #[must_use]
    pub fn restored(seen: Seen) -> Self {
        Self {
            updates: Ranges::restored(seen.updates),
            updated_at: seen.updated_at,
            calls: Starts::restored(seen.instances),
            unnumbered: Starts::restored(seen.unnumbered),
            deliveries: Starts::restored(seen.deliveries),
        }
    }

    /// The record that keeps it.
    #[must_use]
    pub fn kept(&self, tenant: TenantId) -> Seen {
        Seen {
            v: Seen::VERSION,
            tenant,
            updates: self.updates.kept(),
            updated_at: self.updated_at,
            instances: self.calls.kept(),
            unnumbered: self.unnumbered.kept(),
            deliveries: self.deliveries.kept(),
        }
    }

    /// Whether an update of that number, received then, is new. It is not from now on.
    pub fn admit_update(&mut self, number: i64, at: Moment) -> bool {
        let since = self.updated_at.map(|last| at.time() - last.time());
        if since.is_some_and(|since| since > RENUMBERED) {
            self.updates = Ranges::default();
        }
        let admitted = self.updates.admit(number);
        if admitted {
            self.updated_at = self.updated_at.max(Some(at));
        }
        admitted
    }

    /// Whether the record of a call is new. It is not from now on.
    pub fn admit_call(&mut self, record: &RecordId) -> bool {
        self.calls.admit(record.as_str())
    }

    /// Whether the record of a final delivery is new. It is not from now on.
    pub fn admit_delivery(&mut self, record: &RecordId) -> bool {
        self.deliveries.admit(record.as_str())
    }

    /// Whether the record of an update without a number of its own is new. It is not from now on.
    pub fn admit_unnumbered(&mut self, record: &RecordId) -> bool {
        self.unnumbered.admit(record.as_str())
    }
}
