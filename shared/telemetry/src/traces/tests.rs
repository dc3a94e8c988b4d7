//! The header that carries a trace, in both directions, and the masking of spans. Input: spans of
//! a subscriber that is this thread's only. Output: an exporter in memory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    borrow::Cow,
    sync::{Arc, Mutex},
};

use opentelemetry_sdk::{
    error::{OTelSdkError, OTelSdkResult},
    trace::SpanData,
};
use proptest::prelude::*;
use tracing_subscriber::layer::SubscriberExt;

use super::*;

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[derive(Clone, Debug, Default)]
struct Memory(Arc<Mutex<Vec<SpanData>>>);

impl opentelemetry_sdk::trace::SpanExporter for Memory {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().unwrap().extend(batch);
        Ok(())
    }
}

fn hide_canary(text: &str) -> Cow<'_, str> {
    if text.contains("CANARY") {
        Cow::Owned(text.replace("CANARY", "***"))
    } else {
        Cow::Borrowed(text)
    }
}

#[derive(Debug)]
struct Broken;

impl opentelemetry_sdk::trace::SpanExporter for Broken {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        Err(OTelSdkError::InternalFailure("on purpose".into()))
    }
}

#[test]
fn spans_are_counted_by_result() {
    let count = |result| crate::Counter::Spans { result }.get();
    let before = (count("exported"), count("failed"));
    exported(|| drop(tracing::info_span!("one")));
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(Masked::new(Broken, hide_canary))
        .build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, || drop(tracing::info_span!("two")));
    assert!(count("exported") > before.0);
    assert_eq!(count("failed"), before.1 + 1);
}

fn exported(work: impl FnOnce()) -> Vec<SpanData> {
    let memory = Memory::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(Masked::new(memory.clone(), hide_canary))
        .build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), work);
    provider.shutdown().unwrap();
    let spans = memory.0.lock().unwrap();
    spans.clone()
}

#[test]
fn a_trace_goes_on_through_a_header() {
    let mut header = None;
    let spans = exported(|| {
        let outer = tracing::info_span!("produce");
        outer.in_scope(|| header = traceparent());
        let inner = tracing::info_span!("consume");
        assert!(set_parent(&inner, header.as_ref().unwrap()));
        inner.in_scope(|| {
            let child = traceparent().unwrap();
            assert_eq!(child[3..35], header.as_ref().unwrap()[3..35], "one trace");
        });
    });
    let find = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    let (produce, consume) = (find("produce"), find("consume"));
    assert_eq!(consume.parent_span_id, produce.span_context.span_id());
    assert_eq!(
        consume.span_context.trace_id(),
        produce.span_context.trace_id()
    );
    assert_eq!(
        parse(&header.unwrap()).unwrap().span_id(),
        produce.span_context.span_id()
    );
}

#[test]
fn without_traces_there_is_no_header() {
    tracing::subscriber::with_default(tracing_subscriber::registry(), || {
        let span = tracing::info_span!("call");
        assert!(!set_parent(&span, PARENT) || span.in_scope(traceparent).is_none());
        assert_eq!(span.in_scope(traceparent), None);
    });
    assert_eq!(traceparent(), None);
}

#[test]
fn headers_that_are_understood_and_not() {
    for (header, expected) in [
        (PARENT, true),
        (
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
            true,
        ),
        (
            "42-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-later",
            true,
        ),
        (
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            false,
        ),
        (
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            false,
        ),
        (
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            false,
        ),
        (
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            false,
        ),
        (
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            false,
        ),
        (
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            false,
        ),
        (
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-",
            false,
        ),
        (
            "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            false,
        ),
        ("", false),
        ("---", false),
    ] {
        assert_eq!(parse(header).is_some(), expected, "{header}");
    }
    assert!(parse(PARENT).unwrap().is_sampled() && parse(PARENT).unwrap().is_remote());
}

#[test]
fn a_secret_is_masked_in_every_part_of_a_span() {
    let spans = exported(|| {
        let span =
            tracing::info_span!("call", otel.name = "name CANARY", path = "/botCANARY/getMe");
        let _entered = span.enter();
        tracing::info!(field = "CANARY", "message CANARY");
        span.record("otel.status_description", "CANARY");
        let failed = tracing::info_span!(
            "failed",
            otel.status_code = "error",
            otel.status_description = "CANARY"
        );
        drop(failed);
    });
    assert_eq!(spans.len(), 2);
    let text = format!("{spans:?}");
    assert!(!text.contains("CANARY"), "{text}");
    assert!(text.matches("***").count() >= 5, "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn no_header_is_a_fault(header in "[0-9a-f-]{0,60}|\\PC{0,60}") {
        // Whatever it is, it is read or refused, and what is read is valid.
        prop_assert!(parse(&header).is_none_or(|context| context.is_valid()));
    }

    #[test]
    fn a_context_is_read_as_it_was_written(trace in 1u128.., span in 1u64.., sampled: bool) {
        let header = format!("00-{trace:032x}-{span:016x}-{:02x}", u8::from(sampled));
        let context = parse(&header).unwrap();
        prop_assert_eq!(context.trace_id(), TraceId::from(trace));
        prop_assert_eq!(context.span_id(), SpanId::from(span));
        prop_assert_eq!(context.is_sampled(), sampled);
    }
}
