//! The settings of ingress: its own sections, and those of what it is built from.
//!
//! In: `shared/settings`. Out: `app.rs`. Invariant: what leaves [`Config::load`] has passed every
//! check that needs no other process; a refusal names the key and what to write instead.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gramtap_outbound::guard::Policy;
use gramtap_outbound::{OutboundConfig, Upstream};
use gramtap_process::{ProcessConfig, bare, listen_address};
use gramtap_settings::{ByteSize, Settings, SettingsError, duration};
use serde::Deserialize;

use crate::accept::tls::TlsError;
use crate::publish::inbox::PATIENCE;

/// Everything that ingress is started with.
#[derive(Debug)]
pub struct Config {
    /// What every process has.
    pub process: ProcessConfig,
    /// `[ingress]`.
    pub ingress: IngressSection,
    /// `[capture]`.
    pub capture: CaptureSection,
    /// `[telegram]`, made ready.
    pub telegram: Upstream,
    /// `[outbound]`.
    pub outbound: OutboundConfig,
    /// `[webhooks]`: what may be called.
    pub webhooks: Arc<Policy>,
    /// `[webhooks]`: whether a bot's own setWebhook is taken over.
    pub takeover: Takeover,
}

/// Whether a bot's own setWebhook is taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Takeover {
    /// Where its address is the one that is known here.
    Known,
    /// Whatever its address is.
    Always,
    /// Not at all.
    Never,
}

/// What is read here of `[webhooks]`.
#[derive(Debug, Deserialize)]
struct WebhooksSection {
    takeover: Takeover,
}

/// `[ingress]`. Every field is explained in `default.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "default.toml is the documentation")]
pub struct IngressSection {
    #[serde(deserialize_with = "listen_address")]
    pub listen: SocketAddr,
    pub tls_cert_file: String,
    pub tls_key_file: String,
    pub hosts: Vec<String>,
    pub workers: usize,
    #[serde(with = "duration")]
    pub keep_alive: Duration,
    #[serde(with = "duration")]
    pub head_timeout: Duration,
    #[serde(with = "duration")]
    pub drain_timeout: Duration,
    #[serde(with = "duration")]
    pub error_hold: Duration,
    pub unverified_limit: usize,
    pub inbox_limit: ByteSize,
    #[serde(with = "duration")]
    pub inbox_patience: Duration,
}

/// `[capture]`. Every field is explained in `default.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "default.toml is the documentation")]
pub struct CaptureSection {
    pub enabled: bool,
    pub body_limit: ByteSize,
    pub update_limit: ByteSize,
    pub answer_limit: ByteSize,
    pub worker_budget: ByteSize,
    #[serde(with = "duration")]
    pub poll_window: Duration,
    #[serde(with = "duration")]
    pub flush_interval: Duration,
    pub memory_limit: ByteSize,
    pub spool_limit: ByteSize,
    pub spool_rate: u32,
}

impl Config {
    /// Reads the sections and checks them against each other.
    ///
    /// # Errors
    /// Names each key that is refused, where it was written, and what is expected.
    pub fn load(settings: &Settings, client: &str) -> Result<Self, SettingsError> {
        let ingress: IngressSection = settings.section("ingress")?;
        let webhooks: WebhooksSection = settings.section("webhooks")?;

        if ingress.tls_cert_file.is_empty() != ingress.tls_key_file.is_empty() {
            return Err(settings.refuse(
                "ingress.tls_key_file",
                "both tls_cert_file and tls_key_file, or neither",
            ));
        }
        if ingress.unverified_limit == 0 {
            return Err(settings.refuse(
                "ingress.unverified_limit",
                "at least 1: a new bot's first call is unverified",
            ));
        }
        if !(ByteSize::mib(1)..=ByteSize::gib(1)).contains(&ingress.inbox_limit) {
            return Err(settings.refuse(
                "ingress.inbox_limit",
                "between 1MiB, the room of one large update, and 1GiB",
            ));
        }
        if !(Duration::from_millis(10)..=PATIENCE).contains(&ingress.inbox_patience) {
            return Err(settings.refuse(
                "ingress.inbox_patience",
                "between 10ms and 10s, after which Telegram is answered in any case",
            ));
        }
        if ingress.hosts.iter().any(|host| bare(host).is_none()) {
            return Err(settings.refuse(
                "ingress.hosts",
                "host names such as gramtap.example.org, without scheme and path",
            ));
        }
        let outbound = OutboundConfig::load(settings)?;
        Ok(Self {
            process: ProcessConfig::load(settings, client)?,
            telegram: Upstream::load(settings)?,
            capture: settings.section("capture")?,
            ingress,
            outbound,
            webhooks: Arc::new(Policy::load(settings)?),
            takeover: webhooks.takeover,
        })
    }
}

/// Whether a start failed by what was configured, so that trying again is of no use.
#[must_use]
pub fn is_refusal(error: &anyhow::Error) -> bool {
    gramtap_process::is_refusal(error) || error.chain().any(|cause| cause.is::<TlsError>())
}
