//! Whose address a request comes from, behind balancers and reverse proxies.
//!
//! In: `trusted_proxies`, the connection's peer, X-Forwarded-For. Out: the client's address, for records and for bounding tries. Invariant: anybody can
//! write the header, so what one address says is believed only of a connection from a trusted one, and of each hop further back only if the hop before
//! it is trusted, too.

use std::net::IpAddr;

use gramtap_settings::Networks;

/// The networks whose word on where a request comes from is taken. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Networks);

impl From<Networks> for TrustedProxies {
    fn from(networks: Networks) -> Self {
        Self(networks)
    }
}

impl TrustedProxies {
    /// The client of a connection from `peer` whose request came with `forwarded`, the values of X-Forwarded-For in their order.
    ///
    /// The last address that is not a trusted proxy's. What cannot be read ends the search at the proxy that passed it on.
    #[must_use]
    pub fn client<'a>(&self, peer: IpAddr, forwarded: impl IntoIterator<Item = &'a str>) -> IpAddr {
        let mut client = peer.to_canonical();
        if !self.0.contains(client) {
            return client;
        }
        let hops: Vec<&str> = forwarded.into_iter().flat_map(|it| it.split(',')).collect();
        for hop in hops.into_iter().rev() {
            match address(hop.trim()) {
                Some(address) => client = address,
                None => break,
            }
            if !self.0.contains(client) {
                break;
            }
        }
        client
    }
}

/// An address, which some proxies write with its port.
fn address(text: &str) -> Option<IpAddr> {
    let plain = || text.trim_matches(['[', ']']).parse().ok();
    let with_port = || text.parse().ok().map(|it: std::net::SocketAddr| it.ip());
    plain()
        .or_else(with_port)
        .map(|it: IpAddr| it.to_canonical())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn trusted(networks: &[&str]) -> TrustedProxies {
        let networks = networks.iter().map(|it| it.parse().unwrap());
        networks.collect::<Networks>().into()
    }

    #[test]
    fn the_client_is_the_last_that_no_trusted_proxy_is() {
        let proxies = trusted(&["10.0.0.0/8", "192.0.2.7/32", "fd00::/8"]);
        for (peer, forwarded, client) in [
            // Nobody else is believed.
            ("203.0.113.9", vec!["198.51.100.1"], "203.0.113.9"),
            ("192.0.2.8", vec!["198.51.100.1"], "192.0.2.8"),
            ("10.1.1.1", vec!["198.51.100.1"], "198.51.100.1"),
            ("192.0.2.7", vec!["198.51.100.1"], "198.51.100.1"),
            ("10.1.1.1", vec![], "10.1.1.1"),
            // What the client wrote itself stands before what the proxy has added.
            ("10.1.1.1", vec!["127.0.0.1, 198.51.100.1"], "198.51.100.1"),
            (
                "10.1.1.1",
                vec!["127.0.0.1", "198.51.100.1"],
                "198.51.100.1",
            ),
            (
                "10.1.1.1",
                vec!["198.51.100.1,10.2.2.2 , 192.0.2.7"],
                "198.51.100.1",
            ),
            ("10.1.1.1", vec!["198.51.100.1, junk, 10.2.2.2"], "10.2.2.2"),
            ("10.1.1.1", vec![""], "10.1.1.1"),
            ("10.1.1.1", vec!["10.3.3.3, 10.2.2.2"], "10.3.3.3"),
            // Forms that proxies write.
            ("10.1.1.1", vec!["198.51.100.1:4711"], "198.51.100.1"),
            ("10.1.1.1", vec!["[2001:db8::1]:4711"], "2001:db8::1"),
            ("10.1.1.1", vec!["[2001:db8::1]"], "2001:db8::1"),
            ("10.1.1.1", vec!["::ffff:198.51.100.1"], "198.51.100.1"),
            // A listener of both families tells the older one's addresses in the newer one's form.
            ("::ffff:10.1.1.1", vec!["198.51.100.1"], "198.51.100.1"),
            ("::ffff:203.0.113.9", vec!["198.51.100.1"], "203.0.113.9"),
            ("fd00::2", vec!["2001:db8::1"], "2001:db8::1"),
        ] {
            let found = proxies.client(peer.parse().unwrap(), forwarded.iter().copied());
            assert_eq!(
                found,
                client.parse::<IpAddr>().unwrap(),
                "{peer} {forwarded:?}"
            );
        }
    }

    #[test]
    fn without_a_setting_nobody_is_believed() {
        let client = trusted(&[]).client("127.0.0.1".parse().unwrap(), ["198.51.100.1"]);
        assert_eq!(client, "127.0.0.1".parse::<IpAddr>().unwrap());
    }
}
