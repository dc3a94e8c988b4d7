//! A way to Telegram that can be closed for a while.
//!
//! In: connections of the ingress. Out: the same bytes at the simulator, and back. Invariant: while
//! it is closed, nothing of what the ingress sends is read; what comes back passes.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The way.
pub(super) struct Strait {
    address: SocketAddr,
    open: watch::Sender<bool>,
    passed: Arc<AtomicU64>,
    _tasks: JoinSet<()>,
}

impl Strait {
    /// Open, to this address.
    pub(super) async fn start(telegram: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (open, gate) = watch::channel(true);
        let passed = Arc::new(AtomicU64::new(0));
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, telegram, gate, Arc::clone(&passed)));
        Self {
            address,
            open,
            passed,
            _tasks: tasks,
        }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Bytes that came from Telegram and were given to the ingress.
    pub(super) fn passed(&self) -> u64 {
        self.passed.load(Ordering::Relaxed)
    }

    pub(super) fn close(&self) {
        self.open.send_replace(false);
    }

    pub(super) fn open(&self) {
        self.open.send_replace(true);
    }
}

async fn accept(
    listener: TcpListener,
    telegram: SocketAddr,
    gate: watch::Receiver<bool>,
    passed: Arc<AtomicU64>,
) {
    let mut connections = JoinSet::new();
    loop {
        let (ingress, _) = listener.accept().await.unwrap();
        let telegram = TcpStream::connect(telegram).await.unwrap();
        let (from_ingress, to_ingress) = ingress.into_split();
        let (from_telegram, to_telegram) = telegram.into_split();
        let always = watch::channel(true).1;
        connections.spawn(pass(
            from_ingress,
            to_telegram,
            gate.clone(),
            Arc::default(),
        ));
        connections.spawn(pass(from_telegram, to_ingress, always, Arc::clone(&passed)));
    }
}

/// One direction; ends when either side does.
async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut gate: watch::Receiver<bool>,
    passed: Arc<AtomicU64>,
) {
    let mut piece = vec![0; 64 << 10];
    loop {
        // A gate whose keeper is gone stays as it was.
        gate.wait_for(|open| *open).await.ok();
        let Ok(count @ 1..) = from.read(&mut piece).await else {
            break;
        };
        if to.write_all(&piece[..count]).await.is_err() {
            break;
        }
        passed.fetch_add(count as u64, Ordering::Relaxed);
    }
    // The other side may be gone already.
    to.shutdown().await.ok();
}
