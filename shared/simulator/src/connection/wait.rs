//! Waits for an answer that is not there yet, and watches the client meanwhile.
//!
//! In: what `methods.rs` could not answer at once. Out: the answer. Invariant: a client that leaves
//! is noted in the journal at once, and the wait goes on: Telegram's server does not free a poll
//! when its client goes. What the client sends meanwhile is kept, up to 64 KiB, for the next request.

use std::io;

use bytes::BytesMut;
use tokio::io::AsyncReadExt;

use super::Session;
use super::socket::Socket;
use crate::fail::Failure;
use crate::http::answer::Answer;
use crate::methods::{Done, reply};
use crate::route::Environment;
use crate::shared::ConnectionState;
use crate::world;

/// What a client may send ahead.
const AHEAD: usize = 64 << 10;

impl<S: Socket> Session<S> {
    /// The answer of a call, once it is known.
    pub(super) async fn settle(&mut self, id: u64, environment: Environment, done: Done) -> Answer {
        let (mut answered, mut wait) = match done {
            Done::Now(result) => return reply(result),
            Done::Later(answered, wait) => (answered, wait),
        };
        let settled = match answered.try_recv() {
            Ok(settled) => Some(settled),
            Err(_) => {
                self.state(ConnectionState::Waiting);
                let shared = std::sync::Arc::clone(&self.shared);
                shared.changes.tell();
                let clock = &shared.config.clock;
                loop {
                    let until = wait.map(|wait| wait.until).unwrap_or_default();
                    let next = async {
                        tokio::select! {
                            settled = &mut answered => Some(settled.ok()),
                            () = clock.sleep_until(until), if wait.is_some() => None,
                        }
                    };
                    match self.watch(id, next).await {
                        Some(settled) => break settled,
                        None => {
                            if let Some((bot, over)) =
                                wait.take().map(|wait| (wait.bot, wait.number))
                            {
                                let mut world = shared.world(environment);
                                let ended = world
                                    .bots
                                    .get_mut(&bot)
                                    .and_then(|bot| bot.polling.expire(over, clock.now()));
                                world::answer(ended);
                            }
                        }
                    }
                }
            }
        };
        let Some(settled) = settled else {
            // The bot was removed under the poll.
            return Answer::failure(&Failure::new(401, "Unauthorized"));
        };
        if !settled.pause.is_zero() {
            let shared = std::sync::Arc::clone(&self.shared);
            self.state(ConnectionState::Waiting);
            self.watch(id, shared.config.clock.sleep(settled.pause))
                .await;
        }
        reply(settled.reply)
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
