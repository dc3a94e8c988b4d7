//! One connection to an upstream, from call to call.
//!
//! In: a `Wire` from `dial`, with the permit that counts it. Out: to an `exchange`, which owns
//! it for one call, and back to the `shelf` of the pool if it can serve another.
//! Invariant: it is counted as long as it exists; only a connection on which nothing is to be
//! read is used for a request: what lies there unasked would be taken for the answer.

use std::{
    cell::Cell,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use crate::{patience::Timer, wire::Wire};

/// A connection that rested longer is looked at in the kernel before it is used: the event
/// loop may not have come to the news of its end yet. Under load connections rest less, and
/// the system call is spared.
const DOUBTFUL: Duration = Duration::from_millis(100);

/// A connection that no call, or exactly one, is using.
pub(crate) struct Connection {
    pub(crate) wire: Wire,
    /// Which upstream it goes to.
    pub(crate) upstream: u64,
    /// Whether it has served a call.
    pub(crate) reused: bool,
    /// Kept between calls.
    pub(crate) timer: Timer,
    _permit: Permit,
}

impl Connection {
    pub(crate) fn new(wire: Wire, upstream: u64, permit: Permit) -> Self {
        Self {
            wire,
            upstream,
            reused: false,
            timer: None,
            _permit: permit,
        }
    }

    /// Whether it can serve a call after so long a rest.
    pub(crate) fn is_fit(&mut self, unused: Duration) -> bool {
        self.is_quiet() && (unused < DOUBTFUL || !self.wire.has_news())
    }

    /// Whether nothing has come: no data, no end. Takes no system call unless the event loop
    /// has seen something, and lets go of the waker of the call before.
    pub(crate) fn is_quiet(&mut self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        matches!(self.wire.poll_read(&mut cx, |_| ()), Poll::Pending)
    }
}

/// How many connections there are, and how many there may be.
#[derive(Debug)]
pub(crate) struct Census {
    open: Cell<usize>,
    bound: usize,
}

/// One connection's place in the census.
#[derive(Debug)]
pub(crate) struct Permit(Rc<Census>);

impl Census {
    pub(crate) fn new(bound: usize) -> Rc<Self> {
        Rc::new(Self {
            open: Cell::new(0),
            bound,
        })
    }

    /// A place for one more connection, if the bound allows it.
    pub(crate) fn admit(self: &Rc<Self>) -> Option<Permit> {
        let open = self.open.get();
        (open < self.bound).then(|| {
            self.open.set(open + 1);
            Permit(self.clone())
        })
    }

    pub(crate) fn open(&self) -> usize {
        self.open.get()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.open.set(self.0.open.get() - 1);
    }
}
