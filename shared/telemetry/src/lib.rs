//! Metrics, logs, traces and probes.
