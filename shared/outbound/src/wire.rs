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
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::upstream::Tls;

/// Bytes read at once at most.
pub(crate) const SCRATCH: usize = 64 * 1024;

thread_local! {
    /// Borrowed only within one `poll_read`.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A connected stream.
pub(crate) enum Wire {
    Plain(Counted),
    Tls(Box<TlsStream<Counted>>),
}

/// A socket that counts what the kernel took.
pub(crate) struct Counted {
    tcp: TcpStream,
    accepted: u64,
}

impl Wire {
    /// Shakes hands, if this upstream speaks TLS.
    pub(crate) async fn open(tcp: TcpStream, tls: Option<&Tls>) -> io::Result<Self> {
        let counted = Counted { tcp, accepted: 0 };
        let Some(tls) = tls else {
            return Ok(Self::Plain(counted));
        };
        let connector = TlsConnector::from(tls.config.clone());
        let stream = connector.connect(tls.name.clone(), counted).await?;
        Ok(Self::Tls(Box::new(stream)))
    }

    /// Reads once, and lends what was read to `take`. No bytes is the end: for TLS only after
    /// the peer has said so; a TLS stream that merely stops is an error.
    pub(crate) fn poll_read<T>(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(&[u8]) -> T,
    ) -> Poll<io::Result<T>> {
        BUFFER.with_borrow_mut(|buffer| {
            buffer.resize(SCRATCH, 0);
            let mut space = ReadBuf::new(buffer);
            ready!(match self {
                Self::Plain(counted) => Pin::new(&mut counted.tcp).poll_read(cx, &mut space),
                Self::Tls(stream) => Pin::new(stream).poll_read(cx, &mut space),
            })?;
            Poll::Ready(Ok(take(space.filled())))
        })
    }

    /// Writes some of the parts.
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(counted) => Pin::new(counted).poll_write_vectored(cx, parts),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, parts),
        }
    }

    /// Ready once the kernel has all that was written.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(_) => Poll::Ready(Ok(())),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    /// Whether the kernel knows that the peer has closed, or holds unread data of a plain one.
    pub(crate) fn is_closed(&self) -> bool {
        let (tcp, plain) = match self {
            Self::Plain(counted) => (&counted.tcp, true),
            // What waits there may be TLS's own, such as a session ticket.
            Self::Tls(stream) => (&stream.get_ref().0.tcp, false),
        };
        match SockRef::from(tcp).peek(&mut [MaybeUninit::uninit()]) {
            Ok(waiting) => waiting == 0 || plain,
            Err(error) => error.kind() != io::ErrorKind::WouldBlock,
        }
    }

    /// Bytes that the kernel has taken since the connection was made, the handshake included.
    pub(crate) fn accepted(&self) -> u64 {
        match self {
            Self::Plain(counted) => counted.accepted,
            Self::Tls(stream) => stream.get_ref().0.accepted,
        }
    }
}

impl Counted {
    fn count(&mut self, outcome: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(taken)) = outcome {
            self.accepted += taken as u64;
        }
        outcome
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_read(cx, buf)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.tcp).poll_write(cx, buf);
        this.count(outcome)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.tcp).poll_write_vectored(cx, bufs);
        this.count(outcome)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_shutdown(cx)
    }
}
