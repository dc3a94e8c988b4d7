//! Where the address of the living actor is. Input: the supervisor, at each birth and death.
//! Output: the lanes, which are led to it. Invariant: one address a life, in one place; all lanes
//! lead to it or nowhere.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, Weak,
    atomic::{AtomicU64, Ordering},
};

use actix::{
    Actor, Addr, Context,
    dev::channel::{AddressReceiver, channel},
};

use crate::mailbox::Connect;

/// The place of a kept actor's address.
pub(super) struct Slot<A: Actor<Context = Context<A>>> {
    state: Mutex<State<A>>,
    taken: Arc<AtomicU64>,
}

struct State<A: Actor> {
    address: Option<Addr<A>>,
    lanes: Vec<Weak<dyn Connect<A>>>,
}

impl<A: Actor<Context = Context<A>>> Slot<A> {
    pub(super) fn new() -> Self {
        let state = State {
            address: None,
            lanes: Vec::new(),
        };
        Self {
            state: Mutex::new(state),
            taken: Arc::default(),
        }
    }

    /// Opens the mailbox of the next life. Messages wait in it until there is an actor.
    pub(super) fn open(&self) -> AddressReceiver<A> {
        // Without a bound of its own: the lanes have theirs, which do not grow with the senders.
        let (sender, receiver) = channel(0);
        self.lead(Some(Addr::new(sender)));
        receiver
    }

    /// Leads the lanes nowhere, until the next life if there is one.
    pub(super) fn empty(&self) {
        self.lead(None);
    }

    pub(super) fn attach(&self, lane: Weak<dyn Connect<A>>) {
        let mut state = self.lock();
        if let Some(lane) = lane.upgrade() {
            lane.connect(state.address.as_ref());
        }
        state.lanes.retain(|lane| lane.strong_count() > 0);
        state.lanes.push(lane);
    }

    /// The counter of messages that the actor took, all lanes and lives together.
    pub(super) fn taken(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.taken)
    }

    pub(super) fn count_taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    fn lead(&self, address: Option<Addr<A>>) {
        let mut state = self.lock();
        state.lanes.retain(|lane| {
            let lane = lane.upgrade();
            if let Some(lane) = &lane {
                lane.connect(address.as_ref());
            }
            lane.is_some()
        });
        state.address = address;
    }

    fn lock(&self) -> MutexGuard<'_, State<A>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
