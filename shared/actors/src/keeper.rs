//! Keeps an actor alive: builds it, learns of its death, waits, builds a fresh one. Input: a
//! factory, from `app.rs` or the actor's own file. Output: [`Kept`], from which the lanes into the
//! actor are made. Invariant: the actor's state is never reused; lanes lead to whichever life is
//! current, so nobody holds a stale address. What waits in a mailbox when its actor dies is lost
//! and counted, message by message; what arrives during a short wait (`Policy::hold`) is kept for
//! the next life.

mod host;
mod life;
mod slot;
mod supervisor;

use std::{fmt, rc::Rc, sync::Arc};

use actix::{Actor, Context, Handler, Message};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    Policy,
    mailbox::{Durable, Lane, Lossy, Queued},
    spawn::{Task, spawn, spawn_local},
};
use host::{OnThisThread, OnThreads};
#[cfg(feature = "inject-panics")]
pub(crate) use life::Vitals;
use slot::Slot;
use supervisor::Supervisor;

/// An actor that is kept alive until this is dropped.
pub struct Kept<A: Actor<Context = Context<A>>> {
    name: &'static str,
    slot: Arc<Slot<A>>,
    exhausted: CancellationToken,
    supervisor: Task<()>,
    release: DropGuard,
}

/// Keeps an actor on the current thread, for state that is one worker's own. Tasks that it spawns
/// beside itself outlive its death. An actor that blocks its thread cannot be replaced, only one
/// that waits: see [`keep_on_thread`].
///
/// # Panics
/// Outside an arbiter or `LocalSet`.
pub fn keep<A, F>(name: &'static str, policy: Policy, factory: F) -> Kept<A>
where
    A: Actor<Context = Context<A>>,
    F: Fn() -> A + 'static,
{
    let host = OnThisThread(Rc::new(factory));
    let (supervisor, mailbox, shared) = Supervisor::new(name, policy, host);
    shared.into_kept(name, spawn_local(name, supervisor.run(mailbox)))
}

/// Keeps an actor on a thread of its own, with a runtime of its own, for what blocks or must not
/// be delayed by workers. One that blocks for too long is left behind with its thread, and a fresh
/// one is built on another. Tasks that the actor spawns die with it.
///
/// # Panics
/// Outside a runtime.
pub fn keep_on_thread<A, F>(name: &'static str, policy: Policy, factory: F) -> Kept<A>
where
    A: Actor<Context = Context<A>>,
    F: Fn() -> A + Send + Sync + 'static,
{
    let host = OnThreads(Arc::new(factory));
    let (supervisor, mailbox, shared) = Supervisor::new(name, policy, host);
    shared.into_kept(name, spawn(name, supervisor.run(mailbox)))
}

impl<A: Actor<Context = Context<A>>> Kept<A> {
    /// A lane of at most `bound` waiting messages that may be dropped. To be made once and cloned:
    /// every lane has a bound of its own.
    pub fn lossy<M>(&self, bound: usize) -> Lossy<M>
    where
        A: Handler<Queued<M>>,
        M: Message + Send + 'static,
        M::Result: Send,
    {
        Lossy(self.lane(bound))
    }

    /// A lane of at most `bound` waiting messages that must arrive or be told of.
    pub fn durable<M>(&self, bound: usize) -> Durable<M>
    where
        A: Handler<Queued<M>>,
        M: Message + Send + 'static,
        M::Result: Send,
    {
        Durable(self.lane(bound))
    }

    /// Waits until the actor has died more often than its policy allows. The application then turns
    /// readiness off, drains and exits with a failure; until then the actor is still restarted.
    pub async fn exhausted(&self) {
        self.exhausted.cancelled().await;
    }

    /// The name given to `keep`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Ends the actor and waits until it is gone. What waits in its mailbox is dropped and counted:
    /// to have it handled, deliver the actor a message that flushes first. An actor that blocks its
    /// thread is waited for without bound; the caller sets one.
    pub async fn stop(self) {
        let Self {
            supervisor,
            release,
            ..
        } = self;
        drop(release);
        // A supervisor that was dropped with its runtime has ended its actor, too.
        supervisor.await.ok();
    }

    fn lane<M>(&self, bound: usize) -> Arc<Lane<M>>
    where
        A: Handler<Queued<M>>,
        M: Message + Send + 'static,
        M::Result: Send,
    {
        let lane = Lane::new(self.name, bound, self.slot.taken());
        let weak = Arc::downgrade(&lane);
        self.slot.attach(weak);
        lane
    }
}

impl<A: Actor<Context = Context<A>>> fmt::Debug for Kept<A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Kept({})", self.name)
    }
}
