//! Whether a bot's webhook may be called, and at which address.
//!
//! In: the webhook's URL ([`Endpoint::parse`]), then the addresses that its name resolved to ([`Policy::check`]). Out: the addresses to
//! dial, or a [`Refusal`]. A bot's owner chooses the URL, so it must not become a way into the operator's network. Invariant: what is
//! returned was checked, and the caller dials that and nothing else: it does not resolve again, and follows no redirect.
//!
//! Hosts are read as browsers read them (crate `url`), so every way of writing an IPv4 address (decimal, octal, hexadecimal, with parts
//! left out, full-width digits) is one before it is checked; the request is made of what was read, never of the text. Which addresses
//! are refused: [`address`]. A name of which some addresses are refused is called at the others.

pub mod address;
#[cfg(any(test, feature = "conformance"))]
pub mod corpus;

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use gramtap_settings::{Networks, Settings, SettingsError};
use serde::Deserialize;
use url::{Host, Url};

pub use address::{Kind, refused};

/// Ports that Telegram delivers webhooks to.
pub const PORTS: [u16; 4] = [443, 80, 88, 8443];

/// What the operator allows.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Ports beside [`PORTS`].
    pub ports: Vec<u16>,
    /// Networks that may be called although they are not public.
    pub allow: Networks,
    /// `http` may be called too. Telegram delivers to `https` alone.
    pub clear: bool,
    /// A user and password in the URL are accepted; Telegram sends them as `Authorization: Basic`.
    pub credentials: bool,
}

/// A bot's webhook, as read from its URL.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: Url,
    host: Host<String>,
    port: u16,
}

/// Why a webhook is not called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// Not a URL.
    #[error("the webhook is not a URL; write it as https://host/path")]
    Malformed,
    /// Neither https nor, where that is allowed, http.
    #[error("the webhook must begin with https://; the operator can allow http://")]
    Scheme,
    /// A user or a password is in it.
    #[error(
        "the webhook holds a user or password; use the secret token instead, or have the operator allow it"
    )]
    Credentials,
    /// There is no host.
    #[error("the webhook has no host; write it as https://host/path")]
    HostMissing,
    /// The host ends in a dot.
    #[error("the webhook's host ends in a dot; write it without")]
    HostDot,
    /// The port is none of those allowed.
    #[error(
        "the webhook's port {0} is not allowed; use 443, 80, 88 or 8443, or have the operator allow it"
    )]
    Port(u16),
    /// The name resolved to nothing.
    #[error("the webhook's host has no address; check its DNS records")]
    AddressMissing,
    /// All addresses are of kinds that are not called; this is the first of them.
    #[error(
        "the webhook's address is {0}; use a public one, or have the operator allow its network"
    )]
    Address(Kind),
}

impl Refusal {
    /// A fixed word for metrics and records.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Malformed => "url_malformed",
            Self::Scheme => "url_scheme",
            Self::Credentials => "url_credentials",
            Self::HostMissing => "host_missing",
            Self::HostDot => "host_dot",
            Self::Port(_) => "url_port",
            Self::AddressMissing => "address_missing",
            Self::Address(kind) => kind.label(),
        }
    }
}

impl Endpoint {
    /// Reads a webhook's URL.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let url = Url::parse(text).map_err(|error| match error {
            url::ParseError::EmptyHost => Refusal::HostMissing,
            _ => Refusal::Malformed,
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refusal::Scheme);
        }
        let host = url.host().ok_or(Refusal::HostMissing)?.to_owned();
        if matches!(&host, Host::Domain(name) if name.ends_with('.')) {
            return Err(Refusal::HostDot);
        }
        let port = url.port_or_known_default().ok_or(Refusal::Malformed)?;
        Ok(Self { url, host, port })
    }

    /// The name to resolve. None: the host is an address already.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match &self.host {
            Host::Domain(name) => Some(name),
            Host::Ipv4(_) | Host::Ipv6(_) => None,
        }
    }

    /// The URL as it was read: what the request's target, `Host` and server name are made of. It may hold secrets.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The port to dial.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for Endpoint {
    /// Scheme and host, and the port where it is not the scheme's own: what records may hold.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.url.scheme(), self.host)?;
        match self.url.port() {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What is read here of `[webhooks]`; the other keys are those of who takes webhooks over and of who delivers.
#[derive(Deserialize)]
struct Section {
    allow: Networks,
    ports: Vec<String>,
    http: bool,
}

impl Policy {
    /// Reads `[webhooks]`.
    ///
    /// # Errors
    /// Names the key that is refused, and what is expected.
    pub fn load(settings: &Settings) -> Result<Self, SettingsError> {
        let section: Section = settings.section("webhooks")?;
        let ports = section.ports.iter().map(|port| port.parse());
        let ports = ports.collect::<Result<_, _>>();
        Ok(Self {
            ports: ports
                .map_err(|_| settings.refuse("webhooks.ports", "ports such as [\"8080\"]"))?,
            allow: section.allow,
            clear: section.http,
            credentials: true,
        })
    }

    /// The addresses to dial, in the resolver's order; never none. `resolved`: what [`Endpoint::name`] resolved to; not looked at where
    /// the host is an address.
    pub fn check(
        &self,
        endpoint: &Endpoint,
        resolved: &[IpAddr],
    ) -> Result<Vec<SocketAddr>, Refusal> {
        self.admit(endpoint)?;
        let literal;
        let addresses = match endpoint.host {
            Host::Domain(_) => resolved,
            Host::Ipv4(address) => {
                literal = [IpAddr::V4(address)];
                &literal
            }
            Host::Ipv6(address) => {
                literal = [IpAddr::V6(address)];
                &literal
            }
        };
        let mut refusal = Refusal::AddressMissing;
        let mut dial = Vec::with_capacity(addresses.len());
        for address in addresses {
            match address::refused(*address) {
                Some(kind) if !self.allow.contains(*address) => {
                    if refusal == Refusal::AddressMissing {
                        refusal = Refusal::Address(kind);
                    }
                }
                _ => dial.push(SocketAddr::new(*address, endpoint.port)),
            }
        }
        match dial.is_empty() {
            true => Err(refusal),
            false => Ok(dial),
        }
    }

    /// What can be said before the name is resolved: of the scheme, the port, credentials.
    pub fn admit(&self, endpoint: &Endpoint) -> Result<(), Refusal> {
        let url = &endpoint.url;
        if url.scheme() == "http" && !self.clear {
            return Err(Refusal::Scheme);
        }
        let credentials = !url.username().is_empty() || url.password().is_some();
        if credentials && !self.credentials {
            return Err(Refusal::Credentials);
        }
        match endpoint.port {
            port if PORTS.contains(&port) || self.ports.contains(&port) => Ok(()),
            port => Err(Refusal::Port(port)),
        }
    }
}

#[cfg(test)]
mod tests;
