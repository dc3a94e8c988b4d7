//! The addresses of a bot.
//!
//! In: `public_url` and a tenant. Out: [`Addresses`], to `gramtap bots` and the console. Invariant: an address is given
//! only where it can work: an IP address has no names below it. Pure.

use url::{Host, Url};

use crate::Tenant;

/// Where a bot may send its calls; none ends with a slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// The shared host: for a bot whose id is known.
    pub shared: String,
    /// Below `/c/`: for every bot, not with every library.
    pub path: String,
    /// A host of its own, where `public_url` has a name.
    pub host: Option<String>,
}

impl Addresses {
    /// Those of a tenant below `public_url`.
    #[must_use]
    pub fn of(public_url: &str, tenant: &Tenant) -> Self {
        Self::with_code(public_url.trim_end_matches('/'), tenant.code.as_str())
    }

    fn with_code(public_url: &str, code: &str) -> Self {
        Self {
            shared: public_url.to_owned(),
            path: format!("{public_url}/c/{code}"),
            host: host(public_url, code),
        }
    }

    /// The one that works for this bot in most libraries.
    #[must_use]
    pub fn best(&self, bot_known: bool) -> &str {
        match (&self.host, bot_known) {
            (_, true) => &self.shared,
            (Some(host), false) => host,
            (None, false) => &self.path,
        }
    }
}

fn host(public_url: &str, code: &str) -> Option<String> {
    let url = Url::parse(public_url).ok()?;
    let Host::Domain(name) = url.host()? else {
        return None;
    };
    let port = url
        .port()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    Some(format!("{}://{code}.{name}{port}", url.scheme()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_hosts_of_their_own_and_numbers_have_none() {
        for (public_url, host) in [
            (
                "https://gramtap.example.com",
                Some("https://code.gramtap.example.com"),
            ),
            (
                "https://gramtap.example.com:8443",
                Some("https://code.gramtap.example.com:8443"),
            ),
            ("http://localhost:8080", Some("http://code.localhost:8080")),
            ("http://127.0.0.1:8080", None),
            ("http://[::1]:8080", None),
        ] {
            let addresses = Addresses::with_code(public_url, "code");
            assert_eq!(addresses.shared, public_url);
            assert_eq!(addresses.path, format!("{public_url}/c/code"));
            assert_eq!(addresses.host.as_deref(), host);
            assert_eq!(addresses.best(true), public_url);
            assert_eq!(addresses.best(false), host.unwrap_or(&addresses.path));
        }
    }
}
