//! Whether Telegram can push to this installation.
//!
//! In: `public_url`, the host of the Bot API. Out: nothing, or why it cannot: for a webhook that is taken over, for `gramtap doctor` and whoever prints an address.
//! Invariant: of Telegram's own service its documented rules; a Bot API server of one's own pushes wherever it is told. Pure: no name is looked up.

use std::net::IpAddr;

use gramtap_outbound::guard::{PORTS, refused};
use url::{Host, Url};

/// Telegram's own service.
const CLOUD: &str = "api.telegram.org";

/// Why Telegram cannot push here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreachable {
    /// It is no address.
    #[error("public_url is no address such as https://gramtap.example.org")]
    Malformed,
    /// It is not https.
    #[error("public_url does not begin with https://, and Telegram pushes to nothing else")]
    Clear,
    /// Telegram does not push to the port.
    #[error("public_url has the port {0}, and Telegram pushes to 443, 80, 88 and 8443 alone")]
    Port(u16),
    /// The host is this machine or in a network of its own.
    #[error("public_url names this machine or a private network, where Telegram cannot reach it")]
    Private,
}

/// Whether the Bot API at `api_host` is Telegram's own service, with its rules for webhooks.
#[must_use]
pub fn is_cloud(api_host: &str) -> bool {
    api_host.eq_ignore_ascii_case(CLOUD)
}

/// Whether what is at `api_host` can push to `url`.
///
/// # Errors
/// Why not.
pub fn reaches(api_host: &str, url: &str) -> Result<(), Unreachable> {
    let url = Url::parse(url).map_err(|_| Unreachable::Malformed)?;
    let host = url.host().ok_or(Unreachable::Malformed)?;
    let port = url.port_or_known_default();
    let port = port.filter(|port| *port != 0);
    let port = port.ok_or(Unreachable::Malformed)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Unreachable::Malformed);
    }
    if !is_cloud(api_host) {
        return Ok(());
    }
    if url.scheme() != "https" {
        return Err(Unreachable::Clear);
    }
    if !PORTS.contains(&port) {
        return Err(Unreachable::Port(port));
    }
    let private = match host {
        Host::Ipv4(address) => refused(IpAddr::V4(address)).is_some(),
        // Telegram pushes over IPv4.
        Host::Ipv6(_) => true,
        Host::Domain(name) => is_local(name),
    };
    match private {
        true => Err(Unreachable::Private),
        false => Ok(()),
    }
}

/// Names that no public resolver knows.
fn is_local(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    match name.rsplit_once('.') {
        None => true,
        Some((_, last)) => {
            ["local", "localhost", "internal", "test", "invalid", "lan"].contains(&last)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telegram_pushes_to_public_https_alone() {
        let table = [
            ("https://gramtap.example.org", Ok(())),
            ("https://gramtap.example.org:8443/below", Ok(())),
            ("https://8.8.8.8", Ok(())),
            ("http://gramtap.example.org", Err(Unreachable::Clear)),
            ("http://127.0.0.1:8080", Err(Unreachable::Clear)),
            (
                "https://gramtap.example.org:8080",
                Err(Unreachable::Port(8080)),
            ),
            ("https://localhost", Err(Unreachable::Private)),
            ("https://gramtap.localhost", Err(Unreachable::Private)),
            ("https://gramtap.test", Err(Unreachable::Private)),
            ("https://gramtap", Err(Unreachable::Private)),
            ("https://10.0.0.1", Err(Unreachable::Private)),
            ("https://[2001:db8::1]", Err(Unreachable::Private)),
            ("ftp://gramtap.example.org", Err(Unreachable::Malformed)),
            ("gramtap.example.org", Err(Unreachable::Malformed)),
            ("https://gramtap.example.org:0", Err(Unreachable::Malformed)),
        ];
        for (url, expected) in table {
            assert_eq!(reaches(CLOUD, url), expected, "{url}");
            let own = expected == Err(Unreachable::Malformed);
            assert_eq!(reaches("127.0.0.1", url).is_err(), own, "{url}");
        }
    }
}
