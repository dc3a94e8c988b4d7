//! The actor that the tests mistreat: it counts, and does on demand what actors must not do. Input:
//! messages of the tests. Output: its count, which tells one life from the next, and a shared log.

use std::{
    future::pending,
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use actix::{
    Actor, ActorContext, AsyncContext, Context, Handler, Message, MessageResult, WrapFuture,
};
use gramtap_actors::{Kept, Policy, Queued, keep};

/// Adds one and answers how many this life has added.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Add;

impl Message for Add {
    type Result = u32;
}

/// Something that goes wrong.
pub(crate) enum Mishap {
    /// The handler panics.
    Panic,
    /// A future of the context panics.
    PanicLater,
    /// The actor stops itself.
    Stop,
    /// Holds the actor for so long without blocking its thread.
    Hold(Duration),
    /// Holds it for ever.
    Stuck,
    /// Blocks the thread until the sender is dropped.
    Block(mpsc::Receiver<()>),
}

impl Message for Mishap {
    type Result = ();
}

/// What the lives of one actor did.
pub(crate) type Log = Arc<Mutex<Vec<&'static str>>>;

#[derive(Default)]
pub(crate) struct Subject {
    pub(crate) added: u32,
    pub(crate) log: Log,
    pub(crate) panics_when_started: bool,
    pub(crate) panics_when_stopped: bool,
}

impl Actor for Subject {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Self::Context) {
        self.log.lock().unwrap().push("started");
        assert!(!self.panics_when_started, "panics when started");
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        self.log.lock().unwrap().push("stopped");
        assert!(!self.panics_when_stopped, "panics when stopped");
    }
}

impl Handler<Queued<Add>> for Subject {
    type Result = MessageResult<Queued<Add>>;

    fn handle(&mut self, queued: Queued<Add>, _: &mut Self::Context) -> Self::Result {
        let Add = queued.take();
        self.added += 1;
        MessageResult(self.added)
    }
}

impl Handler<Queued<Mishap>> for Subject {
    type Result = ();

    fn handle(&mut self, queued: Queued<Mishap>, context: &mut Self::Context) {
        match queued.take() {
            Mishap::Panic => panic!("handler panics"),
            Mishap::PanicLater => {
                context.spawn(async { panic!("future panics") }.into_actor(self));
            }
            Mishap::Stop => context.stop(),
            // paced: the handler holds its actor for this long, in virtual time.
            Mishap::Hold(time) => context.wait(tokio::time::sleep(time).into_actor(self)),
            Mishap::Stuck => context.wait(pending().into_actor(self)),
            Mishap::Block(until) => drop(until.recv()),
        }
    }
}

/// A well-behaved subject under the default policy.
pub(crate) fn subject(name: &'static str) -> Kept<Subject> {
    keep(name, Policy::default(), Subject::default)
}
