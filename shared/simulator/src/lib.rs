//! The simulated Telegram: an offline Bot API for tests of bots, of Gramtap, and for benches.
//!
//! The way of a call through the files: `simulator.rs` starts the listeners of `listen.rs`; each
//! accepted socket becomes a task of `connection.rs`, which takes requests in through `http/*`,
//! notes them in `journal.rs`, finds their place with `route.rs`, and has them performed by
//! `methods.rs` on one of the two worlds of `shared.rs` (`world/*`: bots, people, chats, messages,
//! files, update queues), or gives out a file (`download.rs`). Where a webhook is set, `push.rs` takes
//! the updates to it. `control.rs` drives the people in the worlds and shows what arrived and what was
//! pushed, in Rust and under `/simulator/` ([`ROUTES`] lists the routes).
//! The rules are those of Telegram's own server. Invariant: rules are pure and apart from I/O; the
//! same calls after a reset give the same answers; a token shows in no log and no `Debug`. Overload:
//! everything kept is bounded (`config.rs`), the oldest goes first. Nothing outlives the process.
//!
//! The control API:
//! ```text
#![doc = include_str!("control/routes.txt")]
//! ```

mod changes;
mod clock;
mod config;
mod connection;
mod content;
mod control;
mod download;
mod fail;
mod fault;
mod http;
mod journal;
mod json;
mod listen;
mod methods;
mod push;
mod route;
mod shared;
mod shelf;
mod simulator;
mod text;
mod tls;
mod world;

pub use clock::Clock;
pub use config::{CaptureConfig, Mode, SimulatorConfig};
pub use control::http::ROUTES;
pub use control::{
    Act, Acted, AddedFile, BotSpec, Control, ControlError, DeliveryFilter, FileSpec, Filter,
    KnownBot, OpenConnection, ParkedPoll, WaitingQueue, WebhookState,
};
pub use fault::{ArmedFault, Closing, Cut, Early, Fault, Part, Slow};
pub use http::answer::Delimited;
pub use journal::{Captured, CapturedFile};
pub use push::deliveries::{Delivery, Performed};
pub use route::Environment;
pub use shared::{ConnectionRules, ConnectionState};
pub use simulator::{Simulator, StartError};
pub use tls::TlsError;
pub use world::people::{Chat, ChatKind, Standing, User};
pub use world::webhook::WebhookRules;
