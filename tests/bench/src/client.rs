//! One connection of a bot to a proxy, or to the upstream itself.
//!
//! In: requests as bytes. Out: what each was answered, once the whole answer was read. Invariant: knows nothing but lengths, so that it costs the
//! same whoever answers.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The name that the upstream's certificate is for.
pub(crate) const NAME: &str = "localhost";

trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

/// Where requests go.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// The upstream itself may speak TLS.
    pub(crate) tls: Option<Arc<rustls::ClientConfig>>,
}

/// See the file's header.
pub(crate) struct Client {
    stream: Box<dyn Stream>,
    read: Vec<u8>,
}

impl Client {
    pub(crate) async fn connect(target: &Target) -> Result<Self> {
        let stream = TcpStream::connect(target.address)
            .await
            .context("connecting to what is measured")?;
        stream.set_nodelay(true)?;
        let stream: Box<dyn Stream> = match &target.tls {
            None => Box::new(stream),
            Some(tls) => {
                let name = ServerName::try_from(NAME)?;
                let connector = TlsConnector::from(Arc::clone(tls));
                Box::new(connector.connect(name, stream).await?)
            }
        };
        Ok(Self {
            stream,
            read: Vec::new(),
        })
    }

    /// Sends a request and does not wait for its answer.
    pub(crate) async fn send(&mut self, request: &[u8]) -> Result<()> {
        self.stream.write_all(request).await?;
        Ok(self.stream.flush().await?)
    }

    /// Sends a request, which has to be answered 200.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<()> {
        let status = self.status(request).await?;
        let answer = || String::from_utf8_lossy(&self.read).into_owned();
        ensure!(status == 200, "answered {}", answer());
        Ok(())
    }

    /// Sends a request and reads its answer, whatever it is.
    pub(crate) async fn status(&mut self, request: &[u8]) -> Result<u16> {
        self.send(request).await?;
        self.read.clear();
        let (status, whole) = loop {
            self.read.reserve(2 * 1024);
            let more = self.stream.read_buf(&mut self.read).await?;
            ensure!(more > 0, "an answer broke off");
            if let Some(whole) = whole(&self.read)? {
                break whole;
            }
        };
        while self.read.len() < whole {
            let more = self.stream.read_buf(&mut self.read).await?;
            ensure!(more > 0, "an answer broke off");
        }
        ensure!(self.read.len() == whole, "more than one answer");
        Ok(status)
    }

    /// Gives its memory back: many of them wait.
    pub(crate) fn shrink(&mut self) {
        self.read = Vec::new();
    }
}

/// The status, and the length of head and body together, once the head is whole.
fn whole(bytes: &[u8]) -> Result<Option<(u16, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut answer = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = answer.parse(bytes)? else {
        return Ok(None);
    };
    let status = answer.code.context("an answer without a status")?;
    let mut headers = answer.headers.iter();
    let length = headers
        .find(|header| header.name.eq_ignore_ascii_case("content-length"))
        .context("an answer of no given length")?;
    let length: usize = str::from_utf8(length.value)?.parse()?;
    Ok(Some((status, head + length)))
}
