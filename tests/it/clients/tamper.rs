//! A door that is not faithful, to show that the comparison notices.
//!
//! In: connections. Out: the same bytes to the simulator and back, but for one word each way.
//! Invariant: lengths stay, so that nothing breaks and only a comparison can tell. Dropping it ends
//! its connections.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A word and what it becomes.
type Change = (&'static [u8], &'static [u8]);

/// On the way to Telegram.
const ASKED: Change = (b"User-Agent: Go-http-client", b"User-Agent: go-http-client");
/// On the way back.
const ANSWERED: Change = (b"Server: nginx/1.18.0", b"Server: nginx/1.18.1");

/// A running one.
pub(crate) struct Tamper {
    pub(crate) address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Tamper {
    /// Starts one in front of `target`.
    pub(crate) async fn start(target: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(forward(client, target));
            }
        });
        Ok(Self {
            address,
            _tasks: tasks,
        })
    }
}

async fn forward(client: TcpStream, target: SocketAddr) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = TcpStream::connect(target).await.unwrap().into_split();
    tokio::select! {
        () = copy(from_client, to_server, ASKED) => {}
        () = copy(from_server, to_client, ANSWERED) => {}
    }
}

async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, (word, other): Change) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let bytes = &mut buffer[..read];
        // Heads are small and come in one piece on loopback.
        if let Some(at) = memchr::memmem::find(bytes, word) {
            bytes[at..at + word.len()].copy_from_slice(other);
        }
        if to.write_all(bytes).await.is_err() {
            return;
        }
    }
}
