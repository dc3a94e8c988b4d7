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
        upstream.admissible()?;
        let addresses = upstream
            .resolved()
            .addresses(upstream)
            .await
            .map_err(Cause::Resolve)?;
        let addresses = upstream.admitted(addresses)?;
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
    Name(Mutex<Option<Known>>, Names),
}

/// Who says what a name leads to.
pub(crate) enum Names {
    System,
    /// A test: the next answer for each question.
    #[cfg(test)]
    Script(rebinding::Script),
}

impl Names {
    async fn look_up(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        match self {
            Self::System => lookup_host((name, port)).await.map(Iterator::collect),
            #[cfg(test)]
            Self::Script(script) => script.next(port),
        }
    }
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
        Self::Name(Mutex::new(None), Names::System)
    }

    async fn addresses(&self, upstream: &Upstream) -> io::Result<Arc<[SocketAddr]>> {
        let (known, names) = match self {
            Self::Fixed(addresses) => return Ok(addresses.clone()),
            Self::Name(known, names) => (known, names),
        };
        let mut known = known.lock().await;
        match &*known {
            Some(known) if Instant::now() < known.until => {
                return known.addresses.clone().map_err(io::Error::from);
            }
            _ => {}
        }
        let found = names.look_up(upstream.host(), upstream.port()).await;
        let next = Known::after(found, known.take());
        let addresses = next.addresses.clone();
        *known = Some(next);
        addresses.map_err(io::Error::from)
    }

    /// None of the addresses took a connection: the next one who asks looks the name up.
    async fn distrust(&self) {
        if let Self::Name(known, _) = self
            && let Some(known) = &mut *known.lock().await
        {
            known.until = Instant::now();
        }
    }
}

impl Known {
    /// What is known after a look-up: stale addresses beat a failure.
    fn after(found: io::Result<Vec<SocketAddr>>, before: Option<Self>) -> Self {
        let (addresses, used_for) = match (found, before) {
            (Ok(found), _) if !found.is_empty() => (Ok(found.into()), RESOLVED_FOR),
            (
                _,
                Some(Self {
                    addresses: Ok(last),
                    ..
                }),
            ) => (Ok(last), FAILED_FOR),
            (Ok(_), _) => (Err(io::ErrorKind::NotFound), FAILED_FOR),
            (Err(error), _) => (Err(error.kind()), FAILED_FOR),
        };
        Self {
            addresses,
            until: Instant::now() + used_for,
        }
    }
}

#[cfg(test)]
mod rebinding;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::net::TcpListener;

    use socket2::{Domain, Socket, Type};

    use super::*;

    #[test]
    fn stale_addresses_beat_a_failure() {
        let (one, other): (SocketAddr, SocketAddr) = (
            "127.0.0.1:1".parse().unwrap(),
            "127.0.0.2:2".parse().unwrap(),
        );
        let known = |address: SocketAddr| {
            Some(Known {
                addresses: Ok(Arc::new([address])),
                until: Instant::now(),
            })
        };
        let failed = || Err(io::ErrorKind::TimedOut.into());
        let table: [(io::Result<Vec<SocketAddr>>, _, _); 5] = [
            (Ok(vec![one]), None, Ok([one])),
            (Ok(vec![one]), known(other), Ok([one])),
            (failed(), known(other), Ok([other])),
            (Ok(vec![]), known(other), Ok([other])),
            (failed(), None, Err(io::ErrorKind::TimedOut)),
        ];
        for (found, before, expected) in table {
            let after = Known::after(found, before);
            let got = after.addresses.as_deref();
            assert_eq!(
                got.map_err(|kind| *kind),
                expected.as_ref().map(|all| &all[..]).map_err(|kind| *kind)
            );
            assert!(after.until > Instant::now());
        }
    }

    /// A listener whose queue is full: connections to it neither succeed nor fail.
    fn deaf() -> (Socket, Vec<Socket>, SocketAddr) {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener
            .bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())
            .unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let waiting = (0..4).map(|_| {
            let client = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            client.set_nonblocking(true).unwrap();
            client.connect(&address).ok();
            client
        });
        let waiting = waiting.collect();
        (listener, waiting, address.as_socket().unwrap())
    }

    #[tokio::test]
    async fn the_first_address_that_answers_wins() {
        let (_deaf, _waiting, silent) = deaf();
        let refusing = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let good = listener.local_addr().unwrap();
        let upstream = Upstream::new("http://localhost", None, None).unwrap();
        for addresses in [
            &[refusing, good][..],
            &[silent, good],
            &[silent, refusing, good],
        ] {
            let connecting = timeout(Duration::from_secs(30), connect(addresses, &upstream));
            assert_eq!(
                connecting.await.unwrap().unwrap().peer_addr().unwrap(),
                good
            );
        }
        // The last failure is told when all have failed.
        let error = connect(&[refusing, refusing], &upstream).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }
}
