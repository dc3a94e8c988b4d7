//! The inbox: the queue between an engine's thread and the task that consumes.
//!
//! In: the engine's thread (`push`, `assigned`, `revoke`, `fail`). Out: `Consumer::next`; back to
//! the engine's thread: room, released partitions, the wish to end, each with an unpark.
//! Invariant: assignments and revocations overtake records, and a revocation takes the records of
//! its partitions with it, so that nothing of a partition comes before its assignment or after its
//! revocation. Full: `room` is false and the engine stops pushing.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::Duration;

use tokio::sync::Notify;

use super::{Assigned, Event, Revoked, Skipped, TopicPartition};
use crate::error::ConsumeError;
use crate::message::Delivery;

/// See the file's header.
pub(crate) struct Inbox {
    max_records: usize,
    max_bytes: usize,
    state: Mutex<State>,
    ready: Notify,
    ended: Notify,
    closing: AtomicBool,
    engine: OnceLock<Thread>,
}

#[derive(Default)]
struct State {
    /// Assignments and revocations, which overtake records.
    urgent: VecDeque<Event>,
    records: VecDeque<Item>,
    bytes: usize,
    owned: HashSet<TopicPartition>,
    failed: Option<ConsumeError>,
    /// An error that reading survives, told once.
    trouble: Option<ConsumeError>,
    ended: bool,
}

/// What keeps its place in a partition's order.
enum Item {
    Record(Delivery),
    Skipped(Skipped),
}

impl Item {
    fn partition(&self) -> TopicPartition {
        match self {
            Self::Record(delivery) => TopicPartition {
                topic: delivery.topic,
                partition: delivery.partition,
            },
            Self::Skipped(skipped) => skipped.partition,
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::Record(delivery) => delivery.size(),
            Self::Skipped(_) => 0,
        }
    }
}

impl Inbox {
    pub(crate) fn new(max_records: usize, max_bytes: usize) -> Self {
        Self {
            max_records,
            max_bytes,
            state: Mutex::default(),
            ready: Notify::new(),
            ended: Notify::new(),
            closing: AtomicBool::new(false),
            engine: OnceLock::new(),
        }
    }

    // === for the consumer's task ===

    pub(crate) async fn next(&self) -> Option<Result<Event, ConsumeError>> {
        loop {
            let ready = self.ready.notified();
            if let Some(next) = self.take() {
                return next;
            }
            ready.await;
        }
    }

    /// None: nothing yet.
    fn take(&self) -> Option<Option<Result<Event, ConsumeError>>> {
        let mut state = self.lock();
        if let Some(event) = state.urgent.pop_front() {
            return Some(Some(Ok(event)));
        }
        if let Some(item) = state.records.pop_front() {
            let was_full = !self.roomy(&state);
            state.bytes -= item.size();
            let emptied = state.records.is_empty();
            drop(state);
            if was_full || emptied {
                self.wake();
            }
            return Some(Some(Ok(match item {
                Item::Record(delivery) => Event::Record(delivery),
                Item::Skipped(skipped) => Event::Skipped(skipped),
            })));
        }
        if let Some(error) = state.trouble.take().or_else(|| state.failed.take()) {
            return Some(Some(Err(error)));
        }
        state.ended.then_some(None)
    }

    pub(crate) fn owns(&self, partition: TopicPartition) -> bool {
        self.lock().owned.contains(&partition)
    }

