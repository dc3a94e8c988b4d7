//! The batcher: the one place where records wait for the bus.
//!
//! In: lots of parcels of all workers, one lossy lane; reports of the bus, from its own thread. Out: the
//! bus's producer and, while that stalls, the spool; gap records. An actor on a thread of its
//! own, because the spool blocks. Invariant: as `backlog.rs`; reports are bounded by what is in
//! flight. Overloaded: the lane refuses and the parcels count themselves. When it dies, the keeper
//! makes a new one with a new producer and the same spool; what was handed to the bus is settled by
//! the bus's reports (`estate.rs`), and what was in memory alone is counted.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::{Actor, AsyncContext, Context, Handler, Message, MessageResult};
use gramtap_actors::Queued;
use gramtap_bus::{Bus, Position, ProduceError, Producer, ProducerOptions, Refusal, Ticket};
use gramtap_events::Mint;
use gramtap_events::call::CallRecord;
use gramtap_telemetry::{Counter, Gauge};

use super::backlog::{Backlog, Bounds, Offered, Outlet, Report};
use super::estate::{Bequest, Estate};
use super::gaps::{Gaps, Parcel};
use super::reports::Reports;
use super::room::Place;
use super::spool::Spool;

/// How often what is due is done.
const TICK: Duration = Duration::from_millis(100);
/// How old the oldest unacknowledged record may grow before the disk gets a copy.
const STALL: Duration = Duration::from_secs(2);

/// What a batcher is made from, again and again.
#[derive(Clone)]
pub(crate) struct Recipe {
    pub(crate) bus: Bus,
    pub(crate) folder: PathBuf,
    /// `capture.flush_interval`.
    pub(crate) linger: Duration,
    /// `capture.memory_limit`.
    pub(crate) memory: usize,
    /// `capture.spool_limit`.
    pub(crate) disk: u64,
    /// `capture.spool_rate`, per second.
    pub(crate) rate: u32,
    pub(crate) gaps: Arc<Gaps>,
    pub(crate) mint: Arc<Mint>,
    /// From life to life.
    pub(crate) estate: Estate,
}

/// Records for the bus, in their order, and their place in the mailbox.
pub(crate) struct Enqueue(pub(crate) Vec<Parcel>, pub(crate) Place);

impl Message for Enqueue {
    type Result = ();
}

/// Asks for everything that was taken to be on the bus or on disk; the batcher ends with it.
pub(crate) struct Close {
    /// How long the bus is given to acknowledge.
    pub(crate) within: Duration,
}

impl Message for Close {
    type Result = ();
}

/// The actor.
pub(crate) struct Batcher {
    /// None once it is closed: then parcels count themselves as lost.
    backlog: Option<Backlog>,
    outlet: BusOutlet,
    reports: Reports,
    /// What earlier lives had handed over.
    bequests: Vec<Bequest>,
    recipe: Recipe,
}

struct BusOutlet {
    producer: Option<Producer>,
    /// Nothing is offered while an earlier life's records are still on their way: they go first.
    held: bool,
}

impl Actor for Batcher {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_interval(TICK, |batcher, _| batcher.tick(Instant::now()));
    }
}

impl Handler<Queued<Enqueue>> for Batcher {
    type Result = ();

    fn handle(&mut self, queued: Queued<Enqueue>, _: &mut Self::Context) {
        let Enqueue(lot, _place) = queued.take();
        let now = Instant::now();
        for parcel in lot {
            self.accept(now, parcel);
        }
    }
}

impl Handler<Queued<Close>> for Batcher {
    type Result = MessageResult<Queued<Close>>;

    fn handle(&mut self, queued: Queued<Close>, _: &mut Self::Context) -> Self::Result {
        let Close { within } = queued.take();
        self.close(within);
        MessageResult(())
    }
}

// === impl Batcher ===

impl Batcher {
    /// Opens the spool and a producer of its own.
    pub(crate) fn new(recipe: &Recipe) -> Self {
        let reports = Reports::default();
        let bounds = Bounds {
            stall: STALL,
            memory: recipe.memory,
            replay: per_tick(recipe.rate),
        };
        let open = |spool| Backlog::new(bounds, spool, Arc::clone(&recipe.gaps), Instant::now());
        let spool = Spool::open(&recipe.folder, recipe.disk);
        let backlog = spool.and_then(|spool| open(Some(spool))).or_else(|error| {
            let error = &error as &dyn std::error::Error;
            tracing::error!(
                error,
                "no spool: while the bus is away, records wait in memory alone"
            );
            open(None)
        });
        let bequests = recipe.estate.take();
        let outlet = BusOutlet {
            producer: producer(recipe, &reports),
            held: !bequests.is_empty(),
        };
        Self {
            backlog: backlog.ok(),
            outlet,
            reports,
            bequests,
            recipe: recipe.clone(),
        }
    }

