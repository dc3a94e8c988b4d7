//! The Bot API, as `[telegram]` has it.
//!
//! In: the settings. Out: an [`Upstream`], to whoever calls it. Invariant: a refusal names the key and what to write instead; nothing of a URL is in it.

use std::net::IpAddr;
use std::path::PathBuf;

use gramtap_settings::{Settings, SettingsError};
use serde::Deserialize;

use super::{Upstream, UpstreamError};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    url: String,
    ca_file: String,
    bind: String,
}

impl Upstream {
    /// Reads `[telegram]`.
    ///
    /// # Errors
    /// Names the key that is refused, and what is expected.
    pub fn load(settings: &Settings) -> Result<Self, SettingsError> {
        let section: Section = settings.section("telegram")?;
        let ca_file = (!section.ca_file.is_empty()).then(|| PathBuf::from(&section.ca_file));
        let bind =
            match section.bind.as_str() {
                "" => None,
                text => Some(text.parse::<IpAddr>().map_err(|_| {
                    settings.refuse("telegram.bind", "an IP address of this machine")
                })?),
            };
        Self::new(&section.url, ca_file.as_deref(), bind).map_err(|error| {
            let key = match &error {
                UpstreamError::CaFile { .. } | UpstreamError::NoAuthority { .. } => {
                    "telegram.ca_file"
                }
                _ => "telegram.url",
            };
            settings.refuse(key, format!("another value: {error}"))
        })
    }
}
