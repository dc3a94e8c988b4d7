//! One bounded way into one actor, through all its lives. Input: lossy and durable senders. Output:
//! the address of the living actor, exchanged by `keeper/slot.rs`. Invariant: at most `bound`
//! messages wait, however many senders there are. actix' own bound grows with every clone of an
//! address, so kept actors have none and a lane counts for itself. Each life has a gate of its own:
//! what an abandoned actor still holds does not take room from the next.

use std::sync::{
    Arc, Mutex, PoisonError, Weak,
    atomic::{AtomicU64, Ordering},
};

use actix::{Actor, Addr, Context, Handler, Message, Recipient};
use arc_swap::ArcSwapOption;
use tokio::sync::{Semaphore, TryAcquireError};

use super::{Admitted, Queued, Refused};

static LANES: Mutex<Vec<Weak<dyn Measure>>> = Mutex::new(Vec::new());

/// A lane for messages of one kind.
pub(crate) struct Lane<M: Message + Send + 'static>
where
    M::Result: Send,
{
    pub(crate) stats: Arc<Stats>,
    bound: usize,
    /// `None` while there is no actor.
    line: ArcSwapOption<Line<M>>,
}

/// The way to one life of the actor.
pub(crate) struct Line<M: Message + Send + 'static>
where
    M::Result: Send,
{
    pub(crate) recipient: Recipient<Queued<M>>,
    gate: Arc<Semaphore>,
}

/// What a message needs to know of its lane when it ends.
pub(crate) struct Stats {
    pub(crate) actor: &'static str,
    /// Messages that the actor took, of all its lanes: a sign of life.
    taken: Arc<AtomicU64>,
}

impl Stats {
    pub(crate) fn count_taken(&self) {
        self.taken.fetch_add(1, Ordering::Relaxed);
    }
}

impl<M: Message + Send + 'static> Lane<M>
where
    M::Result: Send,
{
    /// A lane that is not connected yet. A bound of 0 counts as 1.
    pub(crate) fn new(actor: &'static str, bound: usize, taken: Arc<AtomicU64>) -> Arc<Self> {
        let bound = bound.clamp(1, Semaphore::MAX_PERMITS);
        let lane = Arc::new(Self {
            stats: Arc::new(Stats { actor, taken }),
            bound,
            line: ArcSwapOption::empty(),
        });
        let weak: Weak<Self> = Arc::downgrade(&lane);
        LANES
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(weak);
        lane
    }

    /// Room for one message at once, or why there is none.
    pub(crate) fn admit_now(&self) -> Result<Admitted<M>, Refused> {
        let line = self.line.load_full().ok_or(Refused::Closed)?;
        match Arc::clone(&line.gate).try_acquire_owned() {
            Ok(permit) => Ok((line, permit)),
            Err(TryAcquireError::NoPermits) => Err(Refused::Full),
            Err(TryAcquireError::Closed) => Err(Refused::Closed),
        }
    }

    /// Waits for room for one message; `None` if there is no actor.
    pub(crate) async fn admit(&self) -> Option<Admitted<M>> {
        loop {
            let line = self.line.load_full()?;
            // The gate closes when its actor has died; then there may be a new one.
            if let Ok(permit) = Arc::clone(&line.gate).acquire_owned().await {
                return Some((line, permit));
            }
        }
    }
}

/// A lane as its actor's slot sees it.
pub(crate) trait Connect<A: Actor>: Send + Sync {
    /// Leads the lane to a new life of the actor, or nowhere.
    fn connect(&self, address: Option<&Addr<A>>);
}

impl<A, M> Connect<A> for Lane<M>
where
    A: Actor<Context = Context<A>> + Handler<Queued<M>>,
    M: Message + Send + 'static,
    M::Result: Send,
{
    fn connect(&self, address: Option<&Addr<A>>) {
        let line = address.map(|address| {
            let gate = Arc::new(Semaphore::new(self.bound));
            Arc::new(Line {
                recipient: address.clone().recipient(),
                gate,
            })
        });
        if let Some(old) = self.line.swap(line) {
            old.gate.close();
        }
    }
}

/// What waits in the mailboxes of all actors of one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// The name given to `keep`.
    pub actor: &'static str,
    /// Messages waiting.
    pub depth: usize,
    /// How many may wait.
    pub bound: usize,
}

trait Measure: Send + Sync {
    fn measure(&self) -> Mailbox;
}

impl<M: Message + Send + 'static> Measure for Lane<M>
where
    M::Result: Send,
{
    fn measure(&self) -> Mailbox {
        let line = self.line.load();
        let depth = line
            .as_ref()
            .map_or(0, |line| self.bound - line.gate.available_permits());
        Mailbox {
            actor: self.stats.actor,
            depth,
            bound: self.bound,
        }
    }
}

/// The depth and bound of every mailbox, summed by name: what gauges show when they are read.
pub fn mailboxes() -> Vec<Mailbox> {
    let mut lanes = LANES.lock().unwrap_or_else(PoisonError::into_inner);
    lanes.retain(|lane| lane.strong_count() > 0);
    let mut sums: Vec<Mailbox> = Vec::new();
    for lane in lanes.iter().filter_map(Weak::upgrade) {
        let one = lane.measure();
        match sums.iter_mut().find(|sum| sum.actor == one.actor) {
            Some(sum) => {
                sum.depth += one.depth;
                sum.bound += one.bound;
            }
            None => sums.push(one),
        }
    }
    sums
}