    fn accept(&mut self, now: Instant, parcel: Parcel) {
        if let Some(backlog) = &mut self.backlog {
            backlog.accept(now, parcel, &mut self.outlet);
        }
    }

    fn tick(&mut self, now: Instant) {
        self.mend();
        self.bequests.retain_mut(|bequest| !bequest.is_done());
        self.outlet.held = !self.bequests.is_empty();
        self.settle(now);
        let Some(backlog) = &mut self.backlog else {
            return;
        };
        backlog.tick(now, &mut self.outlet);
        let (records, bytes) = backlog.on_disk();
        Gauge::SpoolBytes.set(bytes.cast_signed());
        Gauge::SpoolRecords.set(records.cast_signed());
        if !backlog.is_spooling() {
            self.tell_gaps(now);
        }
    }

    /// A producer that is broken for good is replaced; its records are offered again.
    fn mend(&mut self) {
        let broken = match &self.outlet.producer {
            Some(producer) => producer.health().broken,
            None => Some("none was made".to_owned()),
        };
        if let Some(reason) = broken {
            tracing::error!(reason, "the bus producer is broken and is made anew");
            if let Some(old) = self.outlet.producer.take() {
                old.purge();
            }
            self.outlet.producer = producer(&self.recipe, &self.reports);
        }
    }

    /// Applies what the bus has reported.
    fn settle(&mut self, now: Instant) {
        let reports = self.reports.take();
        if let Some(backlog) = &mut self.backlog {
            for (position, report) in reports {
                backlog.report(now, position, report);
            }
        }
    }

    /// Losses become records of their own once the bus flows.
    fn tell_gaps(&mut self, now: Instant) {
        for gap in self.recipe.gaps.take(&self.recipe.mint) {
            let CallRecord::Gap(told) = &gap else {
                continue;
            };
            tracing::warn!(tenant = %told.tenant, count = told.count, reason = %told.reason, "records were lost");
            let (tenant, at) = (told.tenant, told.from);
            match gramtap_bus::Message::of(&gap) {
                Ok(message) => {
                    let parcel = Parcel::new(message, tenant, at, &self.recipe.gaps);
                    self.accept(now, parcel);
                }
                Err(error) => tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a gap was not written as json"
                ),
            }
        }
    }

    /// Waits for the bus, on this thread, which is the batcher's own; then the disk has the rest.
    fn close(&mut self, within: Duration) {
        let until = Instant::now() + within;
        loop {
            self.tick(Instant::now());
            let Some(backlog) = &self.backlog else { return };
            let left = until.saturating_duration_since(Instant::now());
            let idle = backlog.in_flight() == 0 && !backlog.is_spooling();
            if idle && self.bequests.is_empty() || left.is_zero() {
                break;
            }
            self.reports.wait(left.min(TICK));
        }
        if let Some(backlog) = self.backlog.take() {
            backlog.close();
        }
    }
}

impl Drop for Batcher {
    /// Of what was handed to the bus, the bus still tells; the next life listens.
    fn drop(&mut self) {
        if let (Some(backlog), Some(producer)) = (self.backlog.take(), self.outlet.producer.take())
        {
            let reports = self.reports.clone();
            let bequest = Bequest::new(producer, reports, backlog.into_flight());
            self.bequests.push(bequest);
        }
        self.recipe.estate.leave(&mut self.bequests);
    }
}

/// Records from the disk per tick; at least one, so that a small rate does not stop it.
fn per_tick(rate: u32) -> usize {
    let per_tick = u128::from(rate) * TICK.as_millis() / 1000;
    usize::try_from(per_tick).unwrap_or(usize::MAX).max(1)
}

fn producer(recipe: &Recipe, reports: &Reports) -> Option<Producer> {
    let options = ProducerOptions {
        linger: recipe.linger,
        max_bytes: recipe.memory,
        ..ProducerOptions::lossy("observed")
    };
    let reports = reports.clone();
    let on_report = move |Ticket(position), outcome: Result<Position, ProduceError>| {
        let report = match outcome {
            Ok(_) => Report::Stored,
            Err(error) if error.retry() => Report::Again,
            Err(error) => {
                Counter::BusFailed {
                    reason: error.label(),
                }
                .inc();
                Report::Refused
            }
        };
        reports.push(position, report);
    };
    let made = recipe.bus.producer(options, on_report);
    made.inspect_err(|error| {
        tracing::error!(error = error as &dyn std::error::Error, "no producer")
    })
    .ok()
}

impl Outlet for BusOutlet {
    fn offer(&mut self, position: u64, message: &gramtap_bus::Message) -> Offered {
        let Some(producer) = self.producer.as_ref().filter(|_| !self.held) else {
            return Offered::Later;
        };
        match producer.offer(message.clone(), Ticket(position)) {
            Ok(()) => Offered::Taken,
            Err(refused) => match refused.reason {
                Refusal::TooLarge => Offered::Never,
                Refusal::Full | Refusal::Closed => Offered::Later,
            },
        }
    }
}
