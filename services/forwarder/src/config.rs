//! The settings of the forwarder: `[forwarder]`, and those of what it is built from.
//!
//! In: `shared/settings`. Out: `app.rs`. Invariant: what leaves [`Config::load`] has passed every
//! check that needs no other process; a refusal names the key and what to write instead.

use std::sync::Arc;
use std::time::Duration;

use gramtap_outbound::guard::Policy;
use gramtap_outbound::{OutboundConfig, Upstream};
use gramtap_process::{ProcessConfig, member};
use gramtap_settings::{ByteSize, Settings, SettingsError, duration};
use serde::Deserialize;

/// Everything that the forwarder is started with.
#[derive(Debug)]
pub struct Config {
    /// What every process has.
    pub process: ProcessConfig,
    /// `forwarder.instance`, or the host's name.
    pub instance: String,
    /// `[forwarder]`.
    pub forwarder: ForwarderSection,
    /// `[telegram]`, made ready.
    pub telegram: Upstream,
    /// `[outbound]`.
    pub outbound: OutboundConfig,
    /// `[webhooks]`.
    pub webhooks: Arc<Policy>,
}

/// `[forwarder]`. Every field is explained in `default.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "default.toml is the documentation")]
pub struct ForwarderSection {
    pub instance: String,
    pub in_flight: usize,
    #[serde(with = "duration")]
    pub deadline: Duration,
    pub waiting: usize,
    pub memory_limit: ByteSize,
    pub answers_limit: ByteSize,
    #[serde(with = "duration")]
    pub drain_timeout: Duration,
}

impl Config {
    /// Reads the sections and checks them. `client` is the name that brokers know the process by.
    ///
    /// # Errors
    /// Names each key that is refused, where it was written, and what is expected.
    pub fn load(settings: &Settings, client: &str) -> Result<Self, SettingsError> {
        let forwarder: ForwarderSection = settings.section("forwarder")?;
        let least = [
            ("in_flight", forwarder.in_flight),
            ("waiting", forwarder.waiting),
        ];
        for (key, number) in least {
            if number == 0 {
                return Err(settings.refuse(&format!("forwarder.{key}"), "at least 1"));
            }
        }
        if !(Duration::from_secs(1)..=Duration::from_secs(600)).contains(&forwarder.deadline) {
            return Err(settings.refuse("forwarder.deadline", "between 1s and 10m"));
        }
        let outbound = OutboundConfig::load(settings)?;
        Ok(Self {
            process: ProcessConfig::load(settings, client)?,
            instance: member(settings, "forwarder.instance", &forwarder.instance)?,
            forwarder,
            telegram: Upstream::load(settings)?,
            outbound,
            webhooks: Arc::new(Policy::load(settings)?),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::arrange::Rules;

    fn load(variables: &[(&str, &str)]) -> Result<Config, SettingsError> {
        let variables = variables
            .iter()
            .map(|(key, value)| (format!("GRAMTAP_FORWARDER__{key}"), (*value).to_owned()));
        Config::load(&Settings::load(None, variables)?, "test")
    }

    #[test]
    fn the_defaults_fit_and_are_those_of_the_code() {
        let config = load(&[]).unwrap();
        let (rules, section) = (Rules::default(), config.forwarder);
        assert_eq!(section.in_flight, rules.in_flight);
        assert_eq!(section.waiting, rules.held);
        assert_eq!(section.memory_limit.as_u64(), rules.bytes as u64);
        let options = crate::consume::Options::named("x");
        assert_eq!(section.drain_timeout, options.patience);
        assert!(!config.instance.is_empty());
    }

    #[test]
    fn what_does_not_fit_is_refused_by_its_key() {
        for (variable, value, key) in [
            ("INSTANCE", "a b", "forwarder.instance"),
            ("IN_FLIGHT", "0", "forwarder.in_flight"),
            ("WAITING", "0", "forwarder.waiting"),
            ("DEADLINE", "0s", "forwarder.deadline"),
            ("DEADLINE", "11m", "forwarder.deadline"),
        ] {
            let error = load(&[(variable, value)]).unwrap_err().to_string();
            assert!(error.contains(key), "{key}: {error}");
        }
    }
}
