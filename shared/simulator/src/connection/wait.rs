//! Waits for an answer that is not there yet, and watches the client meanwhile.
//!
//! In: what `methods.rs` could not answer at once. Out: the answer. Invariant: a client that leaves
//! is noted in the journal at once, and the wait goes on: Telegram's server does not free a poll
//! when its client goes. What the client sends meanwhile is kept, up to 64 KiB, for the next request.

use std::io;
use std::sync::Arc;

use bytes::BytesMut;
use tokio::io::AsyncReadExt;
use tokio::sync::oneshot::Receiver;

use super::Session;
use super::socket::Socket;
use crate::fail::Failure;
use crate::http::answer::Answer;
use crate::methods::{Done, Pending, reply};
use crate::route::Environment;
use crate::shared::ConnectionState;
use crate::world::{self, Answered};

/// What a client may send ahead.
const AHEAD: usize = 64 << 10;

impl<S: Socket> Session<S> {
    /// The answer of a call, once it is known.
    pub(super) async fn settle(&mut self, id: u64, environment: Environment, done: Done) -> Answer {
        let (mut answered, pending) = match done {
            Done::Now(result) => return reply(result),
            Done::Later(answered, pending) => (answered, pending),
        };
        let settled = match answered.try_recv() {
            Ok(settled) => Some(settled),
            Err(_) => self.park(id, environment, answered, pending).await,
        };
        let Some(settled) = settled else {
            // The bot was removed under it.
            return Answer::failure(&Failure::new(401, "Unauthorized"));
        };
        if !settled.pause.is_zero() {
            let clock = self.shared.config.clock.clone();
            let until = clock.now() + settled.pause;
            self.state(ConnectionState::Waiting);
            self.shared.changes.tell();
            self.watch(id, clock.sleep_until(until)).await;
        }
        reply(settled.reply)
    }

    /// Waits until someone else's act answers, or the time is over.
    async fn park(
        &mut self,
        id: u64,
        environment: Environment,
        mut answered: Receiver<Answered>,
        pending: Option<Pending>,
    ) -> Option<Answered> {
        self.state(ConnectionState::Waiting);
        let shared = Arc::clone(&self.shared);
        let clock = &shared.config.clock;
        shared.changes.tell();
        if let Some(pending) = pending {
            let in_time = async {
                tokio::select! {
                    settled = &mut answered => Some(settled.ok()),
                    () = clock.sleep_until(pending.until) => None,
                }
            };
            if let Some(settled) = self.watch(id, in_time).await {
                return settled;
            }
            let mut world = shared.world(environment);
            let bot = world.bots.get_mut(&pending.bot);
            world::answer(bot.and_then(|bot| bot.polling.expire(pending.number, clock.now())));
            world.due.touch(pending.bot);
        }
        self.watch(id, answered).await.ok()
    }

    /// Awaits `future`; the client's leaving is noted, and does not end it.
    pub(super) async fn watch<F: Future>(&mut self, id: u64, future: F) -> F::Output {
        if self.arrived.is_empty() {
            // Thousands may be parked: none holds a buffer.
            self.arrived = BytesMut::new();
        }
        tokio::pin!(future);
        loop {
            let listening = !self.left && self.arrived.len() < AHEAD;
            tokio::select! {
                biased;
                output = &mut future => return output,
                read = self.socket.read_buf(&mut self.arrived), if listening => self.heard(id, &read),
            }
        }
    }

    fn heard(&mut self, id: u64, read: &io::Result<usize>) {
        if !matches!(read, Ok(1..)) {
            self.left = true;
            self.shared.journal.left(id, self.shared.config.clock.now());
        }
    }
}
