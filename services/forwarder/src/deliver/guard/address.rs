//! Which addresses are public.
//!
//! In: an address. Out: why it is not one to call ([`Kind`]), if so; networks that the operator names. Sources: IANA's registries of
//! special-purpose addresses. Invariant: of IPv6 only what is in 2000::/3 and in no special block is public; addresses that carry an
//! IPv4 address inside are refused as such, whatever it is, because something on the way would take it out again.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Why an address is not called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// No address: 0.0.0.0, ::
    Unspecified,
    /// The machine itself.
    Loopback,
    /// A private network.
    Private,
    /// Shared by a provider's customers (100.64.0.0/10).
    Shared,
    /// Of one link.
    LinkLocal,
    /// Where a cloud tells its machines their credentials.
    Metadata,
    /// Of a group.
    Multicast,
    /// Of everybody.
    Broadcast,
    /// For documentation.
    Documentation,
    /// For measurements.
    Benchmarking,
    /// An IPv4 address inside an IPv6 one.
    Embedded,
    /// Of no use yet, or of a special one.
    Reserved,
}

impl Kind {
    /// A fixed word for metrics and records.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Unspecified => "address_unspecified",
            Self::Loopback => "address_loopback",
            Self::Private => "address_private",
            Self::Shared => "address_shared",
            Self::LinkLocal => "address_link_local",
            Self::Metadata => "address_metadata",
            Self::Multicast => "address_multicast",
            Self::Broadcast => "address_broadcast",
            Self::Documentation => "address_documentation",
            Self::Benchmarking => "address_benchmarking",
            Self::Embedded => "address_embedded",
            Self::Reserved => "address_reserved",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unspecified => "unspecified",
            Self::Loopback => "this machine's own (loopback)",
            Self::Private => "private",
            Self::Shared => "shared by a provider's customers (100.64.0.0/10)",
            Self::LinkLocal => "link-local",
            Self::Metadata => "a cloud's metadata service",
            Self::Multicast => "a multicast group",
            Self::Broadcast => "broadcast",
            Self::Documentation => "for documentation",
            Self::Benchmarking => "for measurements",
            Self::Embedded => "an IPv4 address inside an IPv6 one",
            Self::Reserved => "reserved",
        })
    }
}

/// IPv4 blocks that are not public, a narrower one before the wider.
const V4: &[([u8; 4], u8, Kind)] = &[
    ([169, 254, 169, 254], 32, Kind::Metadata),
    // Tasks of Amazon's containers.
    ([169, 254, 170, 2], 32, Kind::Metadata),
    // Alibaba.
    ([100, 100, 100, 200], 32, Kind::Metadata),
    // Azure's platform; in a public block.
    ([168, 63, 129, 16], 32, Kind::Metadata),
    // Oracle.
    ([192, 0, 0, 192], 32, Kind::Metadata),
    ([0, 0, 0, 0], 8, Kind::Unspecified),
    ([10, 0, 0, 0], 8, Kind::Private),
    ([100, 64, 0, 0], 10, Kind::Shared),
    ([127, 0, 0, 0], 8, Kind::Loopback),
    ([169, 254, 0, 0], 16, Kind::LinkLocal),
    ([172, 16, 0, 0], 12, Kind::Private),
    ([192, 0, 0, 0], 24, Kind::Reserved),
    ([192, 0, 2, 0], 24, Kind::Documentation),
    // Relays of 6to4.
    ([192, 88, 99, 0], 24, Kind::Reserved),
    ([192, 168, 0, 0], 16, Kind::Private),
    ([198, 18, 0, 0], 15, Kind::Benchmarking),
    ([198, 51, 100, 0], 24, Kind::Documentation),
    ([203, 0, 113, 0], 24, Kind::Documentation),
    ([224, 0, 0, 0], 4, Kind::Multicast),
    ([255, 255, 255, 255], 32, Kind::Broadcast),
    ([240, 0, 0, 0], 4, Kind::Reserved),
];

