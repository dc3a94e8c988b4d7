//! What is measured: a proxy in front of the upstream, or none.
//!
//! In: a name, the upstream, where its files may be. Out: a process on one core that passes calls on; where it listens. Invariant: each is set up as somebody who
//! wants it fast would, and for the same: one worker, no log of accesses, nothing held back, connections kept on both sides, the
//! upstream's certificate checked. Dropping one kills it.

mod gramtap;
mod haproxy;
mod nginx;

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::callgrind;
use crate::client::Target;
use crate::process::Process;
use crate::request;
use crate::site::{Site, free_address};
use crate::usage;

/// The core that proxies have; everything else has the other.
pub(crate) const CORE: usize = 0;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Subject {
    /// No proxy: what the measuring itself takes.
    Direct,
    Nginx,
    Haproxy,
    /// With capture, and Kafka behind.
    Gramtap,
    /// Without capture.
    GramtapOff,
}

impl Subject {
    /// As tables name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Gramtap => "gramtap",
            Self::GramtapOff => "gramtap, capture off",
        }
    }
}

/// What a proxy is started with.
struct Setup<'a> {
    site: &'a Site,
    tls: bool,
    /// Where it is to listen.
    address: SocketAddr,
    /// For its files.
    folder: &'a Path,
    /// In one process, under callgrind.
    counted: bool,
}

impl Setup<'_> {
    /// Its program, on its core.
    fn program(&self, name: &str) -> Command {
        match self.counted {
            false => usage::pinned(CORE, name),
            true => callgrind::counted(CORE, name, self.folder),
        }
    }
}

/// A running one.
pub(crate) struct Proxy {
    child: Option<Process>,
    pub(crate) target: Target,
    files: tempfile::TempDir,
}

impl Proxy {
    pub(crate) async fn start(subject: Subject, site: &Site, tls: bool) -> Result<Self> {
        Self::start_as(subject, site, tls, false).await
    }

    /// One whose instructions are counted, [`Proxy::instructions`]. It is fifty times as slow.
    pub(crate) async fn start_counted(subject: Subject, site: &Site, tls: bool) -> Result<Self> {
        Self::start_as(subject, site, tls, true).await
    }

    async fn start_as(subject: Subject, site: &Site, tls: bool, counted: bool) -> Result<Self> {
        let files = tempfile::tempdir()?;
        let address = free_address()?;
        let setup = Setup {
            site,
            tls,
            address,
            folder: files.path(),
            counted,
        };
        let child = match subject {
            Subject::Direct => None,
            Subject::Nginx => Some(nginx::start(&setup)?),
            Subject::Haproxy => Some(haproxy::start(&setup)?),
            Subject::Gramtap => Some(gramtap::start(&setup, true)?),
            Subject::GramtapOff => Some(gramtap::start(&setup, false)?),
        };
        let target = match subject {
            Subject::Direct => site.direct(tls),
            _ => Target { address, tls: None },
        };
        let mut child = child.map(Process::new);
        if let Some(child) = &mut child {
            let request = request::send_message(0, 230);
            let ready = child.until_ready(subject.name(), &target, &request);
            ready.await?;
        }
        Ok(Self {
            child,
            target,
            files,
        })
    }

    /// Its processes; none, where there is no proxy.
    pub(crate) fn pids(&self) -> Result<Vec<u32>> {
        let family = self.child.as_ref().map(Process::pids);
        Ok(family.transpose()?.unwrap_or_default())
    }

    /// How many instructions it has executed since it was last asked. Only of one that is counted.
    pub(crate) fn instructions(&self) -> Result<u64> {
        let child = self.child.as_ref().context("there is no proxy")?;
        callgrind::dump(child.id(), self.files.path())
    }
}

/// Writes a configuration. Returns its path.
fn write(path: &Path, text: &str) -> Result<String> {
    std::fs::write(path, text)?;
    Ok(path.display().to_string())
}
