//! Starts and stops a simulator.
//!
//! In: [`SimulatorConfig`]. Out: listeners (`listen.rs`), and [`Control`] for whoever drives it.
//! Invariant: when [`Simulator::start`] returns, all addresses accept; when [`Simulator::shutdown`]
//! returns, no task of it is left and every socket is closed. Dropping it does the same, later.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::config::SimulatorConfig;
use crate::connection::Serves;
use crate::control::Control;
use crate::listen;
use crate::push::postman;
use crate::shared::Shared;
use crate::tls::{self, TlsError};

/// A running simulator.
#[derive(Debug)]
pub struct Simulator {
    shared: Arc<Shared>,
    http: Option<SocketAddr>,
    https: Option<SocketAddr>,
    control: Option<SocketAddr>,
    listeners: JoinSet<()>,
    stop: DropGuard,
}

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address cannot be listened on.
    #[error("listening on {address}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The certificates could not be made.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Neither `listen` nor `tls_listen` is set.
    #[error("there is no address to listen on")]
    Nowhere,
}

impl Simulator {
    /// Starts one.
    ///
    /// # Errors
    ///
    /// If an address is taken, or none is given.
    pub async fn start(config: SimulatorConfig) -> Result<Self, StartError> {
        if config.listen.is_none() && config.tls_listen.is_none() {
            return Err(StartError::Nowhere);
        }
        let (ca_pem, tls) = tls::make(&config.tls_names)?;
        let bots = if config.control_listen.is_some() {
            Serves::Bots
        } else {
            Serves::Both
        };
        let places = [
            (config.listen, None, bots),
            (config.tls_listen, Some(tls), bots),
            (config.control_listen, None, Serves::Control),
        ];
        let shared = Arc::new(Shared::new(config, ca_pem));
        let stop = CancellationToken::new();
        let mut listeners = JoinSet::new();
        let mut bound = [None; 3];
        for (at, (address, tls, serves)) in places.into_iter().enumerate() {
            let Some(address) = address else {
                continue;
            };
            let failed = |source| StartError::Listen { address, source };
            let listener = listen::bind(address).map_err(failed)?;
            bound[at] = Some(listener.local_addr().map_err(failed)?);
            listeners.spawn(listen::accept(
                Arc::clone(&shared),
                listener,
                tls,
                serves,
                stop.clone(),
            ));
        }
        listeners.spawn(postman::run(Arc::clone(&shared), stop.clone()));
        let [http, https, control] = bound;
        Ok(Self {
            shared,
            http,
            https,
            control,
            listeners,
            stop: stop.drop_guard(),
        })
    }

    /// Where plain HTTP is served.
    #[must_use]
    pub fn http_addr(&self) -> Option<SocketAddr> {
        self.http
    }

    /// Where HTTPS is served.
    #[must_use]
    pub fn tls_addr(&self) -> Option<SocketAddr> {
        self.https
    }

    /// Where the control API is served, if not beside the Bot API.
    #[must_use]
    pub fn control_addr(&self) -> Option<SocketAddr> {
        self.control
    }

    /// `http://127.0.0.1:port`, the base that bots are pointed at; empty if there is no plain listener.
    #[must_use]
    pub fn http_url(&self) -> String {
        self.http
            .map(|address| format!("http://{address}"))
            .unwrap_or_default()
    }

    /// `https://localhost:port`; empty if there is no TLS listener. Trusts [`Simulator::ca_pem`].
    #[must_use]
    pub fn tls_url(&self) -> String {
        self.https
            .map(|address| format!("https://localhost:{}", address.port()))
            .unwrap_or_default()
    }

    /// The base of the control API: `http://address/simulator`.
    #[must_use]
    pub fn control_url(&self) -> String {
        match (self.control, self.http) {
            (Some(address), _) | (None, Some(address)) => format!("http://{address}/simulator"),
            (None, None) => format!("{}/simulator", self.tls_url()),
        }
    }

    /// The certificate authority of the HTTPS listener, as PEM.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.shared.ca_pem
    }

    /// Drives the people in it, and shows what arrived.
    #[must_use]
    pub fn control(&self) -> Control {
        Control::new(Arc::clone(&self.shared))
    }

    /// Closes all listeners and connections and waits until they are gone.
    pub async fn shutdown(mut self) {
        drop(self.stop);
        while let Some(ended) = self.listeners.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a listener's task failed");
            }
        }
    }
}
