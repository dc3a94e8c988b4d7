//! The settings of analytics: `[analytics]`, `[console]`, and those of what it is built from.
//!
//! In: `shared/settings`. Out: `app.rs`. Invariant: what leaves [`Config::load`] has passed every
//! check that needs no other process; a refusal names the key and what to write instead.

use std::net::SocketAddr;
use std::time::Duration;

use gramtap_botapi::Section;
use gramtap_outbound::guard::Policy;
use gramtap_process::{ProcessConfig, member, optional_listen, reachable, site};
use gramtap_settings::{Settings, SettingsError, duration};
use serde::Deserialize;

use crate::store::retention::Keep;

/// Days at most that anything is kept.
const LONGEST: i64 = 36_500;

/// Everything that analytics is started with.
#[derive(Debug)]
pub struct Config {
    /// What every process has.
    pub process: ProcessConfig,
    /// `[telegram]`, for the console's own questions.
    pub telegram: Section,
    /// `analytics.instance`, or the host's name.
    pub instance: String,
    /// `analytics.decode_window`.
    pub decode_window: Duration,
    /// `analytics.labels`.
    pub labels: usize,
    /// `[analytics.keep]`.
    pub keep: Keep,
    /// `[console]`.
    pub console: ConsoleConfig,
    /// `[webhooks]`: where updates may be sent.
    pub webhooks: Policy,
}

/// `[console]`.
#[derive(Clone, Debug)]
pub struct ConsoleConfig {
    /// Where it listens; none where that is empty.
    pub listen: Option<SocketAddr>,
    /// Where browsers find it, without a slash at its end; empty: where it listens.
    pub public_url: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnalyticsSection {
    instance: String,
    #[serde(with = "duration")]
    decode_window: Duration,
    labels: usize,
    keep: Keep,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConsoleSection {
    listen: String,
    public_url: String,
}

impl Config {
    /// Reads the sections and checks them. `client` is the name that brokers know the process by.
    ///
    /// # Errors
    /// Names each key that is refused, where it was written, and what is expected.
    pub fn load(settings: &Settings, client: &str) -> Result<Self, SettingsError> {
        let analytics: AnalyticsSection = settings.section("analytics")?;
        if !(Duration::from_millis(1)..=Duration::from_secs(10)).contains(&analytics.decode_window)
        {
            return Err(settings.refuse("analytics.decode_window", "between 1ms and 10s"));
        }
        if analytics.labels == 0 {
            return Err(settings.refuse("analytics.labels", "at least 1"));
        }
        for (key, days) in analytics.keep.days() {
            if !(1..=LONGEST).contains(&days) {
                let key = format!("analytics.keep.{key}");
                return Err(settings.refuse(&key, format!("a number of days, 1 to {LONGEST}")));
            }
        }
        Ok(Self {
            process: ProcessConfig::load(settings, client)?,
            telegram: settings.section("telegram")?,
            console: console(settings)?,
            webhooks: Policy::load(settings)?,
            instance: member(settings, "analytics.instance", &analytics.instance)?,
            decode_window: analytics.decode_window,
            labels: analytics.labels,
            keep: analytics.keep,
        })
    }
}

fn console(settings: &Settings) -> Result<ConsoleConfig, SettingsError> {
    let section: ConsoleSection = settings.section("console")?;
    let listen = optional_listen(
        settings,
        "console.listen",
        &section.listen,
        "127.0.0.1:8090",
    )?;
    let public_url = match section.public_url.as_str() {
        // A port of the system's choice is known once it listens.
        "" => listen
            .filter(|listen| listen.port() != 0)
            .map_or_else(String::new, |listen| {
                format!("http://{}", reachable(listen))
            }),
        url => site(settings, "console.public_url", url)?,
    };
    Ok(ConsoleConfig { listen, public_url })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn load(variables: &[(&str, &str)]) -> Result<Config, SettingsError> {
        let variables = variables
            .iter()
            .map(|(key, value)| (format!("GRAMTAP_{key}"), (*value).to_owned()));
        Config::load(&Settings::load(None, variables)?, "test")
    }

    #[test]
    fn the_defaults_fit_and_are_those_of_the_code() {
        let config = load(&[]).unwrap();
        let keep = |keep: &Keep| keep.days().map(|(_, days)| days);
        assert_eq!(keep(&config.keep), keep(&Keep::default()));
        assert_eq!(config.labels, crate::store::Limits::default().labels);
        let options = crate::consume::Options::named("x");
        assert_eq!(config.decode_window, options.window);
        assert!(!config.instance.is_empty());
        assert_eq!(config.console.public_url, "http://127.0.0.1:8090");
    }

    #[test]
    fn a_console_is_found_where_it_is_said_to_be() {
        for (listen, url, found) in [
            ("0.0.0.0:90", "", "http://127.0.0.1:90"),
            ("0.0.0.0:90", "https://c.example/", "https://c.example"),
            ("127.0.0.1:0", "", ""),
            ("", "", ""),
        ] {
            let variables = [("CONSOLE__LISTEN", listen), ("CONSOLE__PUBLIC_URL", url)];
            let console = load(&variables).unwrap().console;
            assert_eq!(console.public_url, found);
            assert_eq!(console.listen.is_none(), listen.is_empty());
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_by_its_key() {
        for (variable, value, key) in [
            ("ANALYTICS__INSTANCE", "a b", "analytics.instance"),
            (
                "ANALYTICS__INSTANCE",
                &"a".repeat(201),
                "analytics.instance",
            ),
            ("ANALYTICS__DECODE_WINDOW", "11s", "analytics.decode_window"),
            ("ANALYTICS__LABELS", "0", "analytics.labels"),
            ("ANALYTICS__KEEP__USERS", "0", "analytics.keep.users"),
            ("ANALYTICS__KEEP__MARKS", "99999999", "analytics.keep.marks"),
            ("CONSOLE__LISTEN", "8090", "console.listen"),
            ("CONSOLE__PUBLIC_URL", "c.example", "console.public_url"),
        ] {
            let error = load(&[(variable, value)]).unwrap_err().to_string();
            assert!(error.contains(key), "{key}: {error}");
        }
    }
}
