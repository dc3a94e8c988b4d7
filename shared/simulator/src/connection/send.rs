//! Writes answers, right or wrong.
//!
//! In: an [`Answer`], and the fault to be played with it. Out: bytes on the socket, a line in the
//! journal. Invariant: a small answer is one write; a large one is made piece by piece and never held
//! whole. A client that does not read holds up itself alone.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncWriteExt;

use super::socket::Socket;
use super::{Next, Session};
use crate::content::Content;
use crate::fault::{Closing, Early, Fault, Part, Slow};
use crate::http::answer::{Answer, Delimited, phrase};
use crate::shared::ConnectionState;

/// Written at once.
const PIECE: usize = 64 << 10;
/// Bytes per chunk, if a fault does not say otherwise.
const CHUNK: usize = 4 << 10;

impl<S: Socket> Session<S> {
    /// Sends the answer to a request.
    pub(super) async fn send(&mut self, id: u64, answer: &Answer) -> io::Result<Next> {
        self.state(ConnectionState::Writing);
        let head = answer.head(
            Delimited::Length,
            self.shared.config.clock.unix(),
            answer.close,
        );
        let mut bytes = head.into_bytes();
        let mut rest = answer.range.clone();
        if answer.bodiless() {
            rest.start = rest.end;
        }
        // A body that is held goes out with the head.
        if let Content::Held(_) = &answer.content {
            let first = answer.content.piece(&rest, PIECE);
            bytes.extend_from_slice(&first);
            rest.start += first.len() as u64;
        }
        self.socket.write_all(&bytes).await?;
        while rest.start < rest.end {
            let piece = answer.content.piece(&rest, PIECE);
            rest.start += piece.len() as u64;
            self.socket.write_all(&piece).await?;
        }
        self.socket.flush().await?;
        self.note(id, Some(answer.status));
        Ok(if answer.close {
            Next::Close
        } else {
            Next::Request
        })
    }

    /// Sends an answer as a fault wants it.
    pub(super) async fn send_wrong(
        &mut self,
        id: u64,
        mut answer: Answer,
        fault: &Fault,
    ) -> io::Result<Next> {
        fault.edit(&mut answer);
        if fault.delay_ms > 0 {
            self.state(ConnectionState::Waiting);
            let clock = self.shared.config.clock.clone();
            let until = clock.now() + Duration::from_millis(fault.delay_ms);
            self.shared.changes.tell();
            self.watch(id, clock.sleep_until(until)).await;
        }
        self.state(ConnectionState::Writing);
        let delimited = fault.delimited.unwrap_or_default();
        let ends = delimited == Delimited::Close || answer.close;
        let announced = ends || fault.close == Some(Closing::Announced) || fault.early.is_some();
        let mut head = String::new();
        for status in &fault.interim {
            head.push_str(&format!("HTTP/1.1 {status} {}\r\n\r\n", phrase(*status)));
        }
        head.push_str(&answer.head(delimited, self.shared.config.clock.unix(), announced));

        let mut written = Written {
            slow: fault.slow,
            ..Written::default()
        };
        written.start(fault, Part::Head);
        let head_out = self.put(id, head.as_bytes(), &mut written).await?;
        written.start(fault, Part::Body);
        if head_out {
            self.body_out(id, &answer, delimited, fault, &mut written)
                .await?;
        }
        self.socket.flush().await?;
        if let Some(cut) = fault.cut {
            self.note(id, head_out.then_some(answer.status));
            if cut.reset {
                self.socket.reset_on_close()?;
            }
            return Ok(Next::Cut);
        }
        self.note(id, Some(answer.status));
        Ok(match (fault.early, fault.close) {
            (Some(Early::Drain), _) => Next::Linger,
            (Some(Early::Close), _) | (_, Some(_)) => Next::Close,
            _ if ends => Next::Close,
            _ => Next::Request,
        })
    }

    async fn body_out(
        &mut self,
        id: u64,
        answer: &Answer,
        delimited: Delimited,
        fault: &Fault,
        written: &mut Written,
    ) -> io::Result<()> {
        if answer.bodiless() {
            return Ok(());
        }
        let chunked = matches!(delimited, Delimited::Chunked | Delimited::LengthAndChunked);
        let most = if chunked {
            fault.chunk.unwrap_or(CHUNK).max(1)
        } else {
            PIECE
        };
        let mut rest = answer.range.clone();
        while rest.start < rest.end {
            let piece = answer.content.piece(&rest, most);
            rest.start += piece.len() as u64;
            let piece = if chunked { chunk(&piece) } else { piece };
            if !self.put(id, &piece, written).await? {
                return Ok(());
            }
        }
        if chunked {
            self.put(id, b"0\r\n\r\n", written).await?;
        }
        Ok(())
    }

    /// Writes bytes of the current part, slowly if need be; `false` when the cut has come.
    async fn put(&mut self, id: u64, bytes: &[u8], written: &mut Written) -> io::Result<bool> {
        let room = written.left.map_or(bytes.len(), |left| {
            usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len())
        });
        let now = &bytes[..room];
        match written.slow.filter(|slow| slow.part == written.part) {
            None => self.socket.write_all(now).await?,
            Some(slow) => {
                let shared = std::sync::Arc::clone(&self.shared);
                for piece in now.chunks(slow.bytes.max(1)) {
                    if std::mem::replace(&mut written.begun, true) {
                        let pause = Duration::from_millis(slow.every_ms);
                        self.watch(id, shared.config.clock.sleep(pause)).await;
                    }
                    self.socket.write_all(piece).await?;
                    self.socket.flush().await?;
                }
            }
        }
        if let Some(left) = &mut written.left {
            *left -= room as u64;
            // At the very cut nothing more is written, not even if the part ends there.
            return Ok(*left > 0);
        }
        Ok(true)
    }

    fn note(&self, id: u64, status: Option<u16>) {
        if id > 0 {
            self.shared
                .journal
                .answered(id, status, self.shared.config.clock.now());
        }
    }
}

/// How far an answer with a fault has come.
struct Written {
    part: Part,
    slow: Option<Slow>,
    /// Something of the part was written.
    begun: bool,
    /// Bytes of the part until the cut.
    left: Option<u64>,
}

impl Default for Written {
    fn default() -> Self {
        Self {
            part: Part::Head,
            slow: None,
            begun: false,
            left: None,
        }
    }
}

impl Written {
    fn start(&mut self, fault: &Fault, part: Part) {
        self.part = part;
        self.begun = false;
        self.left = fault
            .cut
            .filter(|cut| cut.part == part)
            .map(|cut| cut.after);
    }
}

fn chunk(piece: &[u8]) -> Bytes {
    let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
    chunk.extend_from_slice(piece);
    chunk.extend_from_slice(b"\r\n");
    chunk.into()
}
