//! Gramtap's forwarder, as it is released.
//!
//! In: the site. Out: its process, ready. Invariant: settings are the defaults, but for where things are. It has the core of Kafka and the load:
//! ingress, which it waits for, keeps the other one.

use anyhow::{Context as _, Result};

use crate::client::Target;
use crate::process::Process;
use crate::proxy::CORE;
use crate::site::Site;
use crate::usage::pinned;

const READY: &[u8] = b"GET /-/ready HTTP/1.1\r\nHost: gramtap.test\r\n\r\n";

pub(super) async fn start(site: &Site) -> Result<Process> {
    let mut command = pinned(CORE + 1, &site.forwarder()?);
    let admin = Target {
        address: site.set_up(&mut command)?,
        tls: None,
    };
    let mut forwarder = Process::new(command.spawn().context("gramtap-forwarder")?);
    forwarder
        .until_ready("gramtap-forwarder", &admin, READY)
        .await?;
    Ok(forwarder)
}
