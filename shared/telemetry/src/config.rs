//! The `[telemetry]` section of the configuration. Input: `shared/settings`, by way of the service
//! that starts. Output: `logs.rs` and `traces.rs`. Invariant: no field that `default.toml` does not
//! have.

use serde::Deserialize;

/// What is logged and traced, and how.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct TelemetryConfig {
    /// Which lines: a level, or directives per module as in `RUST_LOG`.
    pub log: String,
    /// How lines are written.
    pub format: Format,
    /// Where spans go (OTLP over gRPC, `http://host:port`). Empty: nowhere.
    pub otlp_endpoint: String,
    /// The share of calls that are traced, 0.0 to 1.0. A caller's own decision is followed.
    pub sample: f64,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For collectors: one JSON object a line.
    Json,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self {
            log: "info".to_owned(),
            format: Format::Text,
            otlp_endpoint: String::new(),
            sample: 0.01,
        }
    }
}
