//! How the application hears what happens here, without this crate knowing of metrics. Input:
//! `spawn.rs`, `thread.rs`, `keeper/supervisor.rs`, `mailbox/lane.rs`. Output: the one observer
//! that the application sets, which counts. Invariant: an observer is called on the thread where
//! the thing happened, so it must be quick and must not panic; before it is set, nothing is heard.

use std::sync::OnceLock;

static OBSERVER: OnceLock<Box<dyn Observer>> = OnceLock::new();

/// What the application counts. Names are those given to `spawn` and `keep`.
pub trait Observer: Send + Sync + 'static {
    /// A task or thread begins.
    fn task_started(&self, name: &'static str) {
        let _ = name;
    }
    /// A task or thread is over.
    fn task_ended(&self, name: &'static str, end: TaskEnd) {
        let _ = (name, end);
    }
    /// An actor died and will be built anew.
    fn actor_restarted(&self, actor: &'static str, cause: Cause) {
        let _ = (actor, cause);
    }
    /// An actor died more often than its policy allows: the application should drain and end. Told
    /// once for each kept actor; it is still restarted, so that the drain has somebody to talk to.
    fn actor_exhausted(&self, actor: &'static str) {
        let _ = actor;
    }
    /// A message was not handled.
    fn message_dropped(&self, actor: &'static str, reason: DropReason) {
        let _ = (actor, reason);
    }
}

/// How a task or thread ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskEnd {
    /// It returned.
    Finished,
    /// It panicked.
    Panicked,
    /// It was dropped before its end: aborted, or its runtime ended.
    Dropped,
}

/// Why an actor is built anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A handler, a future of its context or its factory panicked.
    Panic,
    /// It stopped itself.
    Stop,
    /// It did not answer the heartbeat: something held it for too long.
    Stall,
    /// The system gave no thread to run it on.
    Start,
}

impl Cause {
    /// A fixed word for metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Panic => "panic",
            Self::Stop => "stop",
            Self::Stall => "stall",
            Self::Start => "start",
        }
    }
}

/// Why a message was not handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// The lane's bound was reached.
    Full,
    /// There was no actor: its keeper is gone, or waits before it builds the next one.
    Closed,
    /// It was waiting when the actor died.
    Lost,
    /// Its sender's deadline passed, or its sender left, before the actor came to it.
    Late,
}

impl DropReason {
    /// A fixed word for metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Closed => "closed",
            Self::Lost => "lost",
            Self::Late => "late",
        }
    }
}

/// Sets the observer of the process. Only the first one counts: a second is given back.
///
/// # Errors
/// There is one already.
pub fn set_observer(observer: Box<dyn Observer>) -> Result<(), Box<dyn Observer>> {
    OBSERVER.set(observer)
}

/// Tells the observer, if there is one.
pub(crate) fn tell(event: impl FnOnce(&dyn Observer)) {
    if let Some(observer) = OBSERVER.get() {
        event(observer.as_ref());
    }
}
