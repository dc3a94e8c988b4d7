//! The byte stream under a connection, in clear or over TLS.
//!
//! In: a connected socket from `dial`; bytes to write from `outbox`. Out: bytes read, lent to
//! `exchange` from a buffer that the worker's connections share.
//! Invariant: `accepted` counts each byte that the kernel has taken for this socket, and
//! nothing else, so that «not one byte was sent» can be told for certain. No buffer is held
//! while there is nothing to read. Dropping it closes the socket.

use std::{
    cell::RefCell,
    io::{self, IoSlice},
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use crate::{tls::Session, upstream::Tls};

/// Bytes read at once.
const READ: usize = 64 * 1024;

thread_local! {
    /// Borrowed only within one `poll_read`.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A connected stream.
pub(crate) enum Wire {
    Plain(Socket),
    Tls(Box<Session>),
}

/// A socket that counts what the kernel took.
pub(crate) struct Socket {
    tcp: TcpStream,
    accepted: u64,
}

impl Wire {
    /// Shakes hands, if this upstream speaks TLS.
    pub(crate) async fn open(tcp: TcpStream, tls: Option<&Tls>) -> io::Result<Self> {
        let socket = Socket { tcp, accepted: 0 };
        match tls {
            None => Ok(Self::Plain(socket)),
            Some(tls) => Ok(Self::Tls(Box::new(Session::open(socket, tls).await?))),
        }
    }

    /// Reads once, and lends what was read to `take`. No bytes is the end: for TLS only after
    /// the peer has said so; a TLS stream that merely stops is an error.
    pub(crate) fn poll_read<T>(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(&[u8]) -> T,
    ) -> Poll<io::Result<T>> {
        match self {
            Self::Plain(socket) => BUFFER.with_borrow_mut(|buffer| {
                buffer.resize(READ, 0);
                let read = ready!(socket.poll_read(cx, buffer))?;
                Poll::Ready(Ok(take(&buffer[..read])))
            }),
            Self::Tls(session) => session.poll_read(cx, take),
        }
    }

    /// Writes some of the parts.
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(socket) => socket.poll_write(cx, parts),
            Self::Tls(session) => session.poll_write(cx, parts),
        }
    }

    /// Ready once the kernel has all that was written.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(_) => Poll::Ready(Ok(())),
            Self::Tls(session) => session.poll_flush(cx),
        }
    }

    /// Whether the kernel holds data, or an end, that the event loop has not told of yet.
    pub(crate) fn has_news(&self) -> bool {
        let nothing = |error: &io::Error| error.kind() == io::ErrorKind::WouldBlock;
        !self.socket().peek().as_ref().is_err_and(nothing)
    }

    /// Bytes that the kernel has taken since the connection was made, the handshake included.
    pub(crate) fn accepted(&self) -> u64 {
        self.socket().accepted
    }

    fn socket(&self) -> &Socket {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(session) => session.socket(),
        }
    }
}

impl Socket {
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut space = ReadBuf::new(into);
        ready!(Pin::new(&mut self.tcp).poll_read(cx, &mut space))?;
        Poll::Ready(Ok(space.filled().len()))
    }

    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let tcp = Pin::new(&mut self.tcp);
        let taken = ready!(match parts {
            [only] => tcp.poll_write(cx, only),
            parts => tcp.poll_write_vectored(cx, parts),
        })?;
        self.accepted += taken as u64;
        Poll::Ready(Ok(taken))
    }

    /// How much waits to be read, one byte at most, asking the kernel.
    fn peek(&self) -> io::Result<usize> {
        SockRef::from(&self.tcp).peek(&mut [MaybeUninit::uninit()])
    }
}
