//! Addresses for processes that are told where to listen before they start.
//!
//! In: nothing. Out: addresses of this machine. Invariant: no one else gets such an address while the
//! test binary runs, not even as the local end of a connection, while no process listens there or the one
//! that does is started again. A system without a free port: the test fails.

use std::mem;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;

/// Addresses that nobody listens on now, for listeners that reuse addresses, as all servers' do.
#[must_use]
pub fn free_addresses<const HOW_MANY: usize>() -> [SocketAddr; HOW_MANY] {
    [(); HOW_MANY].map(|()| {
        let port = bind((Ipv4Addr::LOCALHOST, 0).into());
        let address = port.local_addr().unwrap();
        // Kept for as long as the tests run: connections of other tests take any port that nobody has.
        mem::forget(port);
        address
    })
}

/// Has the address, and does not listen yet.
pub(crate) fn bind(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(address).unwrap();
    socket
}
