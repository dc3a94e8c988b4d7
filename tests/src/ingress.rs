//! A `gramtap-ingress` process of a test's own.
//!
//! In: an installation (`installation.rs`), the simulated Telegram's address. Out: the addresses of
//! its two listeners, its log. Invariant: as of every service (`service.rs`).

use std::net::SocketAddr;
use std::ops::Deref;
use std::process::ExitStatus;

use crate::service::{Service, free_addresses};
use crate::{Client, Installation};

/// The domain of code hosts.
const DOMAIN: &str = "gramtap.test";

/// A running ingress.
#[derive(Debug)]
pub struct Ingress {
    service: Service,
    address: SocketAddr,
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

    /// Everything in one process, `gramtap up`, on the installation's registry.
    pub async fn up(installation: &Installation, telegram: &str, more: &[(&str, &str)]) -> Self {
        Self::run(&["gramtap", "up"], installation, "ingress", telegram, more).await
    }

    async fn run(
        line: &[&str],
        installation: &Installation,
        process: &str,
        telegram: &str,
        more: &[(&str, &str)],
    ) -> Self {
        let [address, _] = free_addresses();
        let (listen, public_url) = (address.to_string(), format!("http://{DOMAIN}"));
        let mut environment = vec![
            ("GRAMTAP_PUBLIC_URL", public_url.as_str()),
            ("GRAMTAP_TELEGRAM__URL", telegram),
            ("GRAMTAP_INGRESS__LISTEN", &listen),
            ("GRAMTAP_INGRESS__WORKERS", "2"),
        ];
        environment.extend(more);
        let service = Service::start(installation, line, process, &environment).await;
        Self { service, address }
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
