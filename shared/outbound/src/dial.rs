//! Making a connection: resolve, connect, handshake.
//!
//! In: an `Upstream` that `pool` has no idle connection to. Out: a `Wire`.
//! Invariant: no byte of a request is written here, so every fault is safe to repeat. Each
//! address is tried, in the resolver's order, the next one when one fails or after 250 ms; the
//! first connection wins. An upstream's name is resolved once per 5 s for all workers, by one
//! of those who ask; when the resolver fails, the last known addresses are used.

use std::{
    cell::Cell,
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::stream::{FuturesUnordered, StreamExt};
use socket2::{SockRef, TcpKeepalive};
use tokio::{
    net::{TcpSocket, TcpStream, lookup_host},
    sync::Mutex,
    time::timeout,
};

use crate::{
    fault::{Cause, Fault, Phase},
    upstream::Upstream,
    wire::Wire,
};

/// How long one address is given before the next one is tried beside it.
const STAGGER: Duration = Duration::from_millis(250);
/// How long resolved addresses are used, and how long a failure is believed.
const RESOLVED_FOR: Duration = Duration::from_secs(5);
const FAILED_FOR: Duration = Duration::from_secs(1);
/// A connection without traffic is probed, so that a path that died under a long poll is
/// noticed.
const PROBE_AFTER: Duration = Duration::from_secs(30);
const PROBE_EVERY: Duration = Duration::from_secs(10);

/// Connects, at most for the time given.
pub(crate) async fn dial(upstream: &Upstream, within: Duration) -> Result<Wire, Fault> {
    let phase = Cell::new(Phase::Dial);
    let attempt = async {
        let addresses = upstream
            .resolved()
            .addresses(upstream)
            .await
            .map_err(Cause::Resolve)?;
        let tcp = match connect(&addresses, upstream).await {
            Ok(tcp) => tcp,
            Err(error) => {
                upstream.resolved().distrust().await;
                return Err(Cause::Connect(error));
            }
        };
        phase.set(Phase::Tls);
        Wire::open(tcp, upstream.tls()).await.map_err(Cause::Tls)
    };
    match timeout(within, attempt).await {
        Ok(outcome) => outcome.map_err(|cause| Fault::new(cause, phase.get())),
        Err(_) => Err(Fault::new(Cause::ConnectTimeout, phase.get())),
    }
}

/// Tries the addresses in order, staggered.
async fn connect(addresses: &[SocketAddr], upstream: &Upstream) -> io::Result<TcpStream> {
    let usable = |address: &&SocketAddr| {
        upstream
            .bind()
            .is_none_or(|local| local.is_ipv4() == address.is_ipv4())
    };
    let mut waiting = addresses.iter().filter(usable).peekable();
    let mut attempts = FuturesUnordered::new();
    let mut failure = io::ErrorKind::AddrNotAvailable.into();
    loop {
        if let Some(address) = waiting.next() {
            attempts.push(connect_one(*address, upstream));
        } else if attempts.is_empty() {
            return Err(failure);
        }
        let outcome = if waiting.peek().is_none() {
            attempts.next().await
        } else {
            timeout(STAGGER, attempts.next()).await.unwrap_or(None)
        };
        match outcome {
            Some(Ok(tcp)) => return Ok(tcp),
            Some(Err(error)) => failure = error,
            None => {}
        }
    }
}

async fn connect_one(address: SocketAddr, upstream: &Upstream) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    if let Some(local) = upstream.bind() {
        socket.bind(SocketAddr::new(local, 0))?;
    }
    socket.set_nodelay(true)?;
    let probes = TcpKeepalive::new()
        .with_time(PROBE_AFTER)
        .with_interval(PROBE_EVERY);
    SockRef::from(&socket).set_tcp_keepalive(&probes)?;
    socket.connect(address).await
}

/// What is known of an upstream's addresses.
pub(crate) enum Resolved {
    /// The URL holds an address.
    Fixed(Arc<[SocketAddr]>),
    /// Held while one looks the name up and the others wait for that.
    Name(Mutex<Option<Known>>),
}

/// The outcome of the last look-up.
pub(crate) struct Known {
    addresses: Result<Arc<[SocketAddr]>, io::ErrorKind>,
    until: Instant,
}

impl Resolved {
    pub(crate) fn fixed(address: SocketAddr) -> Self {
        Self::Fixed(Arc::new([address]))
    }

    pub(crate) fn unknown() -> Self {
        Self::Name(Mutex::new(None))
    }

    async fn addresses(&self, upstream: &Upstream) -> io::Result<Arc<[SocketAddr]>> {
        let name = match self {
            Self::Fixed(addresses) => return Ok(addresses.clone()),
            Self::Name(name) => name,
        };
        let mut known = name.lock().await;
        match &*known {
            Some(known) if Instant::now() < known.until => {
                return known.addresses.clone().map_err(io::Error::from);
            }
            _ => {}
        }
        let looked_up = match lookup_host((upstream.host(), upstream.port())).await {
            Ok(found) => Ok(found.collect::<Arc<[SocketAddr]>>()),
            Err(error) => Err(error),
        };
        let (addresses, used_for) = match (looked_up, known.take()) {
            (Ok(found), _) if !found.is_empty() => (Ok(found), RESOLVED_FOR),
            (
                _,
                Some(Known {
                    addresses: Ok(last),
                    ..
                }),
            ) => (Ok(last), FAILED_FOR),
            (Ok(_), _) => (Err(io::ErrorKind::NotFound), FAILED_FOR),
            (Err(error), _) => (Err(error.kind()), FAILED_FOR),
        };
        *known = Some(Known {
            addresses: addresses.clone(),
            until: Instant::now() + used_for,
        });
        addresses.map_err(io::Error::from)
    }

    /// None of the addresses took a connection: the next one who asks looks the name up.
    async fn distrust(&self) {
        if let Self::Name(name) = self
            && let Some(known) = &mut *name.lock().await
        {
            known.until = Instant::now();
        }
    }
}
