//! Offers what waits on disk and in memory, once the bus flows again.
//!
//! In: rows of `spool.rs`, what `backlog.rs` holds in memory. Out: offers; rows that are of no more
//! use are forgotten. Invariant: in order, no more in a tick than the bounds say; what is settled
//! is not offered again. A disk that fails holds up nothing that is not on it.

use std::collections::btree_map::Entry;
use std::time::Instant;

use gramtap_events::{Moment, TenantId};

use super::{Backlog, Flying, Offered, Outlet};
use crate::publish::gaps::Loss;
use crate::publish::spool::Read;

impl Backlog {
    /// Offers from the disk, then from memory, in order, within the tick's budget; ends spooling
    /// when both have been offered to their end.
    pub(super) fn replay(&mut self, now: Instant, outlet: &mut impl Outlet) {
        let read = self.read();
        let mut budget = self.bounds.replay.saturating_sub(read.rows.len());
        for row in read.rows {
            let position = match &row {
                Ok(row) => row.position,
                Err(position) => *position,
            };
            if let Entry::Vacant(place) = self.flight.entry(position) {
                let (tenant, at, offered) = match row {
                    Ok(row) => (row.tenant, row.at, outlet.offer(position, &row.message)),
                    Err(_) => (TenantId::UNATTRIBUTED, Moment::now(), Offered::Never),
                };
                match offered {
                    Offered::Taken => {
                        place.insert(Flying {
                            parcel: None,
                            tenant,
                            at,
                            since: now,
                        });
                    }
                    Offered::Never => {
                        self.gaps.note(tenant, at, Loss::Refused);
                        self.done.push(position);
                    }
                    Offered::Later => return,
                }
            }
            self.offered = position + 1;
        }
        if !read.end {
            return;
        }
        while let Some((position, parcel)) = self.unsaved.pop_front() {
            let offered = match parcel.message() {
                Some(message) if budget > 0 => outlet.offer(position, message),
                _ => Offered::Later,
            };
            if offered == Offered::Later {
                return self.unsaved.push_front((position, parcel));
            }
            budget -= 1;
            self.unsaved_bytes -= parcel.size();
            self.offered = position + 1;
            match offered {
                Offered::Taken => self.fly(now, position, parcel),
                _ => parcel.lose(Loss::Refused),
            }
        }
        self.offered = self.next;
        self.spooling = false;
    }

    /// The next rows on disk. A disk that cannot be read is not used any more: what is on it
    /// stays there for the next start, and newer records do not wait behind it.
    fn read(&mut self) -> Read {
        let nothing = Read {
            rows: Vec::new(),
            end: true,
        };
        let Some(spool) = &self.spool else {
            return nothing;
        };
        match spool.read(self.offered.checked_sub(1), self.bounds.replay) {
            Ok(read) => read,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                let records = spool.records();
                tracing::error!(
                    error,
                    records,
                    "the spool is not read, it waits for the next start"
                );
                self.spool = None;
                nothing
            }
        }
    }

    /// Drops from the disk what is settled.
    pub(super) fn forget(&mut self) {
        let Some(spool) = &mut self.spool else {
            return self.done.clear();
        };
        let forgotten = match self.done.is_empty() {
            true => spool.shrink(),
            false => spool.forget(&self.done),
        };
        match forgotten {
            Ok(()) => self.done.clear(),
            // They are forgotten with the next ones; those of a process that ends are sent again.
            Err(error) => tracing::error!(
                error = &error as &dyn std::error::Error,
                "the spool was not trimmed"
            ),
        }
    }
}
