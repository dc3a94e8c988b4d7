//! Lists of networks. Input: a list of texts in a section, through serde. Output: [`Networks`], to
//! whoever asks whether an address is in one of them. Invariant: what was read is a network; a
//! single address is a network of one. Nothing is changed after the start.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer};

/// Networks, of both families. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Arc<[IpNet]>);

impl Networks {
    /// Whether an address is in one of them.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl FromIterator<IpNet> for Networks {
    fn from_iter<I: IntoIterator<Item = IpNet>>(networks: I) -> Self {
        Self(networks.into_iter().collect())
    }
}

impl<'de> Deserialize<'de> for Networks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: &String| {
            let address = || text.parse::<IpAddr>().map(IpNet::from);
            let network = text.parse::<IpNet>().or_else(|_| address());
            let expected = "an address such as 192.0.2.7 or a network such as 10.0.0.0/8";
            network.map_err(|_| D::Error::invalid_value(Unexpected::Str(text), &expected))
        };
        Vec::<String>::deserialize(deserializer)?
            .iter()
            .map(read)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(json: &str) -> Result<Networks, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn addresses_and_networks_of_both_families_are_read() {
        let networks = read(r#"["10.1.0.0/16", "192.0.2.7", "fd00::/8", "2001:db8::1"]"#).unwrap();
        for (address, inside) in [
            ("10.1.255.255", true),
            ("10.2.0.0", false),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
            ("fdff::1", true),
            ("2001:db8::1", true),
            ("2001:db8::2", false),
            // One family inside the other is not in the other's network.
            ("::ffff:10.1.0.1", false),
        ] {
            assert_eq!(
                networks.contains(address.parse().unwrap()),
                inside,
                "{address}"
            );
        }
        assert!(!Networks::default().contains("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in [
            "",
            "10.0.0.0/33",
            "::/129",
            "10/8",
            "example.org",
            "10.0.0.0/",
            "10.0.0.0/-1",
        ] {
            let error = read(&format!("[{text:?}]")).unwrap_err().to_string();
            assert!(error.contains("10.0.0.0/8"), "{error}");
        }
    }
}
