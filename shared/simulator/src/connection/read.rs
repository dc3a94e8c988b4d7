//! Takes requests off the socket.
//!
//! In: the socket. Out: heads (`http/head.rs`), bodies taken in by `http/intake.rs`, every byte of
//! both also to the journal. Invariant: reads no further than needed; what came behind a request
//! stays for the next one. Bounded: at most 256 KiB of head and 64 KiB of body are held.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::Session;
use super::receive::Rejected;
use super::socket::Socket;
use crate::http::Refusal;
use crate::http::framing::{Body, Step};
use crate::http::head::{Framing, Head};
use crate::http::intake::{Intake, Taken};
use crate::shared::ConnectionState;

/// Read at once.
const PIECE: usize = 64 << 10;
/// A closing connection is read for this long at most, and given up after this much silence.
const LINGER: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(5));

/// What comes in place of a head.
pub(super) enum Incoming {
    Head(Head),
    /// These bytes, and nothing after them: the client left, or was silent for too long.
    Gone(Bytes),
    /// These bytes, which are no head.
    Broken(Bytes, Refusal),
}

impl<S: Socket> Session<S> {
    /// The next head.
    pub(super) async fn head(&mut self) -> io::Result<Incoming> {
        loop {
            match Head::cut(&mut self.arrived) {
                Err(refusal) => {
                    return Ok(Incoming::Broken(self.arrived.split().freeze(), refusal));
                }
                Ok(Some(raw)) => {
                    self.state(ConnectionState::Reading);
                    return Ok(match Head::read(raw.clone()) {
                        Ok(head) => Incoming::Head(head),
                        Err(refusal) => Incoming::Broken(raw, refusal),
                    });
                }
                Ok(None) => {}
            }
            if !self.arrived.is_empty() {
                self.state(ConnectionState::Reading);
            }
            self.arrived.reserve(4 << 10);
            let idle = self
                .shared
                .connection_rules()
                .idle_close_ms
                .map(Duration::from_millis);
            let most = idle.unwrap_or(self.shared.config.idle_timeout);
            let reading = self.socket.read_buf(&mut self.arrived);
            let read = timeout(most, reading).await;
            if !matches!(read, Ok(Ok(1..))) {
                self.left |= read.is_ok();
                return Ok(Incoming::Gone(self.arrived.split().freeze()));
            }
        }
    }

    /// The whole body, taken in; `id` is its request in the journal.
    pub(super) async fn body(
        &mut self,
        head: &Head,
        mut intake: Intake,
        id: Option<u64>,
        limit: u64,
    ) -> io::Result<Result<Taken, Rejected>> {
        if matches!(head.framing, Framing::Length(length) if length > limit) {
            return Ok(Err(Rejected::TooLarge));
        }
        let mut body = Body::new(head.framing, id.is_some());
        let taken = loop {
            let step = body.step(&mut self.arrived);
            for wire in body.wire() {
                self.shared.journal.body(id.unwrap_or_default(), &wire);
            }
            match step {
                Err(refusal) => break Err(refusal),
                Ok(Step::Done) => break intake.finish(),
                Ok(Step::Content(content)) => {
                    if let Err(refusal) = intake.push(&content) {
                        break Err(refusal);
                    }
                    if intake.size() > limit {
                        return Ok(Err(Rejected::TooLarge));
                    }
                }
                Ok(Step::Hungry) => {
                    self.arrived.reserve(PIECE);
                    let reading = self.socket.read_buf(&mut self.arrived);
                    let Ok(read) = timeout(self.shared.config.idle_timeout, reading).await else {
                        return Ok(Err(Rejected::Left));
                    };
                    if !matches!(read, Ok(1..)) {
                        self.left = true;
                        return Ok(Err(Rejected::Left));
                    }
                }
            }
        };
        Ok(taken.map_err(Rejected::Refused))
    }

    /// Tells the client to send its body.
    pub(super) async fn go_on(&mut self) -> io::Result<()> {
        if self.arrived.is_empty() {
            self.socket
                .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
                .await?;
        }
        Ok(())
    }

    /// Ends the answer's side and reads what the client still sends, so that a reset does not
    /// overtake the answer.
    pub(super) async fn linger(&mut self) -> io::Result<()> {
        self.socket.shutdown().await?;
        let mut dropped = BytesMut::with_capacity(PIECE);
        let draining = async {
            loop {
                dropped.clear();
                match timeout(LINGER.1, self.socket.read_buf(&mut dropped)).await {
                    Ok(Ok(1..)) => {}
                    _ => return,
                }
            }
        };
        // Whether the client closed or the time is over: the connection ends now.
        timeout(LINGER.0, draining).await.ok();
        Ok(())
    }
}
