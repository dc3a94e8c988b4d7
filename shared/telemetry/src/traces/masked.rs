//! The last step of a span: every text in it passes the redaction. Input: finished spans, from
//! the exporter's queue. Output: the exporter proper. Invariant: nothing that was made at run time
//! (names, attributes, events, links, status) leaves without having been looked at.

use std::{
    borrow::Cow,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use opentelemetry::{Array, KeyValue, StringValue, Value, trace::Status};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{SpanData, SpanExporter},
};

use crate::{Counter, Redact, logs::redacted};

/// An exporter behind a redaction.
#[derive(Debug)]
pub(super) struct Masked<E> {
    exporter: E,
    redact: Redact,
    /// Whether the last batch failed: the log tells of changes only.
    failing: AtomicBool,
}

impl<E> Masked<E> {
    pub(super) fn new(exporter: E, redact: Redact) -> Self {
        Self {
            exporter,
            redact,
            failing: AtomicBool::new(false),
        }
    }

    fn tell(&self, result: &OTelSdkResult, count: u64) {
        let failed = result.is_err();
        let word = if failed { "failed" } else { "exported" };
        Counter::Spans { result: word }.add(count);
        match (self.failing.swap(failed, Ordering::Relaxed), result) {
            (false, Err(error)) => tracing::warn!(%error, "spans are not exported"),
            (true, Ok(())) => tracing::info!("spans are exported again"),
            _ => {}
        }
    }
}

impl<E: SpanExporter> SpanExporter for Masked<E> {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        for span in &mut batch {
            mask_span(span, self.redact);
        }
        let count = batch.len() as u64;
        let result = self.exporter.export(batch).await;
        self.tell(&result, count);
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

fn mask_span(span: &mut SpanData, redact: Redact) {
    mask_cow(&mut span.name, redact);
    mask_attributes(&mut span.attributes, redact);
    for event in &mut span.events.events {
        mask_cow(&mut event.name, redact);
        mask_attributes(&mut event.attributes, redact);
    }
    for link in &mut span.links.links {
        mask_attributes(&mut link.attributes, redact);
    }
    if let Status::Error { description } = &mut span.status {
        mask_cow(description, redact);
    }
}

fn mask_attributes(attributes: &mut [KeyValue], redact: Redact) {
    for KeyValue { value, .. } in attributes {
        match value {
            Value::String(text) => mask_string(text, redact),
            Value::Array(Array::String(texts)) => {
                texts.iter_mut().for_each(|text| mask_string(text, redact))
            }
            _ => {}
        }
    }
}

fn mask_string(text: &mut StringValue, redact: Redact) {
    if let Cow::Owned(masked) = redacted(text.as_str(), redact) {
        *text = masked.into();
    }
}

fn mask_cow(text: &mut Cow<'static, str>, redact: Redact) {
    if let Cow::Owned(masked) = redacted(text, redact) {
        *text = masked.into();
    }
}
