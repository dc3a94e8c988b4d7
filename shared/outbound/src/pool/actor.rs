//! The actor that owns a worker's idle connections over time.
//!
//! In: the clock; connections that calls put on its shelf. Out: connections closed because
//! they are too old or were closed by the upstream, also of upstreams that nobody calls any
//! more; the gauges of connections.
//! Invariant: the shelf lives and dies with the actor. When it panics, the idle connections
//! are closed, callers find no shelf and dial, and the keeper builds a fresh one; connections
//! in use are not its own and are not touched.

use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
    time::Duration,
};

use actix::{Actor, AsyncContext, Context};
use gramtap_telemetry::{Gauge, GaugeHandle};
use tokio::time::Instant;

use super::shelf::Shelf;
use crate::{config::OutboundConfig, connection::Census};

/// How often idle connections are looked at.
const TICK: Duration = Duration::from_secs(1);

/// The way to the living actor's shelf. A call takes from it and puts on it directly: one
/// thread, no wait within, and a message and its answer would cost more than all the rest of
/// a check-out.
#[derive(Clone, Default)]
pub(super) struct Door(Rc<RefCell<Weak<RefCell<Shelf>>>>);

pub(super) struct PoolActor {
    shelf: Rc<RefCell<Shelf>>,
    gauges: Rc<Gauges>,
}

/// Connections as they are shown, all workers together.
pub(super) struct Gauges {
    census: Rc<Census>,
    idle: GaugeHandle,
    busy: GaugeHandle,
    /// This pool's part in them.
    shown: Cell<(i64, i64)>,
}

impl Actor for PoolActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_interval(TICK, |actor, _| actor.tick());
    }
}

// === impl PoolActor ===

impl PoolActor {
    /// Opens the door to a new, empty shelf.
    pub(super) fn new(config: &OutboundConfig, door: &Door, gauges: Rc<Gauges>) -> Self {
        let shelf = Rc::new(RefCell::new(Shelf::new(config.max_idle, config.keep_alive)));
        door.0.replace(Rc::downgrade(&shelf));
        Self { shelf, gauges }
    }

    fn tick(&mut self) {
        let mut shelf = self.shelf.borrow_mut();
        shelf.reap(Instant::now());
        self.gauges.show(shelf.count());
    }
}

impl Drop for PoolActor {
    fn drop(&mut self) {
        self.gauges.show(0);
    }
}

// === impl Door ===

impl Door {
    /// The shelf, unless the actor is dead.
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Shelf) -> T) -> Option<T> {
        let shelf = self.0.borrow().upgrade()?;
        let outcome = act(&mut shelf.borrow_mut());
        Some(outcome)
    }
}

// === impl Gauges ===

impl Gauges {
    pub(super) fn new(census: Rc<Census>) -> Self {
        Self {
            census,
            idle: Gauge::UpstreamConnections { state: "idle" }.handle(),
            busy: Gauge::UpstreamConnections { state: "busy" }.handle(),
            shown: Cell::new((0, 0)),
        }
    }

    fn show(&self, idle: usize) {
        let idle = idle as i64;
        self.put(idle, self.census.open() as i64 - idle);
    }

    fn put(&self, idle: i64, busy: i64) {
        let (idle_before, busy_before) = self.shown.replace((idle, busy));
        self.idle.add(idle - idle_before);
        self.busy.add(busy - busy_before);
    }
}

impl Drop for Gauges {
    fn drop(&mut self) {
        self.put(0, 0);
    }
}
