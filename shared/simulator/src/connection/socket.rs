//! What a client's connection runs on.
//!
//! In: accepted sockets, plain and TLS (`listen.rs`). Out: [`Socket`] for all that reads and writes.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// A client's socket.
pub(crate) trait Socket: AsyncRead + AsyncWrite + Unpin + Send {
    /// Makes the coming close a reset.
    fn reset_on_close(&self) -> io::Result<()>;
}

impl Socket for TcpStream {
    fn reset_on_close(&self) -> io::Result<()> {
        self.set_zero_linger()
    }
}

impl Socket for TlsStream<TcpStream> {
    fn reset_on_close(&self) -> io::Result<()> {
        self.get_ref().0.set_zero_linger()
    }
}
