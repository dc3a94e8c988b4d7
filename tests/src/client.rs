//! A client that sends exactly the bytes it is told to, and reads answers strictly.
//!
//! In: request bytes of the tests. Out: [`Answer`]s. Invariant: nothing is added, nothing repaired,
//! nothing sent again; an answer that breaks off fails the test.

use std::net::SocketAddr;

use futures_util::FutureExt as _;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::within;

/// An answer as received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Such as `HTTP/1.1 200 OK`.
    pub line: String,
    /// Names in lower case, in the order received.
    pub headers: Vec<(String, String)>,
    /// Without its framing.
    pub body: Vec<u8>,
}

impl Answer {
    /// The status.
    #[must_use]
    pub fn status(&self) -> u16 {
        let status = self.line.split(' ').nth(1);
        status.and_then(|it| it.parse().ok()).unwrap()
    }

    /// The first header of that name, in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The headers that both sides of a relay have to agree on, sorted.
    #[must_use]
    pub fn lasting_headers(&self) -> Vec<(String, String)> {
        let hop = ["connection", "date", "keep-alive"];
        let lasts = |(name, _): &&(String, String)| !hop.contains(&name.as_str());
        let mut lasting: Vec<_> = self.headers.iter().filter(lasts).cloned().collect();
        lasting.sort();
        lasting
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {} {:?}", self.line, self.text()))
    }
}

/// What a [`Client`] speaks through.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin + std::fmt::Debug {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + std::fmt::Debug> Stream for S {}

/// A connection.
#[derive(Debug)]
pub struct Client {
    stream: Box<dyn Stream>,
    read: Vec<u8>,
}

impl Client {
    /// Connects.
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = within("a connection", TcpStream::connect(address)).await;
        Self::over(stream.unwrap())
    }

    /// Speaks through a connection that is there, such as one of TLS.
    pub fn over(stream: impl Stream + 'static) -> Self {
        Self {
            stream: Box::new(stream),
            read: Vec::new(),
        }
    }

    /// Sends.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let sent = within("sending", self.stream.write_all(bytes.as_ref())).await;
        sent.unwrap();
    }

    /// Sends a request and reads its answer.
    pub async fn ask(&mut self, bytes: impl AsRef<[u8]>) -> Answer {
        self.send(bytes).await;
        self.answer().await.expect("an answer")
    }

    /// Reads an answer; none if the connection ends before one begins.
    pub async fn answer(&mut self) -> Option<Answer> {
        self.answer_to(false).await
    }

    /// Reads the answer to HEAD, which has no body.
    pub async fn answer_to_head(&mut self) -> Option<Answer> {
        self.answer_to(true).await
    }

    /// Whether the other side has closed it already; to be asked between two calls.
    pub fn was_closed(&mut self) -> bool {
        let read = self.stream.read_buf(&mut self.read).now_or_never();
        matches!(read, Some(Ok(0)))
    }

    /// Nothing more comes, and the other side closes.
    pub async fn is_closed(&mut self) -> bool {
        self.read.is_empty() && !self.more().await
    }

    async fn answer_to(&mut self, head: bool) -> Option<Answer> {
        while memchr::memmem::find(&self.read, b"\r\n\r\n").is_none() {
            if !self.more().await {
                assert_eq!(
                    String::from_utf8_lossy(&self.read),
                    "",
                    "a head, broken off"
                );
                return None;
            }
        }
        let end = memchr::memmem::find(&self.read, b"\r\n\r\n").unwrap() + 4;
        let text = String::from_utf8(self.read.drain(..end).collect()).unwrap();
        let mut lines = text.trim_end().split("\r\n");
        let mut answer = Answer {
            line: lines.next().unwrap().to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        };
        for line in lines {
            let (name, value) = line.split_once(':').expect("a header");
            let pair = (name.to_ascii_lowercase(), value.trim().to_owned());
            answer.headers.push(pair);
        }
        if !head && answer.status() >= 200 && answer.status() != 204 {
            answer.body = self.body(&answer).await;
        }
        Some(answer)
    }

    async fn body(&mut self, answer: &Answer) -> Vec<u8> {
        let length = answer.header("content-length");
        if answer.header("transfer-encoding") == Some("chunked") {
            assert_eq!(length, None, "two framings");
            let mut body = Vec::new();
            loop {
                let line = self.line().await;
                let length = usize::from_str_radix(&line, 16).expect("a chunk's length");
                let chunk = self.exactly(length).await;
                body.extend_from_slice(&chunk);
                assert_eq!(self.line().await, "", "the end of a chunk");
                if length == 0 {
                    return body;
                }
            }
        }
        match length {
            Some(length) => self.exactly(length.parse().unwrap()).await,
            None => {
                while self.more().await {}
                std::mem::take(&mut self.read)
            }
        }
    }

    async fn line(&mut self) -> String {
        loop {
            if let Some(end) = memchr::memmem::find(&self.read, b"\r\n") {
                let line: Vec<u8> = self.read.drain(..end + 2).collect();
                return String::from_utf8_lossy(&line[..end]).into_owned();
            }
            assert!(self.more().await, "a line, broken off");
        }
    }

    async fn exactly(&mut self, length: usize) -> Vec<u8> {
        while self.read.len() < length {
            assert!(self.more().await, "a body, broken off");
        }
        self.read.drain(..length).collect()
    }

    /// Reads on; false at the end, which a reset is as well.
    async fn more(&mut self) -> bool {
        let read = within("more of an answer", self.stream.read_buf(&mut self.read)).await;
        matches!(read, Ok(1..))
    }
}
