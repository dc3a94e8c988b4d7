//! A hosts file of a program's own.
//!
//! In: names of doors (`door.rs`). Out: command lines that run in a mount namespace in which that
//! file lies over /etc/hosts, so that `{code}.gramtap.test` leads to loopback for a program and the
//! machine stays as it is. Invariant: the process started is the program itself, by the same id.
//! Not permitted here: [`check`] says so, and what would permit it; nothing is skipped.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Result, ensure};
use tempfile::NamedTempFile;
use tokio::process::Command;

/// The domain of the doors. No resolver answers for it.
pub(crate) const DOMAIN: &str = "gramtap.test";

/// A hosts file in which these names are this machine's.
pub(crate) fn file<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<NamedTempFile> {
    let mut file = NamedTempFile::new()?;
    writeln!(file, "127.0.0.1 localhost")?;
    for name in names {
        writeln!(file, "127.0.0.1 {name}")?;
    }
    Ok(file)
}

/// `command`, with `hosts` over /etc/hosts.
pub(crate) fn within(hosts: &Path, command: &[String]) -> Command {
    let mut within = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        // Root of a namespace of its own is enough to mount in it.
        within.arg("--map-root-user");
    }
    within.args([
        "--mount",
        "--",
        "sh",
        "-c",
        r#"mount --bind "$0" /etc/hosts && exec "$@""#,
    ]);
    within.arg(hosts).args(command);
    within
}

/// Whether this machine lets a test have its own hosts file.
pub(crate) async fn check(hosts: &Path) -> Result<()> {
    let output = within(hosts, &["cat".to_owned(), "/etc/hosts".to_owned()])
        .output()
        .await?;
    ensure!(
        output.status.success() && output.stdout == std::fs::read(hosts)?,
        "a mount namespace with a hosts file of its own is needed for the doors with host names, and \
         `unshare --mount` or `mount --bind` was refused: {}. Run the test as root, or allow \
         unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1)",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(())
}
