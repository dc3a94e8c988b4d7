//! haproxy, in its HTTP mode.
//!
//! In: the upstream, a folder. Out: its process. Invariant: one thread, connections to the upstream are kept and shared.

use std::process::Child;

use anyhow::{Context as _, Result};

use super::Setup;
use crate::client::NAME;
use crate::site::open_files;

pub(super) fn start(setup: &Setup<'_>) -> Result<Child> {
    let (site, address) = (setup.site, setup.address);
    let upstream = site.upstream(setup.tls).address;
    let verify = match setup.tls {
        false => String::new(),
        true => format!(
            "ssl verify required ca-file {} sni str({NAME}) verifyhost {NAME}",
            site.authority()
        ),
    };
    // It wants two files for each, and some for itself.
    let connections = open_files() / 2 - 100;
    let text = format!(
        "global
           maxconn {connections}
           nbthread 1
         defaults
           mode http
           timeout connect 10s
           timeout client 300s
           timeout server 300s
           timeout http-keep-alive 300s
           option http-keep-alive
           http-reuse always
         frontend bots
           bind {address} backlog 4096
           default_backend telegram
         backend telegram
           server telegram {upstream} {verify}
"
    );
    let file = super::write(&setup.folder.join("haproxy.cfg"), &text)?;
    setup
        .program("haproxy")
        .args(["-db", "-q", "-f", &file])
        .spawn()
        .context("haproxy, of Debian's package of that name")
}
