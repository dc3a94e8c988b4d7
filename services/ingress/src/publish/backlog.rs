//! What to do with each record while the bus flows, stalls, and flows again.
//!
//! In: parcels and reports from `batcher.rs`. Out: offers to the bus (`backlog/replay.rs` makes
//! those that come late), rows of `spool.rs`.
//! Two states. *Flowing*: a record is offered at once and a copy kept until it is acknowledged.
//! *Spooling*: from the first refusal or stall on, every record not yet acknowledged is saved to
//! disk and newer ones queue up behind it there, until the disk has been offered to its end.
//! What the disk does not take waits in memory, behind all that is on disk.
//! Invariant: records are first offered in the order they came, whatever happens in between; a
//! record is acknowledged, on disk, in memory, or counted as lost; with no disk at all the bus is
//! served all the same. Overloaded: the newest are lost and counted. If its owner dies, what
//! waited in memory alone is counted ([`Parcel`]).

mod replay;

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
    /// Bytes that wait in memory, for the next save or because the disk takes no more.
    pub(crate) memory: usize,
    /// Records offered again per tick.
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
    /// None: it cannot be used.
    spool: Option<Spool>,
    /// Why the last save did not take all.
    refusing: Option<Loss>,
    gaps: Arc<Gaps>,
    /// Offered and not acknowledged, by position.
    flight: BTreeMap<u64, Flying>,
    /// Not in flight and not on disk; only while spooling.
    unsaved: VecDeque<(u64, Parcel)>,
    unsaved_bytes: usize,
    /// On disk and of no more use there.
    done: Vec<u64>,
    next: u64,
    /// Everything below was offered.
    offered: u64,
    spooling: bool,
    last_stored: Instant,
}

impl Backlog {
    /// Goes on where an earlier run left the spool, if there is one.
    pub(crate) fn new(
        bounds: Bounds,
        spool: Option<Spool>,
        gaps: Arc<Gaps>,
        now: Instant,
    ) -> Result<Self, SpoolError> {
        let last = match &spool {
            Some(spool) => spool.last()?,
            None => None,
        };
        Ok(Self {
            bounds,
            spooling: last.is_some(),
            spool,
            refusing: None,
            gaps,
            flight: BTreeMap::new(),
            unsaved: VecDeque::new(),
            unsaved_bytes: 0,
            done: Vec::new(),
            next: last.map_or(0, |last| last + 1),
            offered: 0,
            last_stored: now,
        })
    }

    /// Whether records are going through the disk.
    pub(crate) fn is_spooling(&self) -> bool {
        self.spooling
    }

    /// Records on disk, and their bytes.
    pub(crate) fn on_disk(&self) -> (u64, u64) {
        let spool = self.spool.as_ref();
        spool.map_or((0, 0), |spool| (spool.records(), spool.bytes()))
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
                    return self.fly(now, position, parcel);
                }
                Offered::Never => return parcel.lose(Loss::Refused),
                Offered::Later => self.spooling = true,
            }
        }
        self.unsaved_bytes += parcel.size();
        self.unsaved.push_back((position, parcel));
        if self.unsaved_bytes > self.bounds.memory {
            // A disk that takes nothing is asked once a tick, and not for each record.
            if self.refusing.is_none() {
                self.save();
            }
            self.trim();
        }
    }

    /// Learns what became of an offered record.
    pub(crate) fn report(&mut self, now: Instant, position: u64, report: Report) {
        let Some(flying) = self.flight.remove(&position) else {
            return;
        };
        match report {
            Report::Stored => self.last_stored = now,
            Report::Refused => self.gaps.note(flying.tenant, flying.at, Loss::Refused),
            Report::Again => {
                self.spooling = true;
                self.offered = self.offered.min(position);
                match flying.parcel {
                    Some(parcel) => self.put_back(position, parcel),
                    None if self.spool.is_some() => {}
                    None => (self.gaps).note(flying.tenant, flying.at, Loss::SpoolFailed),
                }
                return;
            }
        }
        match flying.parcel {
            Some(parcel) => parcel.settle(),
            None => self.done.push(position),
        }
    }

    /// Does what is due: notices a stall, saves, offers again, forgets what is stored.
    pub(crate) fn tick(&mut self, now: Instant, outlet: &mut impl Outlet) {
        let stalled = self.is_stalled(now);
        self.spooling |= stalled;
        // First, so that what is stored is not offered again.
        self.forget();
        if self.spooling {
            self.save();
            self.trim();
            if !stalled {
                self.replay(now, outlet);
            }
        }
    }

    /// Puts on disk what is nowhere else, for the end of the process.
    pub(crate) fn close(mut self) {
        self.save();
        self.forget();
        let reason = self.refusing.unwrap_or(Loss::SpoolFailed);
        for (_, parcel) in self.unsaved.drain(..) {
            parcel.lose(reason);
        }
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
        self.unsaved_bytes += parcel.size();
        let place = self.unsaved.partition_point(|(other, _)| *other < position);
        self.unsaved.insert(place, (position, parcel));
    }

    /// Saves copies of what is in flight, then what waits in memory, as far as the disk goes: in
    /// order, so that all that is on disk comes before all that is not.
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
        let saved = match &mut self.spool {
            Some(spool) => spool.save(records),
            None => Ok(0),
        };
        let (below, refusing) = match saved.as_ref().map(|count| rows.get(*count)) {
            Ok(None) => (self.next, None),
            Ok(Some((first, _))) if self.spool.is_some() => (*first, Some(Loss::SpoolFull)),
            Ok(Some(_)) | Err(_) => (0, Some(Loss::SpoolFailed)),
        };
        drop(rows);
        if refusing != self.refusing {
            let error = saved
                .as_ref()
                .err()
                .map(|error| error as &dyn std::error::Error);
            match refusing {
                Some(reason) => tracing::error!(
                    error,
                    reason = reason.label(),
                    "the disk takes no more records, they wait in memory"
                ),
                None => tracing::info!("the disk takes records again"),
            }
            self.refusing = refusing;
        }
        for (position, flying) in &mut self.flight {
            if *position < below
                && let Some(parcel) = flying.parcel.take()
            {
                parcel.settle();
            }
        }
        while let Some((_, parcel)) = self.unsaved.pop_front_if(|(at, _)| *at < below) {
            self.unsaved_bytes -= parcel.size();
            parcel.settle();
        }
    }

    /// Loses the newest of what memory cannot hold.
    fn trim(&mut self) {
        let reason = self.refusing.unwrap_or(Loss::SpoolFull);
        while self.unsaved_bytes > self.bounds.memory
            && let Some((_, parcel)) = self.unsaved.pop_back()
        {
            self.unsaved_bytes -= parcel.size();
            parcel.lose(reason);
        }
    }

    /// Notes an offer that was taken.
    fn fly(&mut self, now: Instant, position: u64, parcel: Parcel) {
        let flying = Flying {
            tenant: parcel.tenant(),
            at: parcel.at(),
            parcel: Some(parcel),
            since: now,
        };
        self.flight.insert(position, flying);
    }
}

#[cfg(test)]
#[path = "backlog_tests.rs"]
mod tests;
