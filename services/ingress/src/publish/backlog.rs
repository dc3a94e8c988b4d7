//! What to do with each record while the bus flows, stalls, and flows again.
//!
//! In: parcels and reports from `batcher.rs`. Out: offers to the bus, rows of `spool.rs`.
//! Two states. *Flowing*: a record is offered at once and a copy kept until it is acknowledged.
//! *Spooling*: from the first refusal or stall on, every record not yet acknowledged is saved to
//! disk and newer ones queue up behind it there, until the disk has been offered to its end.
//! Invariant: records are first offered in the order they came, whatever happens in between; a
//! record is acknowledged, on disk, or counted as lost. Overloaded: what the disk does not take
//! is lost and counted. If its owner dies, what waited in memory alone is counted ([`Parcel`]).

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gramtap_bus::Message;
use gramtap_events::{Moment, TenantId};

use super::gaps::{Gaps, Loss, Parcel};
use super::spool::{Spool, SpoolError};

/// Where records are offered.
pub(crate) trait Outlet {
    /// Offers a record under its position, which its report will name.
    fn offer(&mut self, position: u64, message: &Message) -> Offered;
}

/// What an outlet says to an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offered {
    /// Taken; a report follows.
    Taken,
    /// Not now: the queue is full or closed.
    Later,
    /// Not ever: it is too large.
    Never,
}

/// What became of an offered record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    /// It is in the bus.
    Stored,
    /// It is not, and may be offered again.
    Again,
    /// It never will be.
    Refused,
}

/// The bounds of a backlog.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// How old the oldest unacknowledged record may grow before the bus counts as stalled.
    pub(crate) stall: Duration,
    /// Bytes that wait in memory for the next save.
    pub(crate) memory: usize,
    /// Records offered from the disk per tick.
    pub(crate) replay: usize,
}

#[derive(Debug)]
struct Flying {
    /// None where the disk has it.
    parcel: Option<Parcel>,
    tenant: TenantId,
    at: Moment,
    since: Instant,
}

/// The records that are not acknowledged.
#[derive(Debug)]
pub(crate) struct Backlog {
    bounds: Bounds,
    spool: Spool,
    gaps: Arc<Gaps>,
    /// Offered and not acknowledged, by position.
    flight: BTreeMap<u64, Flying>,
    /// Not offered and not on disk; only while spooling.
    unsaved: VecDeque<(u64, Parcel)>,
    unsaved_bytes: usize,
    next: u64,
    /// Everything below was offered.
    offered: u64,
    spooling: bool,
    last_stored: Instant,
}

impl Backlog {
    /// Goes on where an earlier run left the spool.
    pub(crate) fn new(
        bounds: Bounds,
        spool: Spool,
        gaps: Arc<Gaps>,
        now: Instant,
    ) -> Result<Self, SpoolError> {
        let next = spool.last()?.map_or(0, |last| last + 1);
        Ok(Self {
            bounds,
            spooling: spool.records() > 0,
            spool,
            gaps,
            flight: BTreeMap::new(),
            unsaved: VecDeque::new(),
            unsaved_bytes: 0,
            next,
            offered: 0,
            last_stored: now,
        })
    }

    /// Whether records are going through the disk.
    pub(crate) fn is_spooling(&self) -> bool {
        self.spooling
    }

    /// The disk's part, for gauges.
    pub(crate) fn spool(&self) -> &Spool {
        &self.spool
    }

    /// Records offered and not acknowledged.
    pub(crate) fn in_flight(&self) -> usize {
        self.flight.len()
    }

    /// Takes a record in.
    pub(crate) fn accept(&mut self, now: Instant, parcel: Parcel, outlet: &mut impl Outlet) {
        let position = self.next;
        self.next += 1;
        if !self.spooling {
            let Some(message) = parcel.message() else {
                return;
            };
            match outlet.offer(position, message) {
                Offered::Taken => {
                    self.offered = position + 1;
                    let (tenant, at) = (parcel.tenant(), parcel.at());
                    let parcel = Some(parcel);
                    self.flight.insert(
                        position,
                        Flying {
                            parcel,
                            tenant,
                            at,
                            since: now,
                        },
                    );
                    return;
                }
                Offered::Never => return parcel.lose(Loss::Refused),
                Offered::Later => self.spooling = true,
            }
        }
        self.unsaved_bytes += parcel.message().map_or(0, Message::size);
        self.unsaved.push_back((position, parcel));
        if self.unsaved_bytes > self.bounds.memory {
            self.save();
        }
    }

    /// Learns what became of an offered record.
    pub(crate) fn report(&mut self, now: Instant, position: u64, report: Report) {
        let Some(flying) = self.flight.remove(&position) else {
            return;
        };
        match report {
            Report::Again => {
                self.spooling = true;
                self.offered = self.offered.min(position);
                if let Some(parcel) = flying.parcel {
                    self.put_back(position, parcel);
                }
                return;
            }
            Report::Stored => self.last_stored = now,
            Report::Refused => self.gaps.note(flying.tenant, flying.at, Loss::Refused),
        }
        if let Some(parcel) = flying.parcel {
            parcel.settle();
        }
    }

