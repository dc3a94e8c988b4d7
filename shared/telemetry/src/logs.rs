//! Log lines: which, how written, and with what masked. Input: `tracing` (and `log`) of the whole
//! process, the `[telemetry]` section. Output: standard error by way of `logs/writer.rs`, spans to
//! `traces.rs`. Invariant: set up once, before anything else runs; every line passes the
//! application's redaction after it is formatted, so it does not matter who wrote it. When the
//! guard is dropped, what waits is written, for two seconds at most.

pub(crate) mod writer;

use std::{
    borrow::Cow,
    io::{self, IsTerminal},
    time::Duration,
};

use tracing::Subscriber;
use tracing_subscriber::{
    EnvFilter, Layer, Registry, filter::filter_fn, fmt, layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::{Counter, Format, TelemetryConfig, traces::Exporter};
use writer::Queue;

/// Masks what must not be shown in a text; borrowed if there is nothing to mask. It is called for
/// every log line, so it should be quick to say so.
pub type Redact = for<'a> fn(&'a str) -> Cow<'a, str>;

/// Applies the redaction and counts when it had something to mask.
pub(crate) fn redacted<'a>(text: &'a str, redact: Redact) -> Cow<'a, str> {
    let text = redact(text);
    if matches!(text, Cow::Owned(_)) {
        Counter::SecretsMasked.inc();
    }
    text
}

/// How long the guard waits for lines and spans to leave, each.
const FLUSH_BOUND: Duration = Duration::from_secs(2);

/// Why logs or traces cannot be set up. The section is at fault unless said otherwise.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `telemetry.log` cannot be read.
    #[error(
        "telemetry.log is no filter ({0}); write a level such as info, or directives such as info,gramtap=debug"
    )]
    Filter(String),
    /// `telemetry.sample` is out of range.
    #[error("telemetry.sample is {0}; write a share from 0.0 to 1.0")]
    Sample(f64),
    /// `telemetry.otlp_endpoint` cannot be used.
    #[error(
        "telemetry.otlp_endpoint cannot be used ({0}); write http://host:port of an OTLP/gRPC collector"
    )]
    Endpoint(String),
    /// The system gives no thread.
    #[error("no thread for telemetry: {0}")]
    Thread(#[from] io::Error),
    /// Logs were set up before: a fault of the program.
    #[error("telemetry was set up twice")]
    Twice,
}

impl TelemetryError {
    /// A fixed word for metrics and tests.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Filter(_) => "filter",
            Self::Sample(_) => "sample",
            Self::Endpoint(_) => "endpoint",
            Self::Thread(_) => "thread",
            Self::Twice => "twice",
        }
    }
}

/// Flushes lines and spans when it is dropped. To be kept to the end of `main`.
#[derive(Debug)]
#[must_use = "logs and traces end when the guard is dropped"]
pub struct Guard {
    // Spans first: that they could not be exported is a line.
    exporter: Option<Exporter>,
    queue: Queue,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(exporter) = self.exporter.take() {
            exporter.shut_down(FLUSH_BOUND);
        }
        self.queue.flush(FLUSH_BOUND);
    }
}

/// As [`init_with`], without a redaction: for tools that never see a secret.
///
/// # Errors
/// As [`init_with`].
pub fn init(config: &TelemetryConfig) -> Result<Guard, TelemetryError> {
    init_with(config, |text| Cow::Borrowed(text))
}

/// Sets up logs, and traces if an endpoint is configured, for the whole process.
///
/// # Errors
/// A section that cannot be used, or a second call.
pub fn init_with(config: &TelemetryConfig, redact: Redact) -> Result<Guard, TelemetryError> {
    let queue = Queue::start(io::stderr(), redact)?;
    let exporter = Exporter::start(config, redact)?;
    let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    subscriber(config, &queue, exporter.as_ref(), colour)?
        .try_init()
        .map_err(|_| TelemetryError::Twice)?;
    writer::set_process_queue(&queue);
    Ok(Guard { exporter, queue })
}

/// The layers of the process, apart from being the process's.
fn subscriber(
    config: &TelemetryConfig,
    queue: &Queue,
    exporter: Option<&Exporter>,
    colour: bool,
) -> Result<impl Subscriber + Send + Sync + use<>, TelemetryError> {
    let filter = EnvFilter::builder()
        .parse(&config.log)
        .map_err(|error| TelemetryError::Filter(error.to_string()))?;
    let lines = fmt::layer().with_writer(queue.clone()).with_ansi(colour);
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match config.format {
        Format::Text => lines.with_filter(filter).boxed(),
        Format::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_filter(filter)
            .boxed(),
    };
    // Only our own spans: those of the exporter's connection would beget spans for ever.
    let ours = filter_fn(|metadata| {
        metadata.target().starts_with("gramtap") && *metadata.level() <= tracing::Level::INFO
    });
    let spans = exporter.map(|exporter| exporter.layer().with_filter(ours));
    Ok(tracing_subscriber::registry().with(lines).with(spans))
}

/// Writes what waits in the process's queue, for `bound` at most. For the moments before an abort.
pub(crate) fn flush(bound: Duration) {
    if let Some(queue) = writer::process_queue() {
        queue.flush(bound);
    }
}

#[cfg(test)]
mod tests;
