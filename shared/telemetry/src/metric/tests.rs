//! Series, handles and the text that is rendered from them. Input: the process's own registry, with
//! label values of each test's own, so that tests can run side by side.

use std::time::Duration;

use crate::{Counter, Gauge, Histogram, descriptors, on_scrape, render};

#[test]
fn every_metric_without_labels_is_there_from_the_start() {
    let text = render();
    for descriptor in descriptors().filter(|descriptor| descriptor.labels.is_empty()) {
        let line = format!("# HELP {} {}\n", descriptor.name, descriptor.help());
        assert!(text.contains(&line), "{line}");
    }
}

#[test]
fn series_are_told_apart_by_labels() {
    let calls = Counter::Calls {
        origin: "test-series",
        code: "2xx",
    }
    .handle();
    calls.inc();
    Counter::Calls {
        origin: "test-series",
        code: "2xx",
    }
    .add(2);
    Counter::Calls {
        origin: "test-series",
        code: "5xx",
    }
    .inc();
    assert_eq!(calls.get(), 3);
    let text = render();
    assert!(
        text.contains("gramtap_calls_total{code=\"2xx\",origin=\"test-series\"} 3\n"),
        "{text}"
    );
    assert!(
        text.contains("gramtap_calls_total{code=\"5xx\",origin=\"test-series\"} 1\n"),
        "{text}"
    );
}

#[test]
fn a_gauge_goes_down_with_its_guard() {
    let tasks = Gauge::Tasks { name: "test-guard" }.handle();
    let guard = tasks.hold();
    assert_eq!(tasks.get(), 1);
    drop(guard);
    assert_eq!(tasks.get(), 0);
}

#[test]
fn histograms_count_into_their_buckets() {
    let seconds = Histogram::CallSeconds { leg: "test-leg" }.handle();
    seconds.record(Duration::from_millis(3));
    seconds.observe(600.0);
    assert_eq!(seconds.count(), 2);
    let text = render();
    for line in [
        "gramtap_call_seconds_bucket{leg=\"test-leg\",le=\"0.0025\"} 0\n",
        "gramtap_call_seconds_bucket{leg=\"test-leg\",le=\"0.005\"} 1\n",
        "gramtap_call_seconds_bucket{leg=\"test-leg\",le=\"120\"} 1\n",
        "gramtap_call_seconds_bucket{leg=\"test-leg\",le=\"+Inf\"} 2\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
}

#[test]
fn collectors_run_before_each_rendering() {
    let depth = Gauge::MailboxDepth {
        actor: "test-collector",
    };
    on_scrape(move || depth.add(1));
    assert!(render().contains("gramtap_mailbox_depth{actor=\"test-collector\"} 1\n"));
    assert!(depth.get() >= 1);
}
