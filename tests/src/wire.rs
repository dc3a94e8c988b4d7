//! A wire to a real server that a test can freeze and cut.
//!
//! In: connections of the part under test. Out: the server. Invariant: open, bytes pass unchanged;
//! frozen, connections are taken and nothing passes, as with a server that was stopped; cut,
//! connections are ended and refused, as with one that is gone. Ends with the test's runtime.

#![allow(
    clippy::disallowed_methods,
    reason = "a test's own tasks end with its runtime"
)]

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::address::bind;
use crate::free_addresses;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Frozen,
    Cut,
}

/// A wire.
#[derive(Debug)]
pub struct Wire {
    address: SocketAddr,
    state: watch::Sender<State>,
}

impl Wire {
    /// A wire to this address.
    #[must_use]
    pub fn to(server: SocketAddr) -> Self {
        let [address] = free_addresses();
        let (state, seen) = watch::channel(State::Open);
        tokio::task::spawn(accept(listen(address), server, seen));
        Self { address, state }
    }

    /// A wire to the server of this URL, and the URL that leads through it.
    #[must_use]
    pub fn before(url: &str) -> (Self, String) {
        let start = url.find("://").unwrap() + 3;
        let end = url[start..].find('/').map_or(url.len(), |at| start + at);
        let start = url[start..end]
            .rfind('@')
            .map_or(start, |at| start + at + 1);
        let server = url[start..end].replace("localhost", "127.0.0.1");
        let wire = Self::to(server.parse().unwrap());
        let through = format!("{}{}{}", &url[..start], wire.address, &url[end..]);
        (wire, through)
    }

    /// Where to connect.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Nothing passes any more.
    pub fn freeze(&self) {
        self.state.send_replace(State::Frozen);
    }

    /// Everything is ended and refused.
    pub fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    /// As at the beginning.
    pub fn mend(&self) {
        self.state.send_replace(State::Open);
    }
}

fn listen(address: SocketAddr) -> TcpListener {
    bind(address).listen(128).unwrap()
}

async fn accept(listener: TcpListener, server: SocketAddr, mut state: watch::Receiver<State>) {
    let address = listener.local_addr().unwrap();
    let mut listener = Some(listener);
    loop {
        if *state.borrow_and_update() == State::Cut {
            listener = None;
            if state.changed().await.is_err() {
                return;
            }
            continue;
        }
        let open = match listener.take() {
            Some(open) => open,
            None => listen(address),
        };
        tokio::select! {
            changed = state.changed() => if changed.is_err() { return },
            taken = open.accept() => {
                let (client, _) = taken.unwrap();
                tokio::task::spawn(pass(client, server, state.clone()));
            }
        }
        listener = Some(open);
    }
}

async fn pass(mut client: TcpStream, server: SocketAddr, mut state: watch::Receiver<State>) {
    let Ok(mut server) = TcpStream::connect(server).await else {
        return;
    };
    let (mut up, mut down) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
    loop {
        let now = *state.borrow_and_update();
        let moved = match now {
            State::Cut => return,
            State::Frozen => state.changed().await.is_ok(),
            State::Open => tokio::select! {
                changed = state.changed() => changed.is_ok(),
                read = client.read(&mut up) => forward(read, &up, &mut server).await,
                read = server.read(&mut down) => forward(read, &down, &mut client).await,
            },
        };
        if !moved {
            return;
        }
    }
}

async fn forward(read: std::io::Result<usize>, bytes: &[u8], to: &mut TcpStream) -> bool {
    match read {
        Ok(0) | Err(_) => false,
        Ok(count) => to.write_all(&bytes[..count]).await.is_ok(),
    }
}
