//! What an operator sees of a running process: metrics, logs, traces and probes.
//!
//! The way of a number: a variant of `names.rs` (the closed list of metrics) → its series
//! (`metric.rs`) → [`render`] → the admin listener's `/-/metrics`. The way of a log line: `tracing`
//! → `logs.rs` → the application's redaction → a bounded queue → standard error (`logs/writer.rs`).
//! The way of a span: `tracing` → `traces.rs` → the same redaction (`traces/masked.rs`) → OTLP. A
//! panic becomes a line and a number in `panic.rs`. `probes.rs` answers `/-/live` and `/-/ready`.
//! `config.rs` is the `[telemetry]` section of the configuration.
//!
//! Invariant: a bot token cannot leave through here. Label values are `&'static str`, so no text
//! made at run time becomes one; lines and spans pass the redaction last, whoever wrote them.
//! Telemetry that is overloaded or ill (a full pipe, a dead collector) is dropped and counted; it
//! never holds up the caller.

mod config;
mod logs;
mod metric;
mod names;
mod panic;
mod probes;
mod process;
mod traces;

pub use config::{Format, TelemetryConfig};
pub use logs::{Guard, Redact, TelemetryError, init, init_with};
pub use metric::{
    CounterHandle, Descriptor, GaugeGuard, GaugeHandle, HistogramHandle, on_scrape, render,
};
pub use names::{Counter, Gauge, Histogram, descriptors};
pub use panic::install_panic_hook;
pub use probes::{Condition, Probes, Pulse, Ready};
pub use traces::{set_parent, traceparent};
