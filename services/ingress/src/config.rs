//! The settings of ingress: its own sections, and those of the crates it is built from.
//!
//! In: `shared/settings`. Out: `app.rs`. Invariant: what leaves [`Config::load`] has passed every
//! check that needs no other process; a refusal names the key and what to write instead.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use gramtap_bus::{BusConfig, BusError, BusSection, KafkaSection};
use gramtap_outbound::{OutboundConfig, Upstream, UpstreamError};
use gramtap_settings::{ByteSize, Settings, SettingsError, duration};
use gramtap_telemetry::TelemetryConfig;
use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer};

use crate::accept::tls::TlsError;
use crate::identify::host::bare;

/// Everything that ingress is started with.
#[derive(Debug)]
pub struct Config {
    /// `public_url`, or what stands for it: the address of the listener.
    pub public_url: String,
    /// `data_dir`.
    pub data_dir: PathBuf,
    /// `[ingress]`.
    pub ingress: IngressSection,
    /// `[capture]`.
    pub capture: CaptureSection,
    /// `[telegram]`, made ready.
    pub telegram: Upstream,
    /// `[outbound]`.
    pub outbound: OutboundConfig,
    /// `[bus]` and `[kafka]`.
    pub bus: BusConfig,
    /// `[database]`, `[redis]`, `[secrets]`.
    pub tenants: gramtap_tenants::TenantsConfig,
    /// `[admin]`.
    pub admin: AdminSection,
    /// `[telemetry]`.
    pub telemetry: TelemetryConfig,
}

#[derive(Debug, Deserialize)]
struct Top {
    public_url: String,
    data_dir: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TelegramSection {
    url: String,
    ca_file: String,
    bind: String,
}

/// `[ingress]`. Every field is explained in `default.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "default.toml is the documentation")]
pub struct IngressSection {
    #[serde(deserialize_with = "address")]
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

/// `[admin]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "default.toml is the documentation")]
pub struct AdminSection {
    pub listen: String,
}

impl Config {
    /// Reads the sections and checks them against each other.
    ///
    /// # Errors
    /// Names each key that is refused, where it was written, and what is expected.
    pub fn load(settings: &Settings, client: &str) -> Result<Self, SettingsError> {
        let top: Top = settings.top()?;
        let ingress: IngressSection = settings.section("ingress")?;
        let telegram: TelegramSection = settings.section("telegram")?;
        let outbound: OutboundConfig = settings.section("outbound")?;
        let admin: AdminSection = settings.section("admin")?;

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
        if ingress.hosts.iter().any(|host| bare(host).is_none()) {
            return Err(settings.refuse(
                "ingress.hosts",
                "host names such as gramtap.example.org, without scheme and path",
            ));
        }
        outbound
            .validate()
            .map_err(|error| settings.refuse("outbound", error.to_string()))?;
        if !admin.listen.is_empty() && admin.listen.parse::<SocketAddr>().is_err() {
            return Err(settings.refuse(
                "admin.listen",
                "an address with port such as 127.0.0.1:8099, or nothing",
            ));
        }
        let bus: BusSection = settings.section("bus")?;
        let kafka: KafkaSection = settings.section("kafka")?;
        let bus = BusConfig {
            bus,
            kafka,
            data_dir: top.data_dir.clone(),
            client: client.to_owned(),
        };
        Ok(Self {
            public_url: public_url(settings, &top, &ingress)?,
            telegram: upstream(settings, &telegram)?,
            tenants: gramtap_tenants::TenantsConfig::load(settings, &top.data_dir)?,
            capture: settings.section("capture")?,
            telemetry: settings.section("telemetry")?,
            data_dir: top.data_dir,
            ingress,
            outbound,
            bus,
            admin,
        })
    }
}

fn address<'de, D: Deserializer<'de>>(from: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(from)?;
    let expected =
        "an IP address with port such as 127.0.0.1:8080, or 0.0.0.0:8080 for every network";
    text.parse()
        .map_err(|_| D::Error::invalid_value(Unexpected::Str(&text), &expected))
}

fn public_url(
    settings: &Settings,
    top: &Top,
    ingress: &IngressSection,
) -> Result<String, SettingsError> {
    if top.public_url.is_empty() {
        let scheme = if ingress.tls_cert_file.is_empty() {
            "http"
        } else {
            "https"
        };
        return Ok(format!("{scheme}://{}", reachable(ingress.listen)));
    }
    let url = top.public_url.trim_end_matches('/');
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let refuse = |expected: &str| settings.refuse("public_url", expected);
    let host = rest.ok_or_else(|| refuse("a URL such as https://gramtap.example.org"))?;
    if bare(host).is_none() || host.trim() != host {
        return Err(refuse("a scheme and a host, without path, user or query"));
    }
    // One library removes every "/bot" from its base URL to find the files' address.
    if host.to_ascii_lowercase().starts_with("bot") {
        return Err(refuse(
            "a host that does not begin with \"bot\": some libraries cannot use it",
        ));
    }
    Ok(url.to_owned())
}

/// Where a listener of every network is found from the same machine.
fn reachable(mut listen: SocketAddr) -> SocketAddr {
    match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => listen.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => listen.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    listen
}

fn upstream(settings: &Settings, telegram: &TelegramSection) -> Result<Upstream, SettingsError> {
    let ca_file = (!telegram.ca_file.is_empty()).then(|| PathBuf::from(&telegram.ca_file));
    let bind = match telegram.bind.as_str() {
        "" => None,
        text => Some(
            text.parse::<IpAddr>()
                .map_err(|_| settings.refuse("telegram.bind", "an IP address of this machine"))?,
        ),
    };
    Upstream::new(&telegram.url, ca_file.as_deref(), bind).map_err(|error| {
        let key = match &error {
            UpstreamError::CaFile { .. } | UpstreamError::NoAuthority { .. } => "telegram.ca_file",
            _ => "telegram.url",
        };
        settings.refuse(key, format!("another value: {error}"))
    })
}

/// Whether a start failed by what was configured, so that trying again is of no use.
#[must_use]
pub fn is_refusal(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.is::<SettingsError>()
            || cause.is::<gramtap_tenants::OpenError>()
            || cause.is::<TlsError>()
            || matches!(cause.downcast_ref(), Some(BusError::Setting { .. }))
    })
}
