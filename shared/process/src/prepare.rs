//! What a process must be before it holds a token.
//!
//! In: nothing. Out: limits of the process, the panic hook, the wiring of actors to metrics.
//! Invariant: from [`prepare`] on, the system writes no core dump and no other process of the
//! same user reads this one's memory; a panic's text is redacted before it is logged.

use std::sync::Arc;

use gramtap_actors::{Cause, DropReason, Observer, TaskEnd, mailboxes, set_observer};
use gramtap_telegram::redact::redact;
use gramtap_telemetry::{
    Counter, Gauge, Guard, TelemetryConfig, TelemetryError, init_with, install_panic_hook,
    on_scrape,
};
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit,
};
use tokio::sync::Notify;

/// Told when an actor has died more often than its keeper tolerates.
pub(crate) type Exhausted = Arc<Notify>;

/// Sets limits, logs, traces, the panic hook and the observer of actors. Keep the guard until the
/// end: it flushes.
///
/// # Errors
/// The telemetry cannot be started as configured.
pub(crate) fn prepare(telemetry: &TelemetryConfig) -> Result<(Guard, Exhausted), TelemetryError> {
    let guard = init_with(telemetry, redact)?;
    install_panic_hook(redact);
    harden();
    let exhausted = Exhausted::default();
    if set_observer(Box::new(Wiring(Arc::clone(&exhausted)))).is_err() {
        tracing::error!("actors are observed by something else already");
    }
    on_scrape(|| {
        for mailbox in mailboxes() {
            let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
            Gauge::MailboxDepth {
                actor: mailbox.actor,
            }
            .set(number(mailbox.depth));
            Gauge::MailboxBound {
                actor: mailbox.actor,
            }
            .set(number(mailbox.bound));
        }
    });
    Ok((guard, exhausted))
}

/// No core dumps, no ptrace, and as many descriptors as the system allows: each call holds two.
fn harden() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let failed = [
        ("core dumps", setrlimit(Resource::Core, none).err()),
        (
            "ptrace",
            set_dumpable_behavior(DumpableBehavior::NotDumpable).err(),
        ),
        ("descriptors", raise_descriptors().err()),
    ];
    for (what, error) in failed {
        if let Some(error) = error {
            tracing::warn!(what, %error, "a limit of the process was not set");
        }
    }
}

fn raise_descriptors() -> rustix::io::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        },
    )
}

/// Actors do not know of metrics, and metrics not of actors.
struct Wiring(Exhausted);

impl Observer for Wiring {
    fn task_started(&self, name: &'static str) {
        Gauge::Tasks { name }.add(1);
    }

    fn task_ended(&self, name: &'static str, end: TaskEnd) {
        Gauge::Tasks { name }.add(-1);
        if end == TaskEnd::Panicked {
            Counter::TaskPanics { name }.inc();
        }
    }

    fn actor_restarted(&self, actor: &'static str, cause: Cause) {
        Counter::ActorRestarts {
            actor,
            cause: cause.label(),
        }
        .inc();
    }

    fn actor_exhausted(&self, actor: &'static str) {
        tracing::error!(actor, "the actor died too often, the process will end");
        self.0.notify_one();
    }

    fn message_dropped(&self, actor: &'static str, reason: DropReason) {
        Counter::MailboxDropped {
            actor,
            reason: reason.label(),
        }
        .inc();
    }
}
