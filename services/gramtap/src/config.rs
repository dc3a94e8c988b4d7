//! `gramtap config`: the whole effective configuration.
//!
//! In: the settings. Out: standard output, as TOML that may be used as a file. Invariant: secrets are
//! stars; a configuration that a service would refuse is printed all the same, and then refused.

use std::path::Path;
use std::process::ExitCode;

use crate::effective::{self, Effective};
use crate::out;

pub(crate) fn run(file: Option<&Path>) -> anyhow::Result<ExitCode> {
    let settings = effective::settings(file)?;
    out::print(&settings.render())?;
    Effective::load(file)?;
    Ok(ExitCode::SUCCESS)
}
