//! Which addresses are public.
//!
//! In: an address. Out: why it is not one to call ([`Kind`]), if so. Sources: IANA's registries of
//! special-purpose addresses. Invariant: of IPv6 only what is in 2000::/3 and in no special block is public; addresses that carry an
//! IPv4 address inside are refused as such, whatever it is, because something on the way would take it out again.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

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
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Unspecified,
        Self::Loopback,
        Self::Private,
        Self::Shared,
        Self::LinkLocal,
        Self::Metadata,
        Self::Multicast,
        Self::Broadcast,
        Self::Documentation,
        Self::Benchmarking,
        Self::Embedded,
        Self::Reserved,
    ];

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
const V4: &[(Ipv4Net, Kind)] = &[
    (v4([169, 254, 169, 254], 32), Kind::Metadata),
    // Tasks of Amazon's containers.
    (v4([169, 254, 170, 2], 32), Kind::Metadata),
    // Alibaba.
    (v4([100, 100, 100, 200], 32), Kind::Metadata),
    // Azure's platform; in a public block.
    (v4([168, 63, 129, 16], 32), Kind::Metadata),
    // Oracle.
    (v4([192, 0, 0, 192], 32), Kind::Metadata),
    (v4([0, 0, 0, 0], 8), Kind::Unspecified),
    (v4([10, 0, 0, 0], 8), Kind::Private),
    (v4([100, 64, 0, 0], 10), Kind::Shared),
    (v4([127, 0, 0, 0], 8), Kind::Loopback),
    (v4([169, 254, 0, 0], 16), Kind::LinkLocal),
    (v4([172, 16, 0, 0], 12), Kind::Private),
    (v4([192, 0, 0, 0], 24), Kind::Reserved),
    (v4([192, 0, 2, 0], 24), Kind::Documentation),
    // Relays of 6to4.
    (v4([192, 88, 99, 0], 24), Kind::Reserved),
    (v4([192, 168, 0, 0], 16), Kind::Private),
    (v4([198, 18, 0, 0], 15), Kind::Benchmarking),
    (v4([198, 51, 100, 0], 24), Kind::Documentation),
    (v4([203, 0, 113, 0], 24), Kind::Documentation),
    (v4([224, 0, 0, 0], 4), Kind::Multicast),
    (v4([255, 255, 255, 255], 32), Kind::Broadcast),
    (v4([240, 0, 0, 0], 4), Kind::Reserved),
];

/// IPv6 blocks that are not public, a narrower one before the wider. What is in none of them and outside 2000::/3 is reserved.
const V6: &[(Ipv6Net, Kind)] = &[
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 128), Kind::Unspecified),
    (v6([0, 0, 0, 0, 0, 0, 0, 1], 128), Kind::Loopback),
    // Compatible, mapped, translated.
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 96), Kind::Embedded),
    (v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96), Kind::Embedded),
    (v6([0, 0, 0, 0, 0xffff, 0, 0, 0], 96), Kind::Embedded),
    // NAT64.
    (v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96), Kind::Embedded),
    (v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48), Kind::Embedded),
    // Teredo, 6to4.
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32), Kind::Embedded),
    (v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), Kind::Embedded),
    (v6([0x2001, 2, 0, 0, 0, 0, 0, 0], 48), Kind::Benchmarking),
    (
        v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
        Kind::Documentation,
    ),
    (v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), Kind::Documentation),
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), Kind::Reserved),
    // Amazon, Google.
    (v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0], 32), Kind::Metadata),
    (
        v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128),
        Kind::Metadata,
    ),
    (v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), Kind::Private),
    (v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), Kind::LinkLocal),
    // Site-local, as it was once.
    (v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10), Kind::Private),
    (v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), Kind::Multicast),
];

/// Why an address is not public. None: it is.
#[must_use]
pub fn refused(address: IpAddr) -> Option<Kind> {
    match address {
        IpAddr::V4(address) => {
            let block = V4.iter().find(|(net, _)| net.contains(&address));
            block.map(|(_, kind)| *kind)
        }
        IpAddr::V6(address) => {
            let block = V6.iter().find(|(net, _)| net.contains(&address));
            let segments = address.segments();
            // ISATAP: a host's number of 0:5efe:a.b.c.d, or 200:5efe:a.b.c.d.
            let isatap = segments[4] & 0xfdff == 0 && segments[5] == 0x5efe;
            block
                .map(|(_, kind)| *kind)
                .or_else(|| isatap.then_some(Kind::Embedded))
                .or_else(|| (segments[0] & 0xe000 != 0x2000).then_some(Kind::Reserved))
        }
    }
}

const fn v4([a, b, c, d]: [u8; 4], bits: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits)
}

const fn v6([a, b, c, d, e, f, g, h]: [u16; 8], bits: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), bits)
}