/// IPv6 blocks that are not public, a narrower one before the wider. What is in none of them and outside 2000::/3 is reserved.
const V6: &[([u16; 8], u8, Kind)] = &[
    ([0, 0, 0, 0, 0, 0, 0, 0], 128, Kind::Unspecified),
    ([0, 0, 0, 0, 0, 0, 0, 1], 128, Kind::Loopback),
    // Compatible, mapped, translated.
    ([0, 0, 0, 0, 0, 0, 0, 0], 96, Kind::Embedded),
    ([0, 0, 0, 0, 0, 0xffff, 0, 0], 96, Kind::Embedded),
    ([0, 0, 0, 0, 0xffff, 0, 0, 0], 96, Kind::Embedded),
    // NAT64.
    ([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96, Kind::Embedded),
    ([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48, Kind::Embedded),
    // Teredo, 6to4.
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 32, Kind::Embedded),
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, Kind::Embedded),
    ([0x2001, 2, 0, 0, 0, 0, 0, 0], 48, Kind::Benchmarking),
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32, Kind::Documentation),
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20, Kind::Documentation),
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23, Kind::Reserved),
    // Amazon, Google.
    ([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0], 32, Kind::Metadata),
    ([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128, Kind::Metadata),
    ([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, Kind::Private),
    ([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, Kind::LinkLocal),
    // Site-local, as it was once.
    ([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10, Kind::Private),
    ([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, Kind::Multicast),
];

/// Why an address is not public. None: it is.
#[must_use]
pub fn refused(address: IpAddr) -> Option<Kind> {
    match address {
        IpAddr::V4(address) => {
            let blocks = V4
                .iter()
                .map(|(base, bits, kind)| (Network::V4(Ipv4Addr::from(*base), *bits), *kind));
            within(blocks, address.into())
        }
        IpAddr::V6(address) => {
            let blocks = V6
                .iter()
                .map(|(base, bits, kind)| (Network::V6(Ipv6Addr::from(*base), *bits), *kind));
            let segments = address.segments();
            // ISATAP: a host's number of 0:5efe:a.b.c.d, or 200:5efe:a.b.c.d.
            let isatap = segments[4] & 0xfdff == 0 && segments[5] == 0x5efe;
            within(blocks, address.into())
                .or_else(|| isatap.then_some(Kind::Embedded))
                .or_else(|| (segments[0] & 0xe000 != 0x2000).then_some(Kind::Reserved))
        }
    }
}

fn within(mut blocks: impl Iterator<Item = (Network, Kind)>, address: IpAddr) -> Option<Kind> {
    let block = blocks.find(|(network, _)| network.contains(address));
    block.map(|(_, kind)| kind)
}

/// A network: an address and how many of its bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Of IPv4.
    V4(Ipv4Addr, u8),
    /// Of IPv6.
    V6(Ipv6Addr, u8),
}

/// The text is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a network is an address, or an address and a number of bits: 10.1.0.0/16, fd00::/8")]
pub struct NetworkError;

impl Network {
    /// Whether an address is in it. An IPv4 address inside an IPv6 one is not in a network of IPv4.
    #[must_use]
    pub fn contains(self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::V4(base, bits), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
                (base.to_bits() ^ address.to_bits()) & mask == 0
            }
            (Self::V6(base, bits), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
                (base.to_bits() ^ address.to_bits()) & mask == 0
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().map_err(|_| NetworkError)?)),
            None => (text, None),
        };
        let network = match address.parse().map_err(|_| NetworkError)? {
            IpAddr::V4(address) => Self::V4(address, bits.unwrap_or(32)),
            IpAddr::V6(address) => Self::V6(address, bits.unwrap_or(128)),
        };
        match network {
            Self::V4(_, 0..=32) | Self::V6(_, 0..=128) => Ok(network),
            _ => Err(NetworkError),
        }
    }
}
