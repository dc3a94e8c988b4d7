//! The configuration through its public door. Input: files in a temporary folder and variables given
//! as pairs; the process's own environment is never touched, so the tests can run side by side.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod layers;
mod refusals;
mod secrets;

use std::fs;

use gramtap_settings::{Settings, SettingsError};

/// Loads a file of this text, if any, and these variables.
fn load(file: Option<&str>, variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let folder = tempfile::tempdir().unwrap();
    let path = file.map(|text| {
        let path = folder.path().join("gramtap.toml");
        fs::write(&path, text).unwrap();
        path
    });
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::load(path.as_deref(), variables)
}
