//! A scripted upstream: a test says, byte by byte, what each connection does.
//!
//! In: connections of the pool under test. Out: what the script writes; what it read is for
//! the test to look at. A script that panics fails the test through `Server::finish`.

use std::{cell::Cell, future::Future, net::SocketAddr, rc::Rc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use gramtap_outbound::{Answer, Fault, OutboundConfig, Outgoing, Pool, RequestHead, Upstream};

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

    /// Connections accepted so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.get()
    }

    pub(crate) fn upstream(&self) -> Upstream {
        Upstream::new(&format!("http://{}", self.address), None, None).unwrap()
    }

    /// Fails if a script has failed.
    pub(crate) async fn finish(self) {
        if self.scripts.is_finished() {
            self.scripts.await.unwrap();
        }
    }
}

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

    pub(crate) async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.tcp.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Waits until the client closes or resets.
    pub(crate) async fn until_closed(&mut self) {
        while self.tcp.read_buf(&mut self.buffer).await.unwrap_or(0) > 0 {}
    }
}

pub(crate) fn pool() -> Pool {
    Pool::start(OutboundConfig::default())
}

pub(crate) type Headers<'a> = [(&'a [u8], &'a [u8]); 0];

pub(crate) fn get(target: &str) -> RequestHead<'_, Headers<'static>> {
    RequestHead {
        method: b"GET",
        target: target.as_bytes(),
        headers: [],
    }
}

pub(crate) fn post(target: &str) -> RequestHead<'_, Headers<'static>> {
    RequestHead {
        method: b"POST",
        target: target.as_bytes(),
        headers: [],
    }
}

/// A call and the whole of its body.
pub(crate) async fn call(pool: &Pool, upstream: &Upstream) -> Result<(u16, Vec<u8>), Fault> {
    let answer = pool
        .send(upstream, get("/"), Outgoing::None, pool.limits())
        .await?;
    whole(answer).await
}

pub(crate) async fn whole(answer: Answer) -> Result<(u16, Vec<u8>), Fault> {
    use futures_util::TryStreamExt;
    let status = answer.head.status();
    let parts: Vec<_> = answer.body.try_collect().await?;
    Ok((status, parts.concat()))
}
