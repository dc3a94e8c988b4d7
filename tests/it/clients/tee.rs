//! A TCP forwarder on loopback that keeps every byte that passes, and during which step it did.
//!
//! In: a client library's connections. Out: the same bytes to the address it stands before;
//! [`Tee::take`] for `run.rs`. Invariant: bytes are kept before they are passed on, so what
//! a library has seen is kept; nothing is changed, held back or joined. When the client leaves, the
//! other side is closed at once and what it still says is not kept. Dropping it ends every connection.

use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::message::{Message, Stream};

/// A running forwarder.
pub(crate) struct Tee {
    port: u16,
    kept: Arc<Mutex<Kept>>,
    /// Its accepting task, which owns those of the connections.
    _tasks: JoinSet<()>,
}

/// A request as the client sent it, and what it got back.
pub(crate) struct Exchange {
    /// The step during which the request began.
    pub(crate) step: usize,
    /// As sent.
    pub(crate) request: Message,
    /// Interim answers (`100 Continue`), then the answer; empty if the connection ended without one.
    pub(crate) answers: Vec<Message>,
    /// The client closed its side before the answer was there.
    pub(crate) left: bool,
}

#[derive(Default)]
struct Kept {
    /// Where new connections lead; nowhere at first.
    target: Option<SocketAddr>,
    step: usize,
    conversations: Vec<Arc<Mutex<Conversation>>>,
}

/// One connection.
#[derive(Default)]
struct Conversation {
    sent: Vec<u8>,
    /// Where in `sent` which step's bytes begin.
    steps: Vec<(usize, usize)>,
    received: Vec<u8>,
    left: bool,
}

impl Tee {
    /// Starts one that leads nowhere yet.
    pub(crate) async fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let kept = Arc::<Mutex<Kept>>::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, Arc::clone(&kept)));
        Ok(Self {
            port,
            kept,
            _tasks: tasks,
        })
    }

    /// Where it listens, on loopback. The same for all doors, so that no library sees a difference.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What is sent from now on belongs to this step.
    pub(crate) fn enter(&self, step: usize) {
        self.kept.lock().unwrap().step = step;
    }

    /// Leads new connections to `target` from now on; open ones stay where they are.
    pub(crate) fn lead_to(&self, target: SocketAddr) {
        self.kept.lock().unwrap().target = Some(target);
    }

    /// Everything since the last time, by step.
    pub(crate) fn take(&self) -> Result<Vec<Exchange>> {
        let conversations = std::mem::take(&mut self.kept.lock().unwrap().conversations);
        let mut exchanges = Vec::new();
        for conversation in &conversations {
            exchanges.extend(conversation.lock().unwrap().exchanges()?);
        }
        exchanges.sort_by_key(|exchange| exchange.step);
        Ok(exchanges)
    }
}

impl Conversation {
    fn sent(&mut self, bytes: &[u8], step: usize) {
        if self.steps.last().is_none_or(|(_, last)| *last != step) {
            self.steps.push((self.sent.len(), step));
        }
        self.sent.extend_from_slice(bytes);
    }

    fn exchanges(&self) -> Result<Vec<Exchange>> {
        let mut requests = Stream::new(&self.sent);
        let mut answers = Stream::new(&self.received);
        let mut exchanges = Vec::new();
        loop {
            let at = requests.at();
            let Some(request) = requests.request().context("a request")? else {
                return Ok(exchanges);
            };
            let mut got = Vec::new();
            while let Some(answer) = answers.answer(&request).context("an answer")? {
                let interim = answer.is_interim();
                got.push(answer);
                if !interim {
                    break;
                }
            }
            let step = self.steps.iter().rev().find(|(from, _)| *from <= at);
            exchanges.push(Exchange {
                step: step.map_or(0, |(_, step)| *step),
                left: self.left && got.last().is_none_or(|answer| !answer.complete),
                request,
                answers: got,
            });
        }
    }
}

async fn accept(listener: TcpListener, kept: Arc<Mutex<Kept>>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (client, _) = accepted.expect("accepting on loopback");
                connections.spawn(forward(client, Arc::clone(&kept)));
            }
            Some(ended) = connections.join_next() => ended.expect("a forwarded connection"),
        }
    }
}

/// Forwards one connection until either side ends it.
async fn forward(client: TcpStream, kept: Arc<Mutex<Kept>>) {
    let conversation = Arc::<Mutex<Conversation>>::default();
    let target = {
        let mut kept = kept.lock().unwrap();
        kept.conversations.push(Arc::clone(&conversation));
        kept.target.expect("a library calls before there is a door")
    };
    // A door that is shut looks to the client like a server that hangs up.
    let Ok(server) = TcpStream::connect(target).await else {
        return;
    };
    for socket in [&client, &server] {
        socket.set_nodelay(true).expect("nodelay on loopback");
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let sent = |bytes: &[u8]| {
        let step = kept.lock().unwrap().step;
        conversation.lock().unwrap().sent(bytes, step);
    };
    let received = |bytes: &[u8]| {
        conversation
            .lock()
            .unwrap()
            .received
            .extend_from_slice(bytes)
    };
    let mut calling = pin!(copy(from_client, to_server, sent));
    let left = tokio::select! {
        left = &mut calling => left,
        // A server may end its side and read on: what the client still sends is passed on then.
        _ = copy(from_server, to_client, received) => {
            calling.await;
            false
        }
    };
    conversation.lock().unwrap().left = left;
}

/// Passes bytes on until one side is gone; whether that was the one they come from.
async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, keep: impl Fn(&[u8])) -> bool {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        keep(&buffer[..read]);
        if to.write_all(&buffer[..read]).await.is_err() {
            return false;
        }
    }
    true
}
