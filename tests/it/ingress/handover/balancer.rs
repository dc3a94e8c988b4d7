//! A TCP balancer, as a Service of Kubernetes is one.
//!
//! In: connections of bots; the processes behind it, which are asked every 100 ms whether they are
//! ready. Out: the same bytes at one of those that are, by turns, and back. Invariant: a connection
//! stays where it is until one of its ends closes it; nothing is tried twice, nothing repaired.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional_with_sizes};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::Ingress;

const PERIOD: Duration = Duration::from_millis(100);
/// Connections that wait to be accepted. The system drops those beyond it, and they are tried again after 1, 2, 4 … 32 s: thousands come at once.
const QUEUE: u32 = 4096;
/// Bytes at a time; thousands of connections are held.
const PIECE: usize = 2048;

struct Backend {
    address: SocketAddr,
    admin: SocketAddr,
    ready: AtomicBool,
}

/// The balancer.
pub(super) struct Balancer {
    address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Balancer {
    /// Before these, which are ready.
    pub(super) async fn start(processes: &[Ingress]) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let listener = socket.listen(QUEUE).unwrap();
        let address = listener.local_addr().unwrap();
        let backend = |process: &Ingress| {
            Arc::new(Backend {
                address: process.address(),
                admin: process.admin(),
                ready: AtomicBool::new(true),
            })
        };
        let backends: Vec<_> = processes.iter().map(backend).collect();
        let mut tasks = JoinSet::new();
        for backend in &backends {
            tasks.spawn(watch(Arc::clone(backend)));
        }
        tasks.spawn(accept(listener, backends));
        Self {
            address,
            _tasks: tasks,
        }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn accept(listener: TcpListener, backends: Vec<Arc<Backend>>) {
    let mut connections = JoinSet::new();
    for turn in 0.. {
        let (bot, _) = listener.accept().await.unwrap();
        let ready = backends
            .iter()
            .filter(|it| it.ready.load(Ordering::Relaxed));
        let ready: Vec<_> = ready.collect();
        let backend = ready[turn % ready.len()].address;
        connections.spawn(pass(bot, backend));
        while connections.try_join_next().is_some() {}
    }
}

async fn pass(mut bot: TcpStream, backend: SocketAddr) {
    // Refused: the bot's connection closes, as it would have been refused itself.
    let Ok(mut backend) = TcpStream::connect(backend).await else {
        return;
    };
    bot.set_nodelay(true).unwrap();
    backend.set_nodelay(true).unwrap();
    // However it ends: both sides see it.
    copy_bidirectional_with_sizes(&mut bot, &mut backend, PIECE, PIECE)
        .await
        .ok();
}

async fn watch(backend: Arc<Backend>) {
    loop {
        let ready = is_ready(backend.admin).await.unwrap_or(false);
        backend.ready.store(ready, Ordering::Relaxed);
        // paced: a probe has a period
        sleep(PERIOD).await;
    }
}

async fn is_ready(admin: SocketAddr) -> std::io::Result<bool> {
    let mut probe = TcpStream::connect(admin).await?;
    let request = b"GET /-/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    probe.write_all(request).await?;
    let mut answer = Vec::new();
    probe.read_to_end(&mut answer).await?;
    Ok(answer.starts_with(b"HTTP/1.1 200 "))
}
