//! The loop that outlives its actor. Input: deaths and missing signs of life. Output: the next
//! life, the lanes' direction, the observer. Invariant: it ends only with its [`Kept`](super::Kept);
//! until then there is an actor, or a wait whose length `restart.rs` decided.

use std::{pin::pin, sync::Arc};

use actix::{Actor, Context, dev::channel::AddressReceiver};
use tokio::{sync::oneshot, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    Kept,
    host::Host,
    life::{Death, Vitals},
    slot::Slot,
};
use crate::{
    Policy,
    observe::{Cause, tell},
    restart::Restarts,
    spawn::Task,
};

/// Keeps one actor.
pub(super) struct Supervisor<A: Actor<Context = Context<A>>, H> {
    name: &'static str,
    policy: Policy,
    host: H,
    slot: Arc<Slot<A>>,
    released: CancellationToken,
    exhausted: CancellationToken,
}

/// What a supervisor and its [`Kept`] share.
pub(super) struct Shared<A: Actor<Context = Context<A>>> {
    slot: Arc<Slot<A>>,
    released: CancellationToken,
    exhausted: CancellationToken,
}

impl<A: Actor<Context = Context<A>>> Shared<A> {
    pub(super) fn into_kept(self, name: &'static str, supervisor: Task<()>) -> Kept<A> {
        let Self {
            slot,
            released,
            exhausted,
        } = self;
        Kept {
            name,
            slot,
            exhausted,
            supervisor,
            release: released.drop_guard(),
        }
    }
}

impl<A: Actor<Context = Context<A>>, H: Host<A>> Supervisor<A, H> {
    /// A supervisor, the mailbox of the first life, and what its `Kept` is made of. The mailbox is
    /// open already, so that lanes can be used before the supervisor first runs.
    pub(super) fn new(
        name: &'static str,
        policy: Policy,
        host: H,
    ) -> (Self, AddressReceiver<A>, Shared<A>) {
        let slot = Arc::new(Slot::new());
        let mailbox = slot.open();
        let (released, exhausted) = (CancellationToken::new(), CancellationToken::new());
        let shared = Shared {
            slot: Arc::clone(&slot),
            released: released.clone(),
            exhausted: exhausted.clone(),
        };
        (
            Self {
                name,
                policy,
                host,
                slot,
                released,
                exhausted,
            },
            mailbox,
            shared,
        )
    }

    /// Keeps the actor until its `Kept` is dropped.
    pub(super) async fn run(self, mut mailbox: AddressReceiver<A>) {
        let mut restarts = Restarts::new(self.policy.clone());
        let began = Instant::now();
        loop {
            let born = Instant::now();
            let Some(cause) = self.one_life(mailbox).await else {
                break;
            };
            let restart = restarts.after_death(began.elapsed(), born.elapsed());
            tell(|observer| observer.actor_restarted(self.name, cause));
            tracing::warn!(actor = self.name, cause = cause.label(), delay = ?restart.delay, "actor died");
            if restart.exhausted && !self.exhausted.is_cancelled() {
                tracing::error!(actor = self.name, "actor died too often");
                tell(|observer| observer.actor_exhausted(self.name));
                self.exhausted.cancel();
            }
            let held = restart.delay <= self.policy.hold;
            let next = held.then(|| self.slot.open());
            if !held {
                self.slot.empty();
            }
            tokio::select! {
                biased;
                () = self.released.cancelled() => break,
                () = tokio::time::sleep(restart.delay) => {}
            }
            mailbox = next.unwrap_or_else(|| self.slot.open());
        }
        self.slot.empty();
    }

    /// Runs one life to its end and tells why it ended; `None` if the keeper is to end, too.
    async fn one_life(&self, mailbox: AddressReceiver<A>) -> Option<Cause> {
        let vitals = Arc::new(Vitals::default());
        // Whatever ends this function, or drops it, ends the life.
        let _end = vitals.end.clone().drop_guard();
        #[cfg(feature = "inject-panics")]
        crate::poison::register(self.name, &vitals);
        let mut death = match self.host.start(self.name, mailbox, Arc::clone(&vitals)) {
            Ok(death) => death,
            Err(error) => {
                tracing::error!(actor = self.name, %error, "actor was not given a thread");
                return Some(Cause::Start);
            }
        };
        tokio::select! {
            biased;
            () = self.released.cancelled() => {
                self.slot.empty();
                vitals.end.cancel();
                // An error means that the life was dropped with its runtime.
                death.await.ok();
                None
            }
            death = &mut death => Some(cause_of(death)),
            () = self.stalled(&vitals) => Some(Cause::Stall),
        }
    }

    /// Ends when the actor neither gives a sign of life nor takes messages. An actor whose mailbox
    /// never runs empty has no time for signs, but it is not stalled.
    async fn stalled(&self, vitals: &Vitals) {
        loop {
            tokio::time::sleep(self.policy.heartbeat).await;
            let mut sign = pin!(vitals.sign_of_life());
            let mut taken = self.slot.count_taken();
            while tokio::time::timeout(self.policy.stall, &mut sign)
                .await
                .is_err()
            {
                let before = std::mem::replace(&mut taken, self.slot.count_taken());
                if taken == before {
                    return;
                }
            }
        }
    }
}

fn cause_of(death: Result<Death, oneshot::error::RecvError>) -> Cause {
    match death {
        Ok(Death::Stop | Death::Told) => Cause::Stop,
        // A life that was dropped without a word did not end by itself.
        Ok(Death::Panic) | Err(_) => Cause::Panic,
    }
}
