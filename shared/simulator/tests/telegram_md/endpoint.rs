//! A webhook's server that reads raw bytes and answers what it is told to.
//!
//! In: connections of the simulator. Out: [`Push`]es, exactly as they arrived, each answered by the
//! test. Invariant: nothing is answered, closed or read that the test did not ask for; every wait ends
//! after 30 s, in failure.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::wire::PATIENCE;

/// An answer without a body.
pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// The server.
pub(crate) struct Endpoint {
    listener: TcpListener,
    pub(crate) address: SocketAddr,
}

/// A connection to it.
pub(crate) struct Line<S = tokio::net::TcpStream> {
    pub(crate) stream: S,
    rest: Vec<u8>,
}

/// A request as it arrived.
pub(crate) struct Push {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Push {
    pub(crate) fn update(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The text of the message in it.
    pub(crate) fn text(&self) -> String {
        self.update()["message"]["text"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

impl Endpoint {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let address = listener.local_addr().expect("bound");
        Self { listener, address }
    }

    /// `http://127.0.0.1:port/hook`
    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// The next connection.
    pub(crate) async fn line(&self) -> Line {
        let accepted = timeout(PATIENCE, self.listener.accept()).await;
        let (stream, _) = accepted.expect("in time").expect("accepts");
        Line::new(stream)
    }

    /// Whether a connection waits to be accepted.
    pub(crate) async fn rings(&self) -> bool {
        std::future::poll_fn(|context| {
            std::task::Poll::Ready(self.listener.poll_accept(context).is_ready())
        })
        .await
    }
}

impl<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin> Line<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            rest: Vec::new(),
        }
    }

    /// The next request.
    pub(crate) async fn push(&mut self) -> Push {
        self.next().await.expect("a request")
    }

    /// The next request; none if the connection ends before it.
    pub(crate) async fn next(&mut self) -> Option<Push> {
        let end = loop {
            if let Some(at) = self.rest.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            if !self.more().await {
                assert!(self.rest.is_empty(), "ended within a head");
                return None;
            }
        };
        let head: Vec<u8> = self.rest.drain(..end).collect();
        let head = String::from_utf8(head).expect("a head is text");
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "));
        let length: usize = length.and_then(|text| text.parse().ok()).expect("a length");
        while self.rest.len() < length {
            assert!(self.more().await, "ended within a body");
        }
        let body: Vec<u8> = self.rest.drain(..length).collect();
        let body = String::from_utf8(body).expect("a body is text");
        Some(Push { head, body })
    }

    pub(crate) async fn answer(&mut self, bytes: impl AsRef<[u8]>) {
        let written = timeout(PATIENCE, self.stream.write_all(bytes.as_ref())).await;
        written.expect("in time").expect("written");
        self.stream.flush().await.expect("flushed");
    }

    /// Waits until the simulator closes, having sent nothing more.
    pub(crate) async fn closed(&mut self) -> bool {
        !self.more().await && self.rest.is_empty()
    }

    async fn more(&mut self) -> bool {
        let read = timeout(PATIENCE, self.stream.read_buf(&mut self.rest)).await;
        matches!(read.expect("in time"), Ok(1..))
    }
}
