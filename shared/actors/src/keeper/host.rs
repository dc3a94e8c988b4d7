//! Where an actor's lives take place: on the keeper's thread, or on a thread for each life. Input:
//! the supervisor. Output: `keeper/life.rs`, and its death by a oneshot. Invariant: starting never
//! waits; a life that cannot be started is told as an error. A thread that does not come back is
//! left behind and ends by itself when its actor yields.

use std::{io, rc::Rc, sync::Arc};

use actix::{Actor, Context, dev::channel::AddressReceiver};
use tokio::{runtime::Builder, sync::oneshot, task::LocalSet};

use super::life::{Death, Vitals, live};
use crate::{spawn::spawn_local, thread::spawn_thread};

/// A place for lives.
pub(super) trait Host<A: Actor> {
    fn start(
        &self,
        name: &'static str,
        mailbox: AddressReceiver<A>,
        vitals: Arc<Vitals>,
    ) -> io::Result<oneshot::Receiver<Death>>;
}

/// Lives on the thread of the keeper.
pub(super) struct OnThisThread<F>(pub(super) Rc<F>);

/// Each life on a thread of its own.
pub(super) struct OnThreads<F>(pub(super) Arc<F>);

impl<A, F> Host<A> for OnThisThread<F>
where
    A: Actor<Context = Context<A>>,
    F: Fn() -> A + 'static,
{
    fn start(
        &self,
        name: &'static str,
        mailbox: AddressReceiver<A>,
        vitals: Arc<Vitals>,
    ) -> io::Result<oneshot::Receiver<Death>> {
        let (dead, death) = oneshot::channel();
        let factory = Rc::clone(&self.0);
        drop(spawn_local(name, async move {
            // The supervisor may have left first.
            dead.send(live(&*factory, mailbox, vitals).await).ok();
        }));
        Ok(death)
    }
}

impl<A, F> Host<A> for OnThreads<F>
where
    A: Actor<Context = Context<A>>,
    F: Fn() -> A + Send + Sync + 'static,
{
    fn start(
        &self,
        name: &'static str,
        mailbox: AddressReceiver<A>,
        vitals: Arc<Vitals>,
    ) -> io::Result<oneshot::Receiver<Death>> {
        let (dead, death) = oneshot::channel();
        let factory = Arc::clone(&self.0);
        let runtime = Builder::new_current_thread().enable_all().build()?;
        drop(spawn_thread(name, move || {
            let local = LocalSet::new();
            let death = runtime.block_on(local.run_until(live(&*factory, mailbox, vitals)));
            // The supervisor may have left first.
            dead.send(death).ok();
        })?);
        Ok(death)
    }
}
