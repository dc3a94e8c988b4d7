//! A server that calls are sent to.
//!
//! In: a URL, a file of authorities and a local address, from the configuration. Out: what
//! `dial` needs to connect, what `request` writes as `Host` and before each target, and the
//! key that `pool` keeps idle connections under.
//! Invariant: nothing of a call is ever part of it: host, port and trust come from the
//! configuration alone, or from a bot's webhook, which `guard` watches over.

mod telegram;

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use rustls::ClientConfig;
use rustls_pki_types::ServerName;

use crate::{
    dial::Resolved,
    guard::{Endpoint, Policy, Refusal},
    tls::{self, Authorities},
};

/// A server that calls are sent to. Clones are the same upstream and share its connections,
/// its addresses and its TLS sessions; two that were made apart share nothing.
#[derive(Clone)]
pub struct Upstream(Arc<Inner>);

struct Inner {
    id: u64,
    scheme: Scheme,
    /// Without brackets.
    host: String,
    port: u16,
    /// As in `Host`: the port only if it is not the scheme's own.
    authority: String,
    /// Path before every target, without a slash at its end.
    prefix: String,
    tls: Option<Tls>,
    bind: Option<IpAddr>,
    resolved: Resolved,
    /// For an upstream that somebody else has chosen.
    guard: Option<(Endpoint, Arc<Policy>)>,
}

pub(crate) struct Tls {
    pub(crate) config: Arc<ClientConfig>,
    pub(crate) name: ServerName<'static>,
}

/// How an upstream is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// In clear.
    Http,
    /// Over TLS.
    Https,
}

