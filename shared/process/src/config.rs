//! The settings that every process has.
//!
//! In: `shared/settings`. Out: [`ProcessConfig`], a part of each service's configuration. Invariant: what leaves
//! [`ProcessConfig::load`] has passed every check that needs no other process; a refusal names the
//! key and what to write instead.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use gramtap_bus::{BusConfig, BusError};
use gramtap_settings::{Networks, Settings, SettingsError};
use gramtap_telemetry::TelemetryConfig;
use gramtap_tenants::TenantsConfig;
use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer};

use crate::host::bare;
use crate::proxies::TrustedProxies;

/// What every process is started with.
#[derive(Debug)]
pub struct ProcessConfig {
    /// `public_url`, or what stands for it: the address of the bots' listener.
    pub public_url: String,
    /// `data_dir`.
    pub data_dir: PathBuf,
    /// `trusted_proxies`.
    pub proxies: TrustedProxies,
    /// `[bus]` and `[kafka]`.
    pub bus: BusConfig,
    /// `[database]`, `[redis]`, `[secrets]`.
    pub tenants: TenantsConfig,
    /// `admin.listen`; none where it is empty.
    pub admin: Option<SocketAddr>,
    /// `[telemetry]`.
    pub telemetry: TelemetryConfig,
}

#[derive(Debug, Deserialize)]
struct Top {
    public_url: String,
    data_dir: PathBuf,
    trusted_proxies: Networks,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AdminSection {
    listen: String,
}

/// What `public_url` follows where it is empty.
#[derive(Debug, Deserialize)]
struct Door {
    #[serde(deserialize_with = "listen_address")]
    listen: SocketAddr,
    tls_cert_file: String,
}

impl ProcessConfig {
    /// Reads the sections and checks them against each other. `client` is the name that brokers know
    /// the process by.
    ///
    /// # Errors
    /// Names each key that is refused, where it was written, and what is expected.
    pub fn load(settings: &Settings, client: &str) -> Result<Self, SettingsError> {
        let top: Top = settings.top()?;
        let door: Door = settings.section("ingress")?;
        let admin: AdminSection = settings.section("admin")?;
        let admin = optional_listen(settings, "admin.listen", &admin.listen, "127.0.0.1:8099")?;
        let bus = BusConfig {
            bus: settings.section("bus")?,
            kafka: settings.section("kafka")?,
            data_dir: top.data_dir.clone(),
            client: client.to_owned(),
        };
        Ok(Self {
            public_url: public_url(settings, &top, &door)?,
            proxies: top.trusted_proxies.into(),
            tenants: TenantsConfig::load(settings, &top.data_dir)?,
            telemetry: settings.section("telemetry")?,
            data_dir: top.data_dir,
            bus,
            admin,
        })
    }
}

/// For `#[serde(deserialize_with = "…")]` on the address of a listener.
///
/// # Errors
/// It is no IP address with a port; what is expected is said.
pub fn listen_address<'de, D: Deserializer<'de>>(from: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(from)?;
    let expected =
        "an IP address with port such as 127.0.0.1:8080, or 0.0.0.0:8080 for every network";
    text.parse()
        .map_err(|_| D::Error::invalid_value(Unexpected::Str(&text), &expected))
}

fn public_url(settings: &Settings, top: &Top, door: &Door) -> Result<String, SettingsError> {
    if top.public_url.is_empty() {
        let scheme = if door.tls_cert_file.is_empty() {
            "http"
        } else {
            "https"
        };
        return Ok(format!("{scheme}://{}", reachable(door.listen)));
    }
    let url = site(settings, "public_url", &top.public_url)?;
    let host = url.split_once("://").map_or("", |(_, host)| host);
    // One library removes every "/bot" from its base URL to find the files' address.
    if host.to_ascii_lowercase().starts_with("bot") {
        return Err(settings.refuse(
            "public_url",
            "a host that does not begin with \"bot\": some libraries cannot use it",
        ));
    }
    Ok(url)
}

/// The URL that a setting gives, without a slash at its end.
///
/// # Errors
/// It is more or less than a scheme and a host.
pub fn site(settings: &Settings, key: &str, url: &str) -> Result<String, SettingsError> {
    let url = url.trim_end_matches('/');
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let refuse = |expected: &str| settings.refuse(key, expected);
    let host = rest.ok_or_else(|| refuse("a URL such as https://gramtap.example.org"))?;
    if bare(host).is_none() || host.trim() != host {
        return Err(refuse("a scheme and a host, without path, user or query"));
    }
    Ok(url.to_owned())
}

/// The address of a listener that may be left out by an empty text. `example` is one that fits.
///
/// # Errors
/// It is neither.
pub fn optional_listen(
    settings: &Settings,
    key: &str,
    text: &str,
    example: &str,
) -> Result<Option<SocketAddr>, SettingsError> {
    if text.is_empty() {
        return Ok(None);
    }
    let expected = || format!("an address with port such as {example}, or nothing");
    let address = text.parse().map_err(|_| settings.refuse(key, expected()))?;
    Ok(Some(address))
}

/// Where a listener of every network is found from the same machine.
#[must_use]
pub fn reachable(mut listen: SocketAddr) -> SocketAddr {
    match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => listen.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => listen.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    listen
}

/// Whether a start failed by what was configured, so that trying again is of no use.
#[must_use]
pub fn is_refusal(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.is::<SettingsError>()
            || cause.is::<gramtap_tenants::OpenError>()
            || matches!(cause.downcast_ref(), Some(BusError::Setting { .. }))
    })
}
