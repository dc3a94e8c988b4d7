//! A TLS session over a socket, on rustls without buffers of its own.
//!
//! In: a connected socket and the configuration of `tls`; plaintext from `outbox`. Out:
//! plaintext for `exchange`, lent from a buffer that the worker's sessions share.
//! Invariant: while nothing is to be read or written a session holds neither plaintext nor
//! ciphertext: only what is left of half a record is kept, and what the kernel would not take.
//! The end of the stream is the peer's close_notify; a socket that merely ends is an error.
//!
//! rustls's buffered connection keeps 4 KiB for each session and reads as much at once; this
//! halves a parked session and reads 64 KiB.

use std::{
    cell::RefCell,
    io::{self, IoSlice},
    task::{Context, Poll, ready},
};

use rustls::{
    client::UnbufferedClientConnection,
    unbuffered::{ConnectionState, EncodeError, EncodeTlsData, UnbufferedStatus},
};

use crate::{upstream::Tls, wire::Socket};

/// Ciphertext read at once.
const READ: usize = 64 * 1024;
/// Plaintext encrypted at once: two full records.
const WRITE: usize = 32 * 1024;
/// What encryption may add to that.
const OVERHEAD: usize = 1024;

/// Borrowed only within one call of a session.
#[derive(Default)]
struct Buffers {
    cipher: Vec<u8>,
    plain: Vec<u8>,
}

thread_local! {
    static BUFFERS: RefCell<Buffers> = RefCell::default();
}

pub(crate) struct Session {
    socket: Socket,
    rustls: UnbufferedClientConnection,
    /// The beginning of a record, or of a handshake message, whose rest has not come.
    partial: Vec<u8>,
    /// Ciphertext that the kernel has not taken, from `gone` on.
    unsent: Vec<u8>,
    gone: usize,
    /// Plaintext that came with the end of the handshake.
    early: Vec<u8>,
    /// Told when the plaintext before it is handed out.
    failure: Option<rustls::Error>,
    /// The peer has said goodbye.
    closed: bool,
}

impl Session {
    /// Shakes hands. Nothing is left to be sent then.
    pub(crate) async fn open(socket: Socket, tls: &Tls) -> io::Result<Self> {
        let rustls = UnbufferedClientConnection::new(tls.config.clone(), tls.name.clone())
            .map_err(invalid)?;
        let mut session = Self {
            socket,
            rustls,
            partial: Vec::new(),
            unsent: Vec::new(),
            gone: 0,
            early: Vec::new(),
            failure: None,
            closed: false,
        };
        session.process(&mut [], &mut Vec::new()).map_err(invalid)?;
        std::future::poll_fn(|cx| session.poll_handshake(cx)).await?;
        Ok(session)
    }

    pub(crate) fn socket(&self) -> &Socket {
        &self.socket
    }

    fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.poll_flush(cx))?;
            if !self.rustls.is_handshaking() {
                return Poll::Ready(Ok(()));
            }
            ready!(BUFFERS.with_borrow_mut(|Buffers { cipher, plain }| {
                let outcome = self.receive(cx, cipher, plain);
                self.early.extend_from_slice(plain);
                outcome
            }))?;
        }
    }

    /// Reads once, and lends what was decrypted to `take`; nothing is the end.
    pub(crate) fn poll_read<T>(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(&[u8]) -> T,
    ) -> Poll<io::Result<T>> {
        if !self.early.is_empty() {
            return Poll::Ready(Ok(take(&std::mem::take(&mut self.early))));
        }
        BUFFERS.with_borrow_mut(|Buffers { cipher, plain }| {
            plain.clear();
            // What is not data (tickets, a change of keys) is not told.
            while plain.is_empty() && !self.closed {
                ready!(self.receive(cx, cipher, plain))?;
            }
            Poll::Ready(Ok(take(plain)))
        })
    }

    /// Encrypts some of the parts. What the kernel does not take of it is kept; no more is
    /// encrypted before that is gone.
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_flush(cx))?;
        BUFFERS.with_borrow_mut(|Buffers { cipher, plain }| {
            let mut filled = parts.iter().filter(|part| !part.is_empty());
            let text = match (filled.next(), filled.next()) {
                (Some(only), None) => &only[..only.len().min(WRITE)],
                _ => {
                    plain.clear();
                    for part in parts {
                        let room = WRITE - plain.len();
                        plain.extend_from_slice(&part[..part.len().min(room)]);
                    }
                    &plain[..]
                }
            };
            cipher.resize(cipher.len().max(WRITE + OVERHEAD), 0);
            let length = self.encrypt(text, cipher)?;
            self.put(cx, &cipher[..length])?;
            Poll::Ready(Ok(text.len()))
        })
    }

    /// Ready once the kernel has all that was written.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.gone < self.unsent.len() {
            let rest = &[IoSlice::new(&self.unsent[self.gone..])];
            match ready!(self.socket.poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                taken => self.gone += taken,
            }
        }
        if self.gone > 0 {
            self.unsent = Vec::new();
            self.gone = 0;
        }
        Poll::Ready(Ok(()))
    }

    /// Reads from the socket once and decrypts.
    fn receive(
        &mut self,
        cx: &mut Context<'_>,
        cipher: &mut Vec<u8>,
        plain: &mut Vec<u8>,
    ) -> Poll<io::Result<()>> {
        plain.clear();
        if let Some(failure) = self.failure.take() {
            return Poll::Ready(Err(invalid(failure)));
        }
        let kept = self.partial.len();
        cipher.resize(cipher.len().max(kept + READ), 0);
        let read = ready!(self.socket.poll_read(cx, &mut cipher[kept..]))?;
        if read == 0 {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        cipher[..kept].copy_from_slice(&self.partial);
        let incoming = &mut cipher[..kept + read];
        let outcome = self.process(incoming, plain);
        if let Poll::Ready(Err(error)) = self.poll_flush(cx)
            && outcome.is_ok()
            && plain.is_empty()
        {
            return Poll::Ready(Err(error));
        }
        match outcome {
            Ok(used) => self.partial = incoming[used..].to_vec(),
            Err(failure) if plain.is_empty() => return Poll::Ready(Err(invalid(failure))),
            Err(failure) => self.failure = Some(failure),
        }
        Poll::Ready(Ok(()))
    }

    /// Goes through what has come; how much of it is used up. What is to be said in return is
    /// put to what is unsent.
    fn process(
        &mut self,
        incoming: &mut [u8],
        plain: &mut Vec<u8>,
    ) -> Result<usize, rustls::Error> {
        let mut used = 0;
        loop {
            let UnbufferedStatus {
                mut discard, state, ..
            } = self.rustls.process_tls_records(&mut incoming[used..]);
            match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record?;
                        plain.extend_from_slice(record.payload);
                        discard += record.discard;
                    }
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => encode(&mut data, &mut self.unsent),
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(ConnectionState::PeerClosed) => self.closed = true,
                Ok(_) => return Ok(used + discard),
                Err(failure) => {
                    used += discard;
                    // The alert that tells the peer why.
                    let status = self.rustls.process_tls_records(&mut incoming[used..]);
                    if let Ok(ConnectionState::EncodeTlsData(mut data)) = status.state {
                        encode(&mut data, &mut self.unsent);
                    }
                    return Err(failure);
                }
            }
            used += discard;
        }
    }

    /// Encrypts all of the text; how many bytes that makes.
    fn encrypt(&mut self, text: &[u8], cipher: &mut [u8]) -> io::Result<usize> {
        loop {
            // Nothing has come since it was last gone through, so nothing is used up.
            let status = self.rustls.process_tls_records(&mut self.partial);
            match status.state.map_err(invalid)? {
                ConnectionState::WriteTraffic(mut traffic) => {
                    return traffic.encrypt(text, cipher).map_err(io::Error::other);
                }
                ConnectionState::EncodeTlsData(mut data) => encode(&mut data, &mut self.unsent),
                ConnectionState::TransmitTlsData(data) => data.done(),
                ConnectionState::PeerClosed => self.closed = true,
                _ => return Err(io::ErrorKind::BrokenPipe.into()),
            }
        }
    }

    /// Gives the kernel what it takes, and keeps the rest.
    fn put(&mut self, cx: &mut Context<'_>, cipher: &[u8]) -> io::Result<()> {
        let mut taken = 0;
        if self.unsent.is_empty() {
            match self.socket.poll_write(cx, &[IoSlice::new(cipher)]) {
                Poll::Ready(outcome) => taken = outcome?,
                Poll::Pending => {}
            }
        }
        self.unsent.extend_from_slice(&cipher[taken..]);
        Ok(())
    }
}

/// Puts a record of the session's own to what is unsent.
fn encode<D>(data: &mut EncodeTlsData<'_, D>, unsent: &mut Vec<u8>) {
    let before = unsent.len();
    let mut length = 0;
    // Asks for the size, then encodes.
    while let Err(EncodeError::InsufficientSize(lacking)) = data.encode(&mut unsent[before..]) {
        length = lacking.required_size;
        unsent.resize(before + length, 0);
    }
    unsent.truncate(before + length);
}

fn invalid(failure: rustls::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, failure)
}
