//! What the demo stands on: a folder, a simulated Telegram, a configuration.
//!
//! In: the environment. Out: the same, to `demo.rs`. Invariant: of the environment only addresses to listen on and logs are taken,
//! so that no demo writes into an installation; a usual port that is taken gives way to a free one.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;

use anyhow::Context as _;
use gramtap_settings::{Settings, process_environment};
use gramtap_simulator::{CaptureConfig, SimulatorConfig};
use tempfile::TempDir;

use crate::effective::Effective;

/// The listeners, and the ports they have elsewhere.
const LISTENERS: [(&str, u16); 3] = [
    ("GRAMTAP_INGRESS__LISTEN", 8080),
    ("GRAMTAP_CONSOLE__LISTEN", 8090),
    ("GRAMTAP_ADMIN__LISTEN", 8099),
];

/// A folder that is gone when it is dropped.
pub(super) fn folder() -> anyhow::Result<TempDir> {
    let made = tempfile::Builder::new().prefix("gramtap-demo-").tempdir();
    made.context("there is no temporary folder; set TMPDIR to one that can be written")
}

/// A Telegram of its own, in memory; what was asked is not kept.
pub(super) fn simulator() -> SimulatorConfig {
    SimulatorConfig {
        tls_listen: None,
        capture: CaptureConfig {
            enabled: false,
            ..CaptureConfig::default()
        },
        ..SimulatorConfig::default()
    }
}

/// The configuration of all services. `webhook`: the port at which a bot takes updates.
pub(super) fn configuration(
    folder: &Path,
    telegram: &str,
    webhook: u16,
) -> anyhow::Result<Effective> {
    let mut variables = vec![
        ("GRAMTAP_DATA_DIR".to_owned(), folder.display().to_string()),
        ("GRAMTAP_TELEGRAM__URL".to_owned(), telegram.to_owned()),
        ("GRAMTAP_INGRESS__WORKERS".to_owned(), "2".to_owned()),
        ("GRAMTAP_INGRESS__DRAIN_TIMEOUT".to_owned(), "3s".to_owned()),
        ("GRAMTAP_TELEMETRY__LOG".to_owned(), "warn".to_owned()),
        (
            "GRAMTAP_WEBHOOKS__ALLOW".to_owned(),
            r#"["127.0.0.0/8"]"#.to_owned(),
        ),
        (
            "GRAMTAP_WEBHOOKS__PORTS".to_owned(),
            format!(r#"["{webhook}"]"#),
        ),
        ("GRAMTAP_WEBHOOKS__HTTP".to_owned(), "true".to_owned()),
    ];
    for (name, usual) in LISTENERS {
        variables.push((name.to_owned(), address(usual)?.to_string()));
    }
    // Later ones stand.
    variables.extend(process_environment().filter(|(name, _)| is_taken(name)));
    Ok(Effective::of(&Settings::load(
        None,
        variables.into_iter(),
    )?)?)
}

/// Whether a variable of the environment holds for the demo too.
fn is_taken(name: &str) -> bool {
    let listener = LISTENERS.iter().any(|(listener, _)| *listener == name);
    listener || name == "GRAMTAP_CONSOLE__PUBLIC_URL" || name.starts_with("GRAMTAP_TELEMETRY__")
}

/// An address with the usual port, or with any.
fn address(usual: u16) -> anyhow::Result<SocketAddr> {
    let bound = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let listener = bound(usual).or_else(|_| bound(0));
    let address = listener.and_then(|listener| listener.local_addr());
    address.context("there is no free port on 127.0.0.1")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn nothing_of_an_installation_is_touched() {
        for (name, taken) in [
            ("GRAMTAP_INGRESS__LISTEN", true),
            ("GRAMTAP_TELEMETRY__LOG", true),
            ("GRAMTAP_CONFIG", false),
            ("GRAMTAP_DATA_DIR", false),
            ("GRAMTAP_DATABASE__URL", false),
            ("GRAMTAP_BUS__KIND", false),
            ("GRAMTAP_PUBLIC_URL", false),
        ] {
            assert_eq!(is_taken(name), taken, "{name}");
        }
    }

    #[test]
    fn a_taken_port_gives_way() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        assert_ne!(address(port).unwrap().port(), port);
        drop(taken);
        assert_eq!(address(port).unwrap().port(), port);
    }
}