/// Why an upstream cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpstreamError {
    /// Not a URL. The URL itself is not part of the text: it may hold credentials.
    #[error("the upstream's url is not valid")]
    Url(#[source] url::ParseError),
    /// Neither http nor https.
    #[error("the upstream's url must begin with http:// or https://")]
    Scheme,
    /// The URL has a part that an upstream cannot have.
    #[error("the upstream's url must not have {0}")]
    Part(&'static str),
    /// The host cannot be named in a certificate.
    #[error("the upstream's host is not a server name")]
    Host,
    /// The file of authorities was not read.
    #[error("the authorities in {path} were not read")]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What was wrong.
        #[source]
        source: rustls_pki_types::pem::Error,
    },
    /// The file of authorities holds no certificate that can be one.
    #[error("{path} holds no usable authority")]
    NoAuthority {
        /// The file.
        path: PathBuf,
    },
    /// TLS itself could not be set up.
    #[error("tls was not set up")]
    Tls(#[source] rustls::Error),
}

impl Upstream {
    /// An upstream from its URL: scheme, host, port, and a path that is put before every
    /// target. `ca_file`: a PEM file of authorities trusted besides the public ones. `bind`:
    /// the local address that connections are made from.
    ///
    /// # Errors
    /// Says which of the three cannot be used.
    pub fn new(
        url: &str,
        ca_file: Option<&Path>,
        bind: Option<IpAddr>,
    ) -> Result<Self, UpstreamError> {
        let url = url::Url::parse(url).map_err(UpstreamError::Url)?;
        let parts = [
            (
                "a user or password",
                !url.username().is_empty() || url.password().is_some(),
            ),
            ("a query", url.query().is_some()),
            ("a fragment", url.fragment().is_some()),
        ];
        if let Some((part, _)) = parts.into_iter().find(|(_, found)| *found) {
            return Err(UpstreamError::Part(part));
        }
        let prefix = url.path().trim_end_matches('/').to_owned();
        let authorities = ca_file.map_or(Authorities::None, Authorities::File);
        Self::build(&url, prefix, authorities, bind, None)
    }

    /// An upstream that somebody else has chosen: a bot's webhook. It is called only at addresses that `policy` admits, each
    /// time they are resolved. Targets are the caller's: nothing of the URL but scheme, host and port is used. `ca`: authorities
    /// trusted besides the public ones, as PEM.
    ///
    /// # Errors
    /// Says what cannot be used. Whether it may be called is said by [`Cause::Blocked`](crate::Cause::Blocked) when it is.
    pub fn guarded(
        endpoint: &Endpoint,
        policy: &Arc<Policy>,
        ca: Option<&str>,
        bind: Option<IpAddr>,
    ) -> Result<Self, UpstreamError> {
        let authorities = ca.map_or(Authorities::None, Authorities::Text);
        let guard = (endpoint.clone(), Arc::clone(policy));
        Self::build(
            endpoint.url(),
            String::new(),
            authorities,
            bind,
            Some(guard),
        )
    }

    /// The same at a fixed address, in place of what its name resolves to. A guard looks at it all the same. Only before it is shared.
    #[must_use]
    pub fn at(mut self, address: IpAddr) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.resolved = Resolved::fixed(SocketAddr::new(address, inner.port));
        }
        self
    }

    /// The same where a test says what its name leads to. Only before it is shared.
    #[cfg(test)]
    pub(crate) fn resolving(mut self, resolved: Resolved) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.resolved = resolved;
        }
        self
    }

    fn build(
        url: &url::Url,
        prefix: String,
        authorities: Authorities<'_>,
        bind: Option<IpAddr>,
        guard: Option<(Endpoint, Arc<Policy>)>,
    ) -> Result<Self, UpstreamError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);

        let scheme = match url.scheme() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return Err(UpstreamError::Scheme),
        };
        let bracketed = url.host_str().ok_or(UpstreamError::Host)?;
        let host = bracketed
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let port = url.port_or_known_default().ok_or(UpstreamError::Scheme)?;
        let authority = match url.port() {
            Some(port) => format!("{bracketed}:{port}"),
            None => bracketed.to_owned(),
        };
        let tls = match scheme {
            Scheme::Http => None,
            Scheme::Https => Some(Tls {
                config: tls::client_config(authorities)?,
                name: ServerName::try_from(host.clone()).map_err(|_| UpstreamError::Host)?,
            }),
        };
        let resolved = match host.parse::<IpAddr>() {
            Ok(address) => Resolved::fixed(SocketAddr::new(address, port)),
            Err(_) => Resolved::unknown(),
        };
        Ok(Self(Arc::new(Inner {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            scheme,
            host,
            port,
            authority,
            prefix,
            tls,
            bind,
            resolved,
            guard,
        })))
    }

    /// What the guard says before the name is looked up: whoever may not be called is not even asked for.
    pub(crate) fn admissible(&self) -> Result<(), Refusal> {
        match &self.0.guard {
            Some((endpoint, policy)) => policy.admit(endpoint),
            None => Ok(()),
        }
    }

    /// Of the addresses that were resolved, those that may be dialled.
    pub(crate) fn admitted(
        &self,
        addresses: Arc<[SocketAddr]>,
    ) -> Result<Arc<[SocketAddr]>, Refusal> {
        let Some((endpoint, policy)) = &self.0.guard else {
            return Ok(addresses);
        };
        let resolved: Vec<IpAddr> = addresses.iter().map(SocketAddr::ip).collect();
        policy.check(endpoint, &resolved).map(Into::into)
    }

    /// How it is spoken to.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.0.scheme
    }

    /// Its name or address, without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.0.host
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port
    }

    /// What is written as `Host`.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.0.authority
    }

    pub(crate) fn id(&self) -> u64 {
        self.0.id
    }

    pub(crate) fn prefix(&self) -> &[u8] {
        self.0.prefix.as_bytes()
    }

    pub(crate) fn tls(&self) -> Option<&Tls> {
        self.0.tls.as_ref()
    }

    pub(crate) fn bind(&self) -> Option<IpAddr> {
        self.0.bind
    }

    pub(crate) fn resolved(&self) -> &Resolved {
        &self.0.resolved
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream")
            .field("scheme", &self.0.scheme)
            .field("authority", &self.0.authority)
            .field("bind", &self.0.bind)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use gramtap_settings::Networks;

    #[test]
    fn a_url_gives_authority_port_and_prefix() {
        let table = [
            ("http://h", "h", 80, ""),
            ("http://h:80/", "h", 80, ""),
            ("http://h:8081/base/", "h:8081", 8081, "/base"),
            ("https://API.telegram.org", "api.telegram.org", 443, ""),
            ("http://[::1]:9", "[::1]:9", 9, ""),
            ("https://127.0.0.1", "127.0.0.1", 443, ""),
        ];
        for (url, authority, port, prefix) in table {
            let upstream = Upstream::new(url, None, None).unwrap();
            assert_eq!(upstream.authority(), authority, "{url}");
            assert_eq!(upstream.port(), port, "{url}");
            assert_eq!(upstream.prefix(), prefix.as_bytes(), "{url}");
        }
        assert_eq!(
            Upstream::new("http://[::1]:9", None, None).unwrap().host(),
            "::1"
        );
    }

    #[test]
    fn what_is_no_upstream_is_refused() {
        for url in [
            "",
            "h:80",
            "ftp://h",
            "http://u:p@h",
            "http://h/?q",
            "http://h/#f",
        ] {
            let error = Upstream::new(url, None, None).unwrap_err();
            assert!(!error.to_string().contains("u:p"), "{url}");
        }
        let missing = Upstream::new("https://h", Some(Path::new("/nowhere/ca.pem")), None);
        assert!(matches!(missing, Err(UpstreamError::CaFile { .. })));
    }

    #[tokio::test]
    async fn a_guarded_upstream_is_dialled_where_it_may_be_and_nowhere_else() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let patience = std::time::Duration::from_secs(30);
        for host in ["localhost", "127.0.0.1", "2130706433"] {
            let endpoint = Endpoint::parse(&format!("http://{host}:{port}/AAcanary?x")).unwrap();
            let open = Policy {
                ports: vec![port],
                clear: true,
                allow: std::iter::once("127.0.0.0/8".parse().unwrap()).collect(),
                ..Policy::default()
            };
            let closed = Policy {
                allow: Networks::default(),
                ..open.clone()
            };
            let dial = async |policy: Policy| {
                let upstream = Upstream::guarded(&endpoint, &Arc::new(policy), None, None).unwrap();
                assert_eq!(upstream.prefix(), b"");
                assert!(!format!("{upstream:?}").contains("AAcanary"));
                crate::dial::dial(&upstream, patience).await.map(drop)
            };
            dial(open).await.unwrap();
            let fault = dial(closed).await.unwrap_err();
            assert_eq!(
                (fault.label(), fault.sent()),
                ("address_loopback", false),
                "{host}"
            );
        }
    }

    #[test]
    fn workers_share_it() {
        fn shared<T: Send + Sync>() {}
        shared::<Upstream>();
        shared::<crate::Fault>();
    }
}
