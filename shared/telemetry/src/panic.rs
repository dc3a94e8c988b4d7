//! Panics become a log line and a number. Input: the process's panic hook. Output: `logs.rs`, or
//! standard error while no log is set up. Invariant: the message passes the redaction before
//! anything sees it, and the hook itself cannot panic.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    io::Write,
    panic::PanicHookInfo,
    time::Duration,
};

use crate::{Counter, Redact, logs::redacted};

/// How long a panicking thread waits for its line to be written.
const FLUSH_BOUND: Duration = Duration::from_millis(200);

/// Replaces the process's panic hook by one that counts and logs, with the message redacted. What
/// happens to the thread that panicked is not its business.
pub fn install_panic_hook(redact: Redact) {
    std::panic::set_hook(Box::new(move |info| report(info, redact)));
}

fn report(info: &PanicHookInfo<'_>, redact: Redact) {
    Counter::Panics.inc();
    let message = info.payload_as_str().unwrap_or("a payload that is no text");
    let message = redacted(message, redact);
    let location = info.location().map(ToString::to_string);
    let location = location.as_deref().unwrap_or("nowhere");
    let current = std::thread::current();
    let thread = current.name().unwrap_or("unnamed");
    // Only if RUST_BACKTRACE asks for it.
    let backtrace = Backtrace::capture();
    let backtrace =
        (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
    let backtrace = backtrace.as_deref().map(|text| redacted(text, redact));
    let backtrace = backtrace.as_deref();
    if tracing::dispatcher::has_been_set() {
        tracing::error!(reason = %message, location, thread, backtrace, "panicked");
        // The process may be about to abort.
        crate::logs::flush(FLUSH_BOUND);
    } else {
        let backtrace = backtrace.unwrap_or_default();
        let text = format!("panicked at {location} in thread {thread}: {message}\n{backtrace}");
        // Nobody is left to tell if standard error is closed as well.
        std::io::stderr().write_all(text.as_bytes()).ok();
    }
}
