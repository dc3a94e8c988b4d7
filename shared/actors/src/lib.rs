//! What actix actors need to be relied on: supervision that survives panics, mailboxes with true
//! bounds, counted tasks, and an orderly end.
//!
//! The way of a message: a caller holds a lane of [`mailbox`](Lossy) ([`Lossy`]: may be dropped and
//! is counted; [`Durable`]: awaited with a deadline) → the lane admits it under its own bound and
//! hands it, wrapped as [`Queued`], to the actor that `keeper.rs` keeps alive → the handler takes
//! it out. When the actor panics, stops or stalls, `keeper/supervisor.rs` learns it, decides by
//! `restart.rs` when to build a fresh one, and connects all lanes to it. `spawn.rs` and `thread.rs`
//! count what runs beside actors, `drain.rs` ends it all in order, `signals.rs` says when.
//! `observe.rs` is how the application hears of it.
//!
//! Invariant: nothing ends unnoticed. A panic costs the actor's state and what waited in its
//! mailbox, each message counted; never the process, the thread, or a neighbour. This crate needs
//! `panic = "unwind"`.
//!
//! An actor's file declares its messages, its bounds, and handlers that only unwrap:
//!
//! ```
//! use actix::{Actor, Context, Handler, Message};
//! use gramtap_actors::{Policy, Queued, keep};
//!
//! struct Enqueue(u64);
//!
//! impl Message for Enqueue {
//!     type Result = ();
//! }
//!
//! #[derive(Default)]
//! struct Batcher {
//!     waiting: Vec<u64>,
//! }
//!
//! impl Actor for Batcher {
//!     type Context = Context<Self>;
//! }
//!
//! impl Handler<Queued<Enqueue>> for Batcher {
//!     type Result = ();
//!
//!     fn handle(&mut self, queued: Queued<Enqueue>, _: &mut Self::Context) {
//!         self.enqueue(queued.take());
//!     }
//! }
//!
//! impl Batcher {
//!     fn enqueue(&mut self, Enqueue(record): Enqueue) {
//!         self.waiting.push(record);
//!     }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(
//! #     tokio::task::LocalSet::new().run_until(async {
//! let batcher = keep("batcher", Policy::default(), Batcher::default);
//! let lane = batcher.lossy(1024);
//! assert_eq!(lane.offer(Enqueue(1)), Ok(()));
//! batcher.stop().await;
//! #     }),
//! # );
//! ```

mod drain;
mod keeper;
mod mailbox;
mod observe;
#[cfg(feature = "inject-panics")]
mod poison;
mod restart;
mod signals;
mod spawn;
mod thread;

pub use drain::{Drain, DrainToken, Drained, Group, InFlight, Stage, StillBusy};
pub use keeper::{Kept, keep, keep_on_thread};
pub use mailbox::{Durable, Lossy, Mailbox, Queued, Refused, Undelivered, mailboxes};
pub use observe::{Cause, DropReason, Observer, TaskEnd, set_observer};
#[cfg(feature = "inject-panics")]
pub use poison::{living, poison};
pub use restart::Policy;
pub use signals::{Signal, Signals, signals};
pub use spawn::{Task, TaskError, spawn, spawn_local};
pub use thread::{Thread, spawn_thread};
