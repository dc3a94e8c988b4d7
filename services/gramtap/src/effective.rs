//! The configuration that a command works with.
//!
//! In: `--config`, the environment. Out: [`Effective`], to the commands. Invariant: it is loaded the
//! way the services load it, so that a command sees the same bots and records; what is refused names
//! its key. Commands other than `up` log only what is wrong, unless `telemetry.log` was set.

use std::path::Path;

use gramtap_ingress::Config;
use gramtap_settings::{Origin, Settings, SettingsError, process_environment};
use gramtap_telegram::redact::redact;
use gramtap_telemetry::{Guard, TelemetryConfig, init_with, install_panic_hook};
use gramtap_tenants::Opened;

/// What brokers know this process by.
const CLIENT: &str = "gramtap";

/// The configuration, read and checked.
pub(crate) struct Effective {
    /// That of ingress, and of every process.
    pub(crate) config: Config,
    /// That of analytics.
    pub(crate) analytics: gramtap_analytics::Config,
    /// That of the forwarder.
    pub(crate) forwarder: gramtap_forwarder::Config,
    /// Flushes the log at the end.
    _log: Option<Guard>,
}

impl Effective {
    /// For `up`, which sets up its own logs.
    pub(crate) fn load(file: Option<&Path>) -> Result<Self, SettingsError> {
        Self::of(&settings(file)?)
    }

    /// For the others.
    pub(crate) fn quiet(file: Option<&Path>) -> anyhow::Result<Self> {
        let settings = settings(file)?;
        let mut effective = Self::of(&settings)?;
        let telemetry = log_section(&settings, &effective.config.process.telemetry);
        effective._log = Some(init_with(&telemetry, redact)?);
        install_panic_hook(redact);
        Ok(effective)
    }

    /// What these settings say; logs are the caller's affair.
    pub(crate) fn of(settings: &Settings) -> Result<Self, SettingsError> {
        let config = Config::load(settings, CLIENT)?;
        Ok(Self {
            config,
            analytics: gramtap_analytics::Config::load(settings, CLIENT)?,
            forwarder: gramtap_forwarder::Config::load(settings, CLIENT)?,
            _log: None,
        })
    }

    /// Opens the registry, beside whatever else has it open.
    pub(crate) fn open(&self) -> anyhow::Result<Opened> {
        let opened = self.config.process.tenants.open();
        opened.map_err(|error| {
            let key = error.key();
            anyhow::Error::new(error).context(format!("the configuration is refused: {key}"))
        })
    }
}

/// What is configured, before the sections are looked at.
pub(crate) fn settings(file: Option<&Path>) -> Result<Settings, SettingsError> {
    Settings::load(file, process_environment())
}

fn log_section(settings: &Settings, section: &TelemetryConfig) -> TelemetryConfig {
    let mut section = TelemetryConfig {
        otlp_endpoint: String::new(),
        ..section.clone()
    };
    if settings.origin("telemetry.log") == Some(&Origin::Default) {
        section.log = "warn".to_owned();
    }
    section
}
