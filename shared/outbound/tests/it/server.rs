//! A scripted upstream: a test says, byte by byte, what each connection does.
//!
//! In: connections of the pool under test. Out: what the script writes; what it read is for
//! the test to look at. A script that panics fails the test through `Server::finish`.
#![allow(dead_code, reason = "each test binary uses its part of it")]

use std::{cell::Cell, net::SocketAddr, rc::Rc, time::Duration};

use futures_util::{Stream, TryStreamExt, stream};
use gramtap_outbound::{Answer, Fault, OutboundConfig, Outgoing, Pool, RequestHead, Upstream};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// Runs a test on a worker-like thread, with a deadline that only a hang reaches.
pub(crate) fn run<T>(test: impl Future<Output = T>) -> T {
    actix_rt::System::new().block_on(async {
        tokio::time::timeout(Duration::from_secs(30), test)
            .await
            .expect("the test hangs")
    })
}

/// The listener and what its scripts do.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    connections: Rc<Cell<usize>>,
    scripts: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Runs the script once per connection.
    pub(crate) async fn start<S, F>(script: S) -> Self
    where
        S: Fn(Peer) -> F + 'static,
        F: Future<Output = ()> + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Rc::new(Cell::new(0));
        let counter = connections.clone();
        let scripts = tokio::task::spawn_local(async move {
            let mut running = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => {
                        let (tcp, _) = accepted.unwrap();
                        tcp.set_nodelay(true).unwrap();
                        let number = counter.get();
                        counter.set(number + 1);
                        running.spawn_local(script(Peer { tcp, number, buffer: Vec::new() }));
                    }
                    Some(ended) = running.join_next() => ended.unwrap(),
                }
            }
        });
        Self {
            address,
            connections,
            scripts,
        }
    }

    /// Answers every request with 200 and `ok`.
    pub(crate) async fn ok() -> Self {
        Self::start(|mut peer| async move {
            while peer.head().await.is_some() {
                peer.write(OK).await;
            }
        })
        .await
    }

    /// Connections accepted so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.get()
    }

    pub(crate) fn upstream(&self) -> Upstream {
        Upstream::new(&format!("http://{}", self.address), None, None).unwrap()
    }

    /// Fails if a script has failed.
    pub(crate) async fn finish(self) {
        tokio::task::yield_now().await;
        if self.scripts.is_finished() {
            self.scripts.await.unwrap();
        }
    }
}

/// An answer of two bytes.
pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// One connection, seen from the server.
pub(crate) struct Peer {
    pub(crate) tcp: TcpStream,
    /// 0 for the first connection.
    pub(crate) number: usize,
    buffer: Vec<u8>,
}

impl Peer {
    /// The head of the next request, the empty line included; nothing if the client leaves.
    pub(crate) async fn head(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = self.buffer.drain(..end + 4).collect();
                return Some(String::from_utf8(head).unwrap());
            }
            if self.tcp.read_buf(&mut self.buffer).await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    /// So many bytes of the body.
    pub(crate) async fn body(&mut self, length: usize) -> Vec<u8> {
        while self.buffer.len() < length {
            assert!(
                self.tcp.read_buf(&mut self.buffer).await.unwrap() > 0,
                "cut short"
            );
        }
        self.buffer.drain(..length).collect()
    }

    /// What has come, or comes next; nothing if the client leaves.
    pub(crate) async fn some(&mut self) -> Vec<u8> {
        if self.buffer.is_empty() {
            self.buffer.reserve(256 * 1024);
            self.tcp.read_buf(&mut self.buffer).await.unwrap_or(0);
        }
        std::mem::take(&mut self.buffer)
    }

    pub(crate) async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.tcp.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Waits until the client closes or resets; what it still sent.
    pub(crate) async fn until_closed(&mut self) -> Vec<u8> {
        while self.tcp.read_buf(&mut self.buffer).await.unwrap_or(0) > 0 {}
        std::mem::take(&mut self.buffer)
    }
}

pub(crate) fn pool() -> Pool {
    Pool::start(OutboundConfig::default())
}

pub(crate) type Headers = [(&'static [u8], &'static [u8]); 0];

pub(crate) fn get(target: &str) -> RequestHead<'_, Headers> {
    RequestHead {
        method: b"GET",
        target: target.as_bytes(),
        headers: [],
    }
}

pub(crate) fn post(target: &str) -> RequestHead<'_, Headers> {
    RequestHead {
        method: b"POST",
        target: target.as_bytes(),
        headers: [],
    }
}

/// A call and the whole of its answer.
pub(crate) async fn call(pool: &Pool, upstream: &Upstream) -> Result<(u16, Vec<u8>), Fault> {
    whole(
        pool.send(upstream, get("/"), Outgoing::None, pool.limits())
            .await?,
    )
    .await
}

/// A call with a body that comes in parts.
pub(crate) async fn upload(
    pool: &Pool,
    upstream: &Upstream,
    length: Option<u64>,
    parts: impl Stream<Item = Result<bytes::Bytes, std::io::Error>> + 'static,
) -> Result<Answer, Fault> {
    pool.send(
        upstream,
        post("/"),
        Outgoing::stream(length, parts),
        pool.limits(),
    )
    .await
}

pub(crate) fn parts(
    parts: &[&'static str],
) -> impl Stream<Item = Result<bytes::Bytes, std::io::Error>> + 'static {
    let parts: Vec<_> = parts
        .iter()
        .map(|part| Ok(bytes::Bytes::from_static(part.as_bytes())))
        .collect();
    stream::iter(parts)
}

pub(crate) async fn whole(answer: Answer) -> Result<(u16, Vec<u8>), Fault> {
    let status = answer.head.status();
    let parts: Vec<_> = answer.body.try_collect().await?;
    Ok((status, parts.concat()))
}

/// What can be told of a fault.
pub(crate) fn told(fault: &Fault) -> (&'static str, &'static str, bool) {
    (fault.label(), fault.phase().label(), fault.sent())
}
