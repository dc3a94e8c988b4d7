//! What librdkafka has to say: log lines, errors, statistics.
//!
//! In: callbacks on the threads that poll. Out: `tracing`, at most one line of a kind in 30 s with
//! the number of those held back; whether a broker is connected. Invariant: a client whose brokers
//! are down, and which says so twice a second, fills no log.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tokio::sync::Notify;

/// How long lines of one kind are held back after one was written.
const QUIET: Duration = Duration::from_secs(30);

/// Kinds of lines that are remembered at most.
const KINDS: usize = 64;

/// The context of a client.
pub(super) struct Context {
    name: &'static str,
    lines: Mutex<HashMap<String, Line>>,
    pub(super) link: Arc<Link>,
}

/// What is known of a client's brokers.
#[derive(Debug, Default)]
pub(super) struct Link {
    /// A broker is connected.
    up: AtomicBool,
    /// The producer has got its id.
    identified: AtomicBool,
    broken: AtomicBool,
    fatal: Mutex<Option<String>>,
    changed: Notify,
}

struct Line {
    written: Instant,
    held_back: u64,
}

impl Context {
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name,
            lines: Mutex::default(),
            link: Arc::default(),
        }
    }

    /// The number of lines of this kind that were held back, or none if this one is.
    fn may_write(&self, kind: &str) -> Option<u64> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        match lines.get_mut(kind) {
            Some(line) if line.written.elapsed() < QUIET => {
                line.held_back += 1;
                return None;
            }
            Some(line) => {
                line.written = Instant::now();
                return Some(std::mem::take(&mut line.held_back));
            }
            None => {}
        }
        if lines.len() >= KINDS {
            lines.clear();
        }
        let line = Line {
            written: Instant::now(),
            held_back: 0,
        };
        lines.insert(kind.to_owned(), line);
        Some(0)
    }
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        use RDKafkaLogLevel as Level;
        let client = self.name;
        match level {
            Level::Debug | Level::Info => tracing::debug!(client, facility, line, "librdkafka"),
            _ => {
                let Some(held_back) = self.may_write(facility) else {
                    return;
                };
                match level {
                    Level::Emerg | Level::Alert | Level::Critical => {
                        tracing::error!(client, facility, line, held_back, "librdkafka");
                    }
                    // Its errors are ours only when they reach a caller; most heal by themselves.
                    _ => tracing::warn!(client, facility, line, held_back, "librdkafka"),
                }
            }
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::AllBrokersDown) => self.link.set_up(false),
            Some(RDKafkaErrorCode::Fatal) => self.link.set_fatal(reason),
            _ => {}
        }
        if let Some(held_back) = self.may_write(&error.to_string()) {
            tracing::warn!(client = self.name, %error, reason, held_back, "kafka client in trouble");
        }
    }

    /// Once a second, for clients that ask for it. Only two words of it matter, so it is not
    /// parsed.
    fn stats_raw(&self, statistics: &[u8]) {
        self.link.set_up(contains(statistics, br#""state":"UP""#));
        self.link
            .set_identified(contains(statistics, br#""idemp_state": "Assigned""#));
    }
}

impl ConsumerContext for Context {}

impl Link {
    pub(super) fn up(&self) -> bool {
        self.up.load(Ordering::Acquire)
    }

    /// A sign of life.
    pub(super) fn set_up(&self, up: bool) {
        if self.up.swap(up, Ordering::AcqRel) != up {
            self.changed.notify_waiters();
        }
    }

    fn set_identified(&self, identified: bool) {
        if self.identified.swap(identified, Ordering::AcqRel) != identified {
            self.changed.notify_waiters();
        }
    }

    /// Waits until the producer has its id.
    pub(super) async fn identified(&self) {
        loop {
            let changed = self.changed.notified();
            if self.identified.load(Ordering::Acquire) {
                return;
            }
            changed.await;
        }
    }

    fn set_fatal(&self, reason: &str) {
        *self.fatal.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason.to_owned());
        self.broken.store(true, Ordering::Release);
        self.set_up(false);
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Acquire)
    }

    /// Why the client is of no further use.
    pub(super) fn fatal(&self) -> Option<String> {
        self.fatal
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_kind_are_held_back_and_counted() {
        let context = Context::new("test");
        assert_eq!(context.may_write("FAIL"), Some(0));
        assert_eq!(
            [context.may_write("FAIL"), context.may_write("FAIL")],
            [None, None]
        );
        assert_eq!(context.may_write("CONNECT"), Some(0));
        if let Some(line) = context
            .lines
            .lock()
            .ok()
            .as_mut()
            .and_then(|it| it.get_mut("FAIL"))
        {
            line.written = Instant::now().checked_sub(QUIET).unwrap_or(line.written);
        }
        assert_eq!(context.may_write("FAIL"), Some(2));
        for number in 0..1_000 {
            assert_eq!(context.may_write(&format!("kind {number}")), Some(0));
        }
        assert!(context.lines.lock().is_ok_and(|lines| lines.len() <= KINDS));
    }

    #[test]
    fn the_link_follows_statistics_errors_and_signs_of_life() {
        let context = Context::new("test");
        let (up, identified) = (&context.link.up, &context.link.identified);
        let now = || {
            (
                up.load(Ordering::Acquire),
                identified.load(Ordering::Acquire),
            )
        };
        assert_eq!(now(), (false, false));
        let statistics = br#"{"brokers":{"b":{"state":"UP", "x":1}}, "eos": { "idemp_state": "WaitPID", "y":2}}"#;
        context.stats_raw(statistics);
        assert_eq!(now(), (true, false));
        context.stats_raw(
            br#"{"brokers":{"b":{"state":"TRY_CONNECT"}}, "eos": { "idemp_state": "Assigned"}}"#,
        );
        assert_eq!(now(), (false, true));
        context.link.set_up(true);
        context.error(KafkaError::Global(RDKafkaErrorCode::AllBrokersDown), "down");
        assert_eq!(now(), (false, true));
        assert_eq!(
            (context.link.is_broken(), context.link.fatal()),
            (false, None)
        );
        context.error(KafkaError::Global(RDKafkaErrorCode::Fatal), "out of order");
        assert_eq!(
            (context.link.is_broken(), context.link.fatal()),
            (true, Some("out of order".to_owned()))
        );
    }
}
