//! The section `[outbound]` of the configuration.
//!
//! In: `shared/settings/src/default.toml` and what is laid over it. Out: bounds and times for
//! `pool` and for the calls. Invariant: a config that passed [`OutboundConfig::validate`]
//! cannot make the pool refuse every call.

use std::time::Duration;

use gramtap_settings::{Settings, SettingsError};
use serde::{Deserialize, Serialize};

/// Bounds and times of a worker's connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutboundConfig {
    /// How long a connection may take to be made, TLS included.
    #[serde(with = "gramtap_settings::duration")]
    pub connect_timeout: Duration,
    /// How long the upstream may be silent while it owes an answer or a part of one.
    #[serde(with = "gramtap_settings::duration")]
    pub idle_timeout: Duration,
    /// How long an unused connection is kept.
    #[serde(with = "gramtap_settings::duration")]
    pub keep_alive: Duration,
    /// Connections at most, per worker, used and unused.
    pub max_connections: usize,
    /// Unused connections kept at most, per worker.
    pub max_idle: usize,
}

/// A value that makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A time that must not be zero.
    #[error("outbound.{0} must not be zero")]
    Zero(&'static str),
}

impl OutboundConfig {
    /// Reads `[outbound]` and checks it.
    ///
    /// # Errors
    /// Names the key that is refused, and what is expected.
    pub fn load(settings: &Settings) -> Result<Self, SettingsError> {
        let outbound: Self = settings.section("outbound")?;
        let checked = outbound.validate();
        checked.map_err(|error| settings.refuse("outbound", error.to_string()))?;
        Ok(outbound)
    }

    /// Checks the values against each other.
    ///
    /// # Errors
    /// Names the first key that makes no sense.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let zeros = [
            ("connect_timeout", self.connect_timeout.is_zero()),
            ("idle_timeout", self.idle_timeout.is_zero()),
            ("max_connections", self.max_connections == 0),
        ];
        match zeros.into_iter().find(|(_, zero)| *zero) {
            Some((key, _)) => Err(ConfigError::Zero(key)),
            None => Ok(()),
        }
    }

    /// The times of a call that asks for nothing special.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits {
            connect: self.connect_timeout,
            idle: self.idle_timeout,
        }
    }
}

impl Default for OutboundConfig {
    /// The values of `default.toml`.
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(120),
            keep_alive: Duration::from_secs(55),
            max_connections: 20_000,
            max_idle: 256,
        }
    }
}

/// The times of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For making a connection, TLS included.
    pub connect: Duration,
    /// For each silence: of the upstream while it owes an answer, a part of one, or does not
    /// take the request; of the caller's body while the upstream waits for it.
    pub idle: Duration,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_page_of_defaults_and_the_default_are_one() {
        let settings = Settings::load(None, std::iter::empty()).unwrap();
        let page = OutboundConfig::load(&settings).unwrap();
        assert_eq!(page, OutboundConfig::default());
        assert_eq!(page.validate(), Ok(()));
    }

    #[test]
    fn what_would_refuse_every_call_is_refused() {
        let default = OutboundConfig::default();
        let table = [
            (
                OutboundConfig {
                    connect_timeout: Duration::ZERO,
                    ..default
                },
                "connect_timeout",
            ),
            (
                OutboundConfig {
                    idle_timeout: Duration::ZERO,
                    ..default
                },
                "idle_timeout",
            ),
            (
                OutboundConfig {
                    max_connections: 0,
                    ..default
                },
                "max_connections",
            ),
        ];
        for (config, key) in table {
            assert_eq!(config.validate(), Err(ConfigError::Zero(key)));
        }
        // Without idle connections every call dials, but none fails.
        let config = OutboundConfig {
            max_idle: 0,
            keep_alive: Duration::ZERO,
            ..default
        };
        assert_eq!(config.validate(), Ok(()));
    }
}
