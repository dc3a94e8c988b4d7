//! The observer of the test process. Input: the crate. Output: the events of one name, in order.
//! Invariant: names are not shared between tests, so tests can run side by side.

use std::sync::{Mutex, Once, PoisonError};

use gramtap_actors::{Cause, DropReason, Observer, TaskEnd, set_observer};

static EVENTS: Mutex<Vec<(&'static str, Event)>> = Mutex::new(Vec::new());

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Started,
    Ended(TaskEnd),
    Restarted(Cause),
    Exhausted,
    Dropped(DropReason),
}

struct Recorder;

impl Recorder {
    fn record(name: &'static str, event: Event) {
        EVENTS
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((name, event));
    }
}

impl Observer for Recorder {
    fn task_started(&self, name: &'static str) {
        Self::record(name, Event::Started);
    }
    fn task_ended(&self, name: &'static str, end: TaskEnd) {
        Self::record(name, Event::Ended(end));
    }
    fn actor_restarted(&self, actor: &'static str, cause: Cause) {
        Self::record(actor, Event::Restarted(cause));
    }
    fn actor_exhausted(&self, actor: &'static str) {
        Self::record(actor, Event::Exhausted);
    }
    fn message_dropped(&self, actor: &'static str, reason: DropReason) {
        Self::record(actor, Event::Dropped(reason));
    }
}

/// Begins to record. Every test calls it first.
pub(crate) fn record() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| assert!(set_observer(Box::new(Recorder)).is_ok(), "another observer"));
}

/// What was told of a name so far.
pub(crate) fn events(name: &str) -> Vec<Event> {
    let events = EVENTS.lock().unwrap_or_else(PoisonError::into_inner);
    events
        .iter()
        .filter(|(of, _)| *of == name)
        .map(|(_, event)| *event)
        .collect()
}

pub(crate) fn restarts(name: &str) -> Vec<Cause> {
    let cause = |event| match event {
        Event::Restarted(cause) => Some(cause),
        _ => None,
    };
    events(name).into_iter().filter_map(cause).collect()
}

pub(crate) fn dropped(name: &str, reason: DropReason) -> usize {
    events(name)
        .into_iter()
        .filter(|event| *event == Event::Dropped(reason))
        .count()
}
