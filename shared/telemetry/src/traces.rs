//! Spans to an OTLP collector, and the thread of a trace across Kafka. Input: `tracing` spans of
//! our own crates, by way of the layer; `traceparent` headers. Output: OTLP over gRPC, masked by
//! `traces/masked.rs`. Invariant: nothing is exported, and nothing is paid, unless an endpoint is
//! configured. The connection lives on a runtime and thread of its own, so that neither a slow
//! collector nor a blocked worker touches the other; spans beyond the exporter's queue are dropped.

mod masked;

use std::{thread::JoinHandle, time::Duration};

use opentelemetry::{
    Context, KeyValue,
    trace::{
        SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, TracerProvider,
    },
};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracerProvider, Tracer},
};
use tokio::sync::oneshot;
use tracing::Span;
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt};

use crate::{Redact, TelemetryConfig, TelemetryError};
use masked::Masked;

/// How long one batch of spans may take to leave.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);

/// The way of spans out of the process.
#[derive(Debug)]
pub(crate) struct Exporter {
    provider: SdkTracerProvider,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Exporter {
    /// Starts exporting, or `None` if no endpoint is configured.
    pub(crate) fn start(
        config: &TelemetryConfig,
        redact: Redact,
    ) -> Result<Option<Self>, TelemetryError> {
        if !(0.0..=1.0).contains(&config.sample) {
            return Err(TelemetryError::Sample(config.sample));
        }
        if config.otlp_endpoint.is_empty() {
            return Ok(None);
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        #[expect(
            clippy::disallowed_methods,
            reason = "actors stand beside this crate, not below"
        )]
        let thread = std::thread::Builder::new()
            .name("traces".to_owned())
            .spawn(move || {
                // Stopped by a word or by the sender's end, both mean the same.
                runtime.block_on(stopped).ok();
            })?;
        let entered = handle.enter();
        let exporter = SpanExporter::builder()
            .with_tonic()
            .with_endpoint(config.otlp_endpoint.as_str())
            .with_timeout(EXPORT_TIMEOUT)
            .build()
            .map_err(|error| TelemetryError::Endpoint(redact(&error.to_string()).into_owned()))?;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(Masked::new(exporter, redact))
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(
                config.sample,
            ))))
            .with_resource(resource())
            .build();
        drop(entered);
        Ok(Some(Self {
            provider,
            stop,
            thread,
        }))
    }

    /// The layer that turns `tracing` spans into exported ones.
    pub(crate) fn layer<S>(&self) -> OpenTelemetryLayer<S, Tracer>
    where
        S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
    {
        tracing_opentelemetry::layer().with_tracer(self.provider.tracer("gramtap"))
    }

    /// Exports what waits, within `bound`, and ends.
    pub(crate) fn shut_down(self, bound: Duration) {
        if let Err(error) = self.provider.shutdown_with_timeout(bound) {
            tracing::warn!(%error, "spans were not exported at the end");
        }
        // The thread may have ended already.
        self.stop.send(()).ok();
        if self.thread.join().is_err() {
            tracing::error!("the thread of the exporter panicked");
        }
    }
}

/// Who exports: the program's name, unless OTEL_SERVICE_NAME says otherwise.
fn resource() -> Resource {
    let builder = Resource::builder()
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    if std::env::var_os("OTEL_SERVICE_NAME").is_some() {
        return builder.build();
    }
    let program = std::env::current_exe().ok();
    let name = program
        .as_deref()
        .and_then(|path| path.file_stem())
        .and_then(|name| name.to_str());
    builder
        .with_service_name(name.unwrap_or("gramtap").to_owned())
        .build()
}

/// The current span as a W3C `traceparent`, to be put into a record's headers. `None` if no traces
/// are configured or there is no span.
pub fn traceparent() -> Option<String> {
    let context = Span::current().context();
    let span = context.span();
    let span = span.span_context();
    span.is_valid().then(|| {
        format!(
            "00-{}-{}-{:02x}",
            span.trace_id(),
            span.span_id(),
            span.trace_flags() & TraceFlags::SAMPLED
        )
    })
}

/// Makes `span` a child of the span that a `traceparent` names. Before `span` is entered. Returns
/// whether it is one; a header that is not understood starts a new trace, as the standard asks.
pub fn set_parent(span: &Span, traceparent: &str) -> bool {
    parse(traceparent).is_some_and(|parent| {
        span.set_parent(Context::new().with_remote_span_context(parent))
            .is_ok()
    })
}

/// Reads `version-traceid-spanid-flags`. A later version may have more fields after these.
fn parse(traceparent: &str) -> Option<SpanContext> {
    let mut fields = traceparent.split('-');
    let mut field = |length: usize| {
        let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        fields
            .next()
            .filter(|field| field.len() == length && field.bytes().all(lower))
    };
    let version = field(2)?;
    let trace = TraceId::from_hex(field(32)?).ok()?;
    let span = SpanId::from_hex(field(16)?).ok()?;
    let flags = u8::from_str_radix(field(2)?, 16).ok()?;
    let more = fields.next().is_some();
    if version == "ff" || (version == "00" && more) {
        return None;
    }
    let context = SpanContext::new(
        trace,
        span,
        TraceFlags::new(flags) & TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    );
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests;
