//! Gramtap's ingress, as it is released, with one worker.
//!
//! In: the upstream, the registry with its bots, Kafka. Out: its process. Invariant: settings are the defaults, but for where
//! things are, the one worker, and whether it captures.

use std::process::Child;

use anyhow::{Context as _, Result};

use super::Setup;
use crate::client::NAME;

pub(super) fn start(setup: &Setup<'_>, capture: bool) -> Result<Child> {
    let (site, tls) = (setup.site, setup.tls);
    let upstream = site.upstream(tls).address;
    let telegram = match tls {
        false => format!("http://{upstream}"),
        true => format!("https://{NAME}:{}", upstream.port()),
    };
    let mut command = setup.program(site.ingress());
    site.set_up(&mut command)?;
    command
        .env("GRAMTAP_INGRESS__LISTEN", setup.address.to_string())
        .env("GRAMTAP_INGRESS__WORKERS", "1")
        .env("GRAMTAP_TELEGRAM__URL", telegram)
        .env("GRAMTAP_CAPTURE__ENABLED", capture.to_string());
    if tls {
        command.env("GRAMTAP_TELEGRAM__CA_FILE", site.authority());
    }
    command.spawn().context("gramtap-ingress")
}
