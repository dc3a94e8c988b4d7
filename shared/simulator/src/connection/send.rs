//! Writes answers.
//!
//! In: an [`Answer`]. Out: bytes on the socket. Invariant: a small answer is one write; a large
//! one is made piece by piece and never held whole. A client that does not read holds up itself alone.

use std::io;

use tokio::io::AsyncWriteExt;

use super::{Next, Session, Socket};
use crate::content::Content;
use crate::http::answer::{Answer, Delimited};
use crate::http::head::Head;
use crate::shared::ConnectionState;

/// Written at once.
const PIECE: usize = 64 << 10;

impl<S: Socket> Session<S> {
    /// Sends the answer to a request.
    pub(super) async fn send(
        &mut self,
        id: u64,
        mut answer: Answer,
        head: &Head,
    ) -> io::Result<Next> {
        self.state(ConnectionState::Writing);
        answer.close |= !head.keep_alive;
        self.write_plain(id, &answer).await?;
        Ok(if answer.close {
            Next::Close
        } else {
            Next::Request
        })
    }

    /// Writes an answer as it should be, and notes that in the journal.
    pub(super) async fn write_plain(&mut self, id: u64, answer: &Answer) -> io::Result<()> {
        let head = answer.head(
            Delimited::Length,
            self.shared.config.clock.unix(),
            answer.close,
        );
        let length = answer.range.end - answer.range.start;
        let mut bytes = head.into_bytes();
        let mut from = answer.range.start;
        if !answer.bodiless() {
            if let Content::Held(_) = &answer.content {
                let first = answer.content.piece(&answer.range, PIECE);
                bytes.extend_from_slice(&first);
                from += first.len() as u64;
            }
        } else {
            from = answer.range.start + length;
        }
        self.socket.write_all(&bytes).await?;
        while from < answer.range.end {
            let piece = answer.content.piece(&(from..answer.range.end), PIECE);
            from += piece.len() as u64;
            self.socket.write_all(&piece).await?;
        }
        self.socket.flush().await?;
        if id > 0 {
            let now = self.shared.config.clock.now();
            self.shared.journal.answered(id, Some(answer.status), now);
        }
        Ok(())
    }
}
