//! What stands where Telegram does: answers at once, but for polls, which it holds until their client leaves.
//!
//! In: connections of the proxies, plain or TLS (`server.rs`). Out: answers as the Bot API
//! writes them; how many polls it holds, bytes that it was sent. Invariant: does as little as can be done, the same for whoever asks.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, bail, ensure};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::server;

/// What sendMessage is answered: 300 bytes, as of a short message in a private chat.
const MESSAGE: &str = r#"{"ok":true,"result":{"message_id":123456,"from":{"id":123456789,"is_bot":true,"first_name":"Example bot","username":"example_bot"},"chat":{"id":1000000001,"first_name":"Anna","last_name":"Example","username":"anna_example","type":"private"},"date":1760000000,"text":"Hello, this is a message"}}"#;

/// A method that is held.
const HELD: &[u8] = b"/getUpdates";
/// Of a request at a time.
const ROOM: usize = 64 * 1024;

/// A running one.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    parked: Arc<AtomicUsize>,
}

impl Upstream {
    /// Starts one, with TLS if it is given a certificate.
    pub(crate) fn start(tls: Option<Arc<rustls::ServerConfig>>) -> Result<Self> {
        let (tls, parked) = (tls.map(TlsAcceptor::from), Arc::<AtomicUsize>::default());
        let count = Arc::clone(&parked);
        let address = server::start("upstream", move |stream| {
            connection(stream, tls.clone(), Arc::clone(&count))
        })?;
        Ok(Self { address, parked })
    }

    /// Polls that are held now.
    pub(crate) fn parked(&self) -> usize {
        self.parked.load(Ordering::Relaxed)
    }
}

async fn connection(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    parked: Arc<AtomicUsize>,
) -> Result<()> {
    match tls {
        None => serve(stream, &parked).await,
        Some(tls) => serve(tls.accept(stream).await?, &parked).await,
    }
}

/// Counts a poll while it is held.
struct Parked<'a>(&'a AtomicUsize);

impl<'a> Parked<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Parked<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn serve<S>(mut stream: S, parked: &AtomicUsize) -> Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let answer = format!(
        "HTTP/1.1 200 OK\r\nServer: nginx/1.18.0\r\nDate: Mon, 23 Nov 2026 10:00:00 GMT\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: keep-alive\r\nStrict-Transport-Security: max-age=31536000; includeSubDomains; preload\r\nAccess-Control-Allow-Origin: *\r\nAccess-Control-Allow-Methods: GET, POST, OPTIONS\r\nAccess-Control-Expose-Headers: Content-Length,Content-Type,Date,Server,Connection\r\n\r\n{MESSAGE}",
        MESSAGE.len()
    );
    let (mut buffer, mut filled) = (Vec::new(), 0);
    loop {
        // An idle connection holds little, so that thousands fit.
        if filled == 0 {
            buffer = vec![0; 2 * 1024];
        }
        let (head, is_poll, mut body) = loop {
            if filled > 0
                && let Some(found) = head(&buffer[..filled])?
            {
                break found;
            }
            if filled == buffer.len() {
                ensure!(filled < ROOM, "a head without an end");
                buffer.resize(filled * 2, 0);
            }
            match stream.read(&mut buffer[filled..]).await? {
                0 if filled == 0 => return Ok(()),
                0 => bail!("a request was cut off"),
                more => filled += more,
            }
        };
        let here = body.min(filled - head);
        buffer.copy_within(head + here..filled, 0);
        filled -= head + here;
        body -= here;
        if body > 0 {
            buffer.resize(ROOM, 0);
        }
        while body > 0 {
            let room = body.min(buffer.len());
            match stream.read(&mut buffer[..room]).await? {
                0 => bail!("a body was cut off"),
                more => body -= more,
            }
        }
        if is_poll {
            drop(buffer);
            let _parked = Parked::new(parked);
            let mut end = [0];
            // Whoever polls sends nothing more: this is the connection's end.
            ensure!(stream.read(&mut end).await? == 0, "more came after a poll");
            return Ok(());
        }
        stream.write_all(answer.as_bytes()).await?;
        stream.flush().await?;
    }
}

/// The length of a head that is whole, whether it asks for updates, and the length of its body.
pub(crate) fn head(bytes: &[u8]) -> Result<Option<(usize, bool, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(length) = request.parse(bytes)? else {
        return Ok(None);
    };
    let path = request.path.unwrap_or_default().as_bytes();
    let named = |name: &str| {
        let mut headers = request.headers.iter();
        headers.find(|header| header.name.eq_ignore_ascii_case(name))
    };
    ensure!(
        named("transfer-encoding").is_none(),
        "a body of no given length, though it was sent with one"
    );
    let body = match named("content-length") {
        Some(header) => str::from_utf8(header.value)?.parse()?,
        None => 0,
    };
    Ok(Some((
        length,
        memchr::memmem::find(path, HELD).is_some(),
        body,
    )))
}
