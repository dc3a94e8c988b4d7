//! The life of a process: opened, waited for, ended.
//!
//! In: a [`ProcessConfig`]; signals; services that give up. Out: [`Parts`] to the services, an exit code.
//! Invariant: a signal that comes after [`Process::open`] drains, and the same again ends at once;
//! the operator's listener answers from before the services start until they have ended.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use anyhow::Context as _;
use gramtap_actors::{Signal, Signals, signals};
use gramtap_telemetry::{Condition, Guard};
use gramtap_tenants::Refreshing;

use crate::parts::{self, Parts};
use crate::prepare::{Exhausted, prepare};
use crate::{ProcessConfig, admin};

/// How long what follows the registry is waited for: it may wait for SQL.
const REGISTRY: Duration = Duration::from_secs(1);

/// A process that is running.
pub struct Process {
    /// What its services share.
    pub parts: Parts,
    started: Condition,
    refreshing: Refreshing,
    admin: Option<(SocketAddr, ServerHandle)>,
    signals: Signals,
    exhausted: Exhausted,
    /// Flushes the logs and traces; goes last.
    telemetry: Guard,
}

impl Process {
    /// Makes the process safe and opens what its services share. It is not ready, by the name of its first
    /// service, until [`Process::ready`].
    ///
    /// # Errors
    /// It cannot start as configured.
    pub async fn open(config: &ProcessConfig, service: &'static str) -> anyhow::Result<Self> {
        let (telemetry, exhausted) = prepare(&config.telemetry)?;
        let (parts, refreshing) = parts::open(config).await?;
        let started = parts.probes.condition(service);
        started.set(false, format!("{service} is starting"));
        let admin = match config.admin {
            Some(address) => Some(
                admin::serve(address, &parts.probes)
                    .with_context(|| format!("{address} cannot be listened on (admin.listen)"))?,
            ),
            None => None,
        };
        Ok(Self {
            parts,
            started,
            refreshing,
            admin,
            signals: signals()?,
            exhausted,
            telemetry,
        })
    }

    /// Where probes and metrics are, if anywhere.
    #[must_use]
    pub fn admin(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(|(address, _)| *address)
    }

    /// Says that the process is ready, once the bus was asked for.
    ///
    /// # Errors
    /// The bus makes no producer.
    pub async fn ready(&self) -> anyhow::Result<()> {
        parts::warm(&self.parts.bus, &self.parts.probes).await?;
        self.started.set(true, "");
        Ok(())
    }

    /// Waits for a signal, or until it is `over` by itself (whether well, it says), then drains and ends. `reload` is for
    /// files that are to be read again; `drain` says whether every step was done.
    pub async fn end(
        mut self,
        reload: impl Fn(),
        over: impl Future<Output = bool>,
        drain: impl Future<Output = bool>,
    ) -> ExitCode {
        tokio::pin!(over);
        let well = loop {
            tokio::select! {
                signal = self.signals.next() => match signal {
                    Signal::Reload => reload(),
                    Signal::Term | Signal::Second => break true,
                },
                () = self.exhausted.notified() => break false,
                well = &mut over => break well,
            }
        };
        let drained = tokio::select! {
            drained = drain => drained,
            // Whoever asks twice means it.
            () = another_term(&mut self.signals) => false,
        };
        if let Some((_, server)) = self.admin {
            server.stop(false).await;
        }
        tokio::time::timeout(REGISTRY, self.refreshing.stop())
            .await
            .ok();
        drop(self.telemetry);
        match drained && well {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        }
    }
}

async fn another_term(signals: &mut Signals) {
    while signals.next().await == Signal::Reload {}
}
