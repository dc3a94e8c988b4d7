//! A `gramtap-ingress` process of a test's own.
//!
//! In: an installation (`installation.rs`), the simulated Telegram's address. Out: the addresses of
//! its two listeners, its log. Invariant: as of every service (`service.rs`).

use std::net::SocketAddr;
use std::ops::Deref;
use std::process::ExitStatus;

use crate::forwarder::{self, Round};
use crate::service::Service;
use crate::{Client, Installation, free_addresses};

/// The domain of code hosts.
const DOMAIN: &str = "gramtap.test";

/// A running ingress.
#[derive(Debug)]
pub struct Ingress {
    service: Service,
    address: SocketAddr,
    /// With everything else it forwards, too.
    _round: Option<Round>,
}

impl Ingress {
    /// Starts one that relays to `telegram`. `process` names its folder in the installation.
    pub async fn start(installation: &Installation, process: &str, telegram: &str) -> Self {
        Self::with(installation, process, telegram, &[]).await
    }

    /// The same, with more in its environment.
    pub async fn with(
        installation: &Installation,
        process: &str,
        telegram: &str,
        more: &[(&str, &str)],
    ) -> Self {
        let line = ["gramtap-ingress"];
        Self::run(&line, installation, process, telegram, more).await
    }

    /// One that tells the address which it is reached at on this machine.
    pub async fn reachable(
        installation: &Installation,
        telegram: &str,
        more: &[(&str, &str)],
    ) -> Self {
        Self::reached(&["gramtap-ingress"], installation, telegram, more).await
    }

    /// The same, with everything else in its process.
    pub async fn reachable_up(
        installation: &Installation,
        telegram: &str,
        more: &[(&str, &str)],
    ) -> Self {
        let round = forwarder::turn(installation.stores()).await;
        let mut up = Self::reached(&["gramtap", "up"], installation, telegram, more).await;
        up._round = Some(round);
        up
    }

    async fn reached(
        line: &[&str],
        installation: &Installation,
        telegram: &str,
        more: &[(&str, &str)],
    ) -> Self {
        let [address] = free_addresses();
        let (listen, public_url) = (address.to_string(), format!("http://{address}"));
        let mut own = vec![
            ("GRAMTAP_PUBLIC_URL", public_url.as_str()),
            ("GRAMTAP_INGRESS__LISTEN", &listen),
        ];
        own.extend(more);
        let started = Self::run(line, installation, "ingress", telegram, &own).await;
        Self { address, ..started }
    }

    /// Everything in one process, `gramtap up`, on the installation's registry.
    pub async fn up(installation: &Installation, telegram: &str, more: &[(&str, &str)]) -> Self {
        let round = forwarder::turn(installation.stores()).await;
        let line = ["gramtap", "up"];
        let mut up = Self::run(&line, installation, "ingress", telegram, more).await;
        up._round = Some(round);
        up
    }

    async fn run(
        line: &[&str],
        installation: &Installation,
        process: &str,
        telegram: &str,
        more: &[(&str, &str)],
    ) -> Self {
        let [address] = free_addresses();
        let (listen, public_url) = (address.to_string(), format!("http://{DOMAIN}"));
        let mut environment = vec![
            ("GRAMTAP_PUBLIC_URL", public_url.as_str()),
            ("GRAMTAP_TELEGRAM__URL", telegram),
            ("GRAMTAP_INGRESS__LISTEN", &listen),
            ("GRAMTAP_INGRESS__WORKERS", "2"),
            // As long as it may be: a broker that all tests share takes its time.
            ("GRAMTAP_INGRESS__INBOX_PATIENCE", "10s"),
        ];
        environment.extend(more);
        let service = Service::start(installation, line, process, &environment).await;
        Self {
            service,
            address,
            _round: None,
        }
    }

    /// The host of a code.
    #[must_use]
    pub fn host_of(code: &str) -> String {
        format!("{code}.{DOMAIN}")
    }

    /// Where bots connect.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A bot's connection to it.
    pub async fn client(&self) -> Client {
        Client::connect(self.address).await
    }

    /// Waits until it has ended.
    pub async fn ended(self) -> ExitStatus {
        self.service.ended().await
    }

    /// Ends it; it has to end in order.
    pub async fn stop(self) {
        self.service.stop().await;
    }
}

impl Deref for Ingress {
    type Target = Service;

    fn deref(&self) -> &Service {
        &self.service
    }
}
