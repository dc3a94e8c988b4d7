//! One life of an actor, from its factory to its end. Input: a factory and a mailbox, from
//! `keeper/host.rs`. Output: how it ended, to the supervisor. Invariant: the actor's context is
//! polled here, inside `catch_unwind`, and not by the arbiter, so a panic is seen for what it is,
//! and the actor's last words (`stopping`, `stopped`) are not spoken while that panic unwinds: there
//! a panic of their own would abort the process. A life ends at once when its vitals say so,
//! whatever it waits for.

#[cfg(feature = "inject-panics")]
use std::sync::atomic::{AtomicBool, Ordering};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use actix::{Actor, AsyncContext, Context, WrapFuture, dev::channel::AddressReceiver};
use futures_util::FutureExt;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// What supervisor and life know of each other.
#[derive(Debug, Default)]
pub(crate) struct Vitals {
    /// Set by the supervisor: end now.
    pub(super) end: CancellationToken,
    /// A sign of life is asked for.
    asked: Notify,
    /// It was given.
    given: Notify,
    #[cfg(feature = "inject-panics")]
    poisoned: AtomicBool,
}

/// How a life ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Death {
    Panic,
    Stop,
    /// The supervisor asked for it.
    Told,
}

impl Vitals {
    /// Asks the actor for a sign of life and waits for it.
    pub(super) async fn sign_of_life(&self) {
        self.asked.notify_one();
        self.given.notified().await;
    }

    /// Panics inside the actor's context as soon as that is polled.
    #[cfg(feature = "inject-panics")]
    pub(crate) fn poison(&self) {
        self.poisoned.store(true, Ordering::Release);
        self.asked.notify_one();
    }

    /// Answers for the actor. As a future of its context it is held up by whatever holds the actor.
    async fn answer(&self) {
        loop {
            self.asked.notified().await;
            #[cfg(feature = "inject-panics")]
            assert!(!self.poisoned.load(Ordering::Acquire), "injected panic");
            self.given.notify_one();
        }
    }
}

/// Builds the actor and runs it to its end.
pub(super) async fn live<A: Actor<Context = Context<A>>>(
    factory: &impl Fn() -> A,
    mailbox: AddressReceiver<A>,
    vitals: Arc<Vitals>,
) -> Death {
    let born = catch_unwind(AssertUnwindSafe(|| {
        let actor = factory();
        let mut context = Context::with_receiver(mailbox);
        let heart = Arc::clone(&vitals);
        context.spawn(async move { heart.answer().await }.into_actor(&actor));
        context.into_future(actor)
    }));
    let Ok(mut life) = born else {
        return Death::Panic;
    };
    tokio::select! {
        biased;
        () = vitals.end.cancelled() => Death::Told,
        end = AssertUnwindSafe(&mut life).catch_unwind() => match end {
            Ok(()) => Death::Stop,
            Err(_) => Death::Panic,
        },
    }
}