    /// Does what is due: notices a stall, saves, offers from the disk, forgets what is stored.
    pub(crate) fn tick(&mut self, now: Instant, outlet: &mut impl Outlet) {
        let stalled = self.is_stalled(now);
        self.spooling |= stalled;
        if self.spooling {
            self.save();
            if !stalled {
                self.replay(now, outlet);
            }
        }
        self.forget();
    }

    /// Puts on disk what is nowhere else, for the end of the process.
    pub(crate) fn close(mut self) {
        self.spooling = true;
        self.save();
        self.forget();
    }

    /// What was offered and is nowhere else, by position. What waited in memory is lost with this.
    pub(crate) fn into_flight(self) -> BTreeMap<u64, Parcel> {
        let parcel = |(position, flying): (u64, Flying)| Some((position, flying.parcel?));
        self.flight.into_iter().filter_map(parcel).collect()
    }

    /// Nothing was acknowledged for too long, though something old enough waits for it.
    fn is_stalled(&self, now: Instant) -> bool {
        let old = |since: Instant| now.duration_since(since) > self.bounds.stall;
        old(self.last_stored)
            && self
                .flight
                .values()
                .next()
                .is_some_and(|first| old(first.since))
    }

    /// An offered record that must be offered again, in its place.
    fn put_back(&mut self, position: u64, parcel: Parcel) {
        self.unsaved_bytes += parcel.message().map_or(0, Message::size);
        let place = self.unsaved.partition_point(|(other, _)| *other < position);
        self.unsaved.insert(place, (position, parcel));
    }

    /// Saves copies of what is in flight, then what waits in memory; counts what does not fit.
    fn save(&mut self) {
        let flying = self
            .flight
            .iter()
            .filter_map(|(at, flying)| Some((*at, flying.parcel.as_ref()?)));
        let waiting = self.unsaved.iter().map(|(at, parcel)| (*at, parcel));
        // Both are in order, and what waits may belong between what flies.
        let mut rows: Vec<(u64, &Parcel)> = flying.chain(waiting).collect();
        rows.sort_unstable_by_key(|(position, _)| *position);
        if rows.is_empty() {
            return;
        }
        let records = rows.iter().filter_map(|(position, parcel)| {
            Some((*position, parcel.tenant(), parcel.at(), parcel.message()?))
        });
        let (saved, loss) = match self.spool.save(records) {
            Ok(count) => (
                rows.get(count).map_or(self.next, |(position, _)| *position),
                Loss::SpoolFull,
            ),
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "records were not saved"
                );
                (0, Loss::SpoolFailed)
            }
        };
        drop(rows);
        for (position, flying) in &mut self.flight {
            if *position < saved
                && let Some(parcel) = flying.parcel.take()
            {
                parcel.settle();
            }
        }
        self.unsaved_bytes = 0;
        for (position, parcel) in self.unsaved.drain(..) {
            match position < saved {
                true => parcel.settle(),
                false => parcel.lose(loss),
            }
        }
    }

    /// Offers from the disk, in order, within the tick's budget; ends spooling at the disk's end.
    fn replay(&mut self, now: Instant, outlet: &mut impl Outlet) {
        let after = self.offered.checked_sub(1);
        let rows = match self.spool.read(after, self.bounds.replay) {
            Ok(rows) => rows,
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the spool was not read"
                );
                return;
            }
        };
        let complete = rows.len() < self.bounds.replay;
        for row in rows {
            if let Entry::Vacant(place) = self.flight.entry(row.position) {
                let (tenant, at) = (row.tenant, row.at);
                match outlet.offer(row.position, &row.message) {
                    Offered::Taken => {
                        place.insert(Flying {
                            parcel: None,
                            tenant,
                            at,
                            since: now,
                        });
                    }
                    Offered::Never => self.gaps.note(tenant, at, Loss::Refused),
                    Offered::Later => return,
                }
            }
            self.offered = row.position + 1;
        }
        if complete && self.unsaved.is_empty() {
            self.offered = self.next;
            self.spooling = false;
        }
    }

    /// Drops from the disk what is acknowledged without a hole.
    fn forget(&mut self) {
        let frontier = self
            .flight
            .keys()
            .next()
            .copied()
            .unwrap_or(self.next)
            .min(self.offered);
        if self.spool.records() == 0 || frontier == 0 {
            return;
        }
        if let Err(error) = self.spool.forget(frontier - 1) {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the spool was not trimmed"
            );
        }
    }
}

#[cfg(test)]
#[path = "backlog_tests.rs"]
mod tests;