    /// Asks the engine's thread to end.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Release);
        // Held revocations in the queue would hold the group up.
        let urgent = std::mem::take(&mut self.lock().urgent);
        drop(urgent);
        self.wake();
    }

    pub(crate) async fn ended(&self, deadline: Duration) -> bool {
        let wait = async {
            loop {
                let ended = self.ended.notified();
                if self.lock().ended {
                    return;
                }
                ended.await;
            }
        };
        tokio::time::timeout(deadline, wait).await.is_ok()
    }

    // === for the engine's thread ===

    /// Names the thread that is woken. Called once, by that thread or its maker.
    pub(crate) fn served_by(&self, thread: Thread) {
        drop(self.engine.set(thread));
    }

    /// Wakes the engine's thread.
    pub(crate) fn wake(&self) {
        if let Some(thread) = self.engine.get() {
            thread.unpark();
        }
    }

    pub(crate) fn closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    pub(crate) fn room(&self) -> bool {
        self.roomy(&self.lock())
    }

    fn roomy(&self, state: &State) -> bool {
        state.records.len() < self.max_records && state.bytes < self.max_bytes
    }

    /// Adds records in order; returns whether there is room for more.
    pub(crate) fn push(&self, deliveries: impl IntoIterator<Item = Delivery>) -> bool {
        self.add(deliveries.into_iter().map(Item::Record))
    }

    pub(crate) fn skipped(&self, skipped: Skipped) {
        self.add([Item::Skipped(skipped)]);
    }

    fn add(&self, items: impl IntoIterator<Item = Item>) -> bool {
        let mut state = self.lock();
        for item in items {
            state.bytes += item.size();
            state.records.push_back(item);
        }
        let room = self.roomy(&state);
        drop(state);
        self.ready.notify_one();
        room
    }

    pub(crate) fn assigned(&self, assigned: Vec<Assigned>) {
        let mut state = self.lock();
        state.owned.extend(assigned.iter().map(|it| it.partition));
        state.urgent.push_back(Event::Assigned(assigned));
        drop(state);
        self.ready.notify_one();
    }

    /// Hands partitions to the owner to let go of, and forgets their unread records. They stay
    /// owned, so that they can be committed, until `disown`.
    pub(crate) fn revoke(&self, partitions: Vec<TopicPartition>, lost: bool) -> Released {
        let released = Arc::new(AtomicBool::new(false));
        let release = Release {
            done: Arc::clone(&released),
            engine: self.engine.get().cloned(),
        };
        let mut state = self.lock();
        let gone: HashSet<_> = partitions.iter().copied().collect();
        let (kept, dropped): (VecDeque<_>, VecDeque<_>) = std::mem::take(&mut state.records)
            .into_iter()
            .partition(|item| !gone.contains(&item.partition()));
        state.records = kept;
        state.bytes -= dropped.iter().map(Item::size).sum::<usize>();
        if lost {
            state.owned.retain(|partition| !gone.contains(partition));
        }
        if !self.closing() {
            state.urgent.push_back(Event::Revoked(Revoked {
                partitions,
                lost,
                _release: release,
            }));
        }
        drop(state);
        self.ready.notify_one();
        Released(released)
    }

    /// From here on the partitions cannot be committed.
    pub(crate) fn disown(&self, partitions: &[TopicPartition]) {
        let mut state = self.lock();
        state.owned.retain(|owned| !partitions.contains(owned));
    }

    /// Tells of trouble that reading survives. Told once until it is taken.
    pub(crate) fn trouble(&self, error: ConsumeError) {
        self.lock().trouble = Some(error);
        self.ready.notify_one();
    }

    /// The last word of the engine's thread: after what is queued comes the error, if any, then
    /// the end.
    pub(crate) fn end(&self, error: Option<ConsumeError>) {
        let mut state = self.lock();
        state.failed = error;
        state.ended = true;
        state.owned.clear();
        drop(state);
        self.ready.notify_one();
        self.ended.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Held by the owner of a revocation; dropped, the partitions are given up.
#[derive(Debug)]
pub(crate) struct Release {
    done: Arc<AtomicBool>,
    engine: Option<Thread>,
}

impl Drop for Release {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Release);
        if let Some(engine) = &self.engine {
            engine.unpark();
        }
    }
}

/// The engine's side of a [`Release`].
pub(crate) struct Released(Arc<AtomicBool>);

impl Released {
    pub(crate) fn done(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests;
