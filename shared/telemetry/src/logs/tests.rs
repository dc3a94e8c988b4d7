//! What a line looks like, what is masked in it, which lines are let through, and what happens
//! when nobody reads them. Input: events of a subscriber that is this thread's only. Output: a
//! sink in memory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    io::Write,
    sync::{Mutex, mpsc},
};

use super::*;
use crate::Counter;

/// More than any test should need; reached only by a failure.
const LONG: Duration = Duration::from_secs(30);

#[derive(Clone, Default)]
struct Sink(std::sync::Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
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

fn written(config: &TelemetryConfig, log: impl FnOnce()) -> String {
    let sink = Sink::default();
    let queue = Queue::start(sink.clone(), hide_canary).unwrap();
    tracing::subscriber::with_default(subscriber(config, &queue, None, false).unwrap(), log);
    queue.flush(LONG);
    String::from_utf8(sink.0.lock().unwrap().clone()).unwrap()
}

fn config(log: &str, format: Format) -> TelemetryConfig {
    TelemetryConfig {
        log: log.to_owned(),
        format,
        ..TelemetryConfig::default()
    }
}

#[test]
fn text_lines_carry_fields_and_spans() {
    let text = written(&config("info", Format::Text), || {
        let _span = tracing::info_span!("call", method = "getMe").entered();
        tracing::warn!(bot = 42, "slow");
        tracing::debug!("too fine");
    });
    assert!(
        text.contains(
            " WARN call{method=\"getMe\"}: gramtap_telemetry::logs::tests: slow bot=42\n"
        ),
        "{text}"
    );
    assert_eq!(text.lines().count(), 1);
}

#[test]
fn json_lines_are_objects() {
    let text = written(&config("info", Format::Json), || {
        tracing::info!(bot = 42, "say \"hi\"")
    });
    let line: serde_json::Value = serde_json::from_str(text.trim()).unwrap();
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["message"], "say \"hi\"");
    assert_eq!(line["bot"], 42);
}

#[test]
fn directives_choose_by_module() {
    let text = written(
        &config("error,gramtap_telemetry=debug", Format::Text),
        || {
            tracing::debug!("ours");
            tracing::warn!(target: "stranger", "theirs");
        },
    );
    assert!(text.contains("ours") && !text.contains("theirs"), "{text}");
}

#[test]
fn a_secret_is_masked_wherever_it_stands() {
    let before = Counter::SecretsMasked.get();
    for format in [Format::Text, Format::Json] {
        let text = written(&config("info", format), || {
            let _span = tracing::info_span!("call", path = "/botCANARY/getMe").entered();
            tracing::info!(field = "CANARY", "message CANARY");
            tracing::info!(target: "stranger", error = ?"CANARY");
        });
        assert!(
            !text.contains("CANARY") && text.matches("***").count() == 5,
            "{text}"
        );
    }
    assert!(Counter::SecretsMasked.get() >= before + 4);
}

#[test]
fn lines_are_counted_by_level() {
    let counted = || Counter::LogLines { level: "error" }.get();
    let before = counted();
    written(&config("info", Format::Text), || tracing::error!("one"));
    assert!(counted() > before);
}

#[test]
fn a_sink_that_is_not_read_costs_lines_and_not_the_caller() {
    struct Stuck(mpsc::Receiver<()>);
    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // Blocks until the test lets go of the sender.
            self.0.recv().ok();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let (release, stuck) = mpsc::channel();
    let queue = Queue::start(Stuck(stuck), hide_canary).unwrap();
    let before = Counter::LogLinesDropped.get();
    let line = "x".repeat(1 << 20);
    let config = config("info", Format::Text);
    tracing::subscriber::with_default(subscriber(&config, &queue, None, false).unwrap(), || {
        for _ in 0..8 {
            tracing::info!(line, "long");
        }
    });
    // Each line is a little more than 1 MiB: three fit, whether or not one is being written.
    assert!(Counter::LogLinesDropped.get() >= before + 5);
    queue.flush(Duration::from_millis(1));
    drop(release);
    queue.flush(LONG);
}

#[test]
fn a_section_that_cannot_be_used_says_what_to_write() {
    let queue = Queue::start(io::sink(), hide_canary).unwrap();
    let refused = |config: &TelemetryConfig| {
        Exporter::start(config, hide_canary)
            .err()
            .or_else(|| subscriber(config, &queue, None, false).err())
            .unwrap()
    };
    let error = refused(&config("gramtap=loud", Format::Text));
    assert_eq!(
        (
            error.label(),
            error.to_string().contains("info,gramtap=debug")
        ),
        ("filter", true),
        "{error}"
    );
    let error = refused(&TelemetryConfig {
        sample: 1.5,
        ..TelemetryConfig::default()
    });
    assert_eq!(
        (error.label(), error.to_string().contains("0.0 to 1.0")),
        ("sample", true),
        "{error}"
    );
    let error = refused(&TelemetryConfig {
        otlp_endpoint: "no url".into(),
        ..TelemetryConfig::default()
    });
    assert_eq!(
        (
            error.label(),
            error.to_string().contains("http://host:port")
        ),
        ("endpoint", true),
        "{error}"
    );
}
