//! A `gramtap up` of its own before a simulator, and one bot connected to it.
//!
//! In: the simulator's address, a token. Out: the doors of `door.rs`. Invariant: the process that is
//! tested is the one that operators start, set up by its environment alone. Not serving within the
//! deadline, or a command that fails: an error with its own words. Dropping it kills the process, and
//! fails the test if a token is in anything that it has written.

use std::fs::{File, OpenOptions};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use gramtap_tests::{assert_no_canary, free_addresses};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::door::Door;
use super::hosts::DOMAIN;
use super::program::tail;

/// It serves within this, on a machine that is busy.
const DEADLINE: Duration = Duration::from_secs(60);
/// How its first line begins; the address follows.
const SERVES: &str = "Gramtap serves bots on ";

/// A running Gramtap.
pub(crate) struct Gramtap {
    address: SocketAddr,
    public_url: String,
    data: TempDir,
    log: File,
    _child: Child,
}

impl Gramtap {
    /// Starts one that relays to `telegram`, under the name of the doors.
    pub(crate) async fn start(telegram: &str) -> Result<Self> {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        Self::named(telegram, listen, format!("http://{DOMAIN}")).await
    }

    /// Starts one that is reached under the address that it prints.
    pub(crate) async fn reachable(telegram: &str) -> Result<Self> {
        let [listen] = free_addresses();
        Self::named(telegram, listen, format!("http://{listen}")).await
    }

    async fn named(telegram: &str, listen: SocketAddr, public_url: String) -> Result<Self> {
        let data = TempDir::new()?;
        let mut new = OpenOptions::new();
        let log = new.read(true).append(true).create(true);
        let log = log.open(data.path().join("stderr"))?;
        let mut command = command(data.path(), &public_url)?;
        command
            .arg("up")
            .env("GRAMTAP_TELEGRAM__URL", telegram)
            .env("GRAMTAP_ADMIN__LISTEN", "")
            .env("GRAMTAP_CONSOLE__LISTEN", "");
        command
            .env("GRAMTAP_INGRESS__LISTEN", listen.to_string())
            .env("GRAMTAP_INGRESS__WORKERS", "1");
        command.stdout(Stdio::piped()).stderr(log.try_clone()?);
        let mut child = command.spawn().context("starting gramtap up")?;
        let mut lines = BufReader::new(child.stdout.take().context("no stdout")?).lines();
        let first = timeout(DEADLINE, lines.next_line())
            .await
            .ok()
            .transpose()?
            .flatten();
        let address = first
            .as_deref()
            .and_then(|line| line.strip_prefix(SERVES)?.split(',').next());
        let Some(address) = address else {
            bail!("gramtap up says {first:?}: {}", tail(log));
        };
        Ok(Self {
            address: address.parse()?,
            public_url,
            data,
            log,
            _child: child,
        })
    }

    /// Connects a bot; gives the ways to it.
    pub(crate) async fn connect(&self, telegram: &str, token: &str) -> Result<[Door; 3]> {
        let mut command = command(self.data.path(), &self.public_url)?;
        command.env("GRAMTAP_TELEGRAM__URL", telegram);
        let output = command
            .args(["bots", "add", "--token", token, "--json"])
            .output()
            .await?;
        let words = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "gramtap bots add: {words}");
        let added: Value = serde_json::from_slice(&output.stdout)?;
        let code = added["code"].as_str().context("bots add tells no code")?;
        let door = |name, host: &str, prefix: String| Door {
            name,
            host: host.to_owned(),
            prefix,
            target: self.address,
            through_gramtap: true,
        };
        Ok([
            door("shared host", DOMAIN, String::new()),
            door("/c/{code}", DOMAIN, format!("/c/{code}")),
            door("{code} host", &format!("{code}.{DOMAIN}"), String::new()),
        ])
    }

    /// The address that it prints for bots whose id is known.
    pub(crate) fn base(&self) -> String {
        self.public_url.clone()
    }

    /// What it has said so far, tokens hidden.
    pub(crate) fn words(&self) -> String {
        self.log
            .try_clone()
            .map_or_else(|error| error.to_string(), tail)
    }
}

impl Drop for Gramtap {
    fn drop(&mut self) {
        assert_no_canary(self.data.path());
    }
}

/// `gramtap`, set up by nothing but this.
fn command(data: &Path, public_url: &str) -> Result<Command> {
    let mut command = Command::new(binary()?);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GRAMTAP_") {
            command.env_remove(name);
        }
    }
    command
        .env("GRAMTAP_DATA_DIR", data)
        .env("GRAMTAP_PUBLIC_URL", public_url);
    command.stdin(Stdio::null()).kill_on_drop(true);
    Ok(command)
}

/// The binary that was built beside this test.
fn binary() -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let folder = test
        .parent()
        .and_then(std::path::Path::parent)
        .context("a test outside of a target folder")?;
    let binary = folder.join("gramtap");
    ensure!(
        binary.exists(),
        "there is no {}: build the workspace with --all-targets first",
        binary.display()
    );
    Ok(binary)
}
