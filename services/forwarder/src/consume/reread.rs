//! Reads again what a bot left in `inbox.retry.v1`.
//!
//! In: what [`crate::arrange::Decision::Reread`] asks for. Out: records, in their order, to `poller.rs`, which says when it is enough. Invariant:
//! each request ends, with enough or with a failure; a failure is told after a pause, so that what is asked again while the bus is away
//! costs little. Overloaded: waits for whoever takes the records.

use std::collections::HashMap;
use std::time::Duration;

use gramtap_actors::{Task, spawn_local};
use gramtap_bus::{Bus, Delivery, Event, Isolation, Offset, TopicPartition};
use gramtap_events::topics::INBOX_RETRY;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::arrange::Reread;

/// Records on their way.
const AHEAD: usize = 64;
/// How long the next record may take: it is there.
const SILENCE: Duration = Duration::from_secs(10);
/// Between a failure and its being told.
const PAUSE: Duration = Duration::from_secs(1);

/// What a request has brought.
pub(super) enum Found {
    /// A record.
    Record(Delivery),
    /// Records below this offset are gone.
    Gone(i64),
    /// It has failed.
    Nothing,
}

/// The requests that are being answered.
pub(super) struct Rereads {
    bus: Bus,
    tasks: HashMap<u64, Task<()>>,
    tell: mpsc::Sender<(Reread, Found)>,
    found: mpsc::Receiver<(Reread, Found)>,
}

impl Rereads {
    pub(super) fn new(bus: &Bus) -> Self {
        let (tell, found) = mpsc::channel(AHEAD);
        Self {
            bus: bus.clone(),
            tasks: HashMap::new(),
            tell,
            found,
        }
    }

    /// Begins to answer a request.
    pub(super) fn start(&mut self, asked: Reread) {
        let (bus, tell) = (self.bus.clone(), self.tell.clone());
        let task = spawn_local("reread", async move {
            if read(&bus, asked, &tell).await.is_none() {
                sleep(PAUSE).await;
                tell.send((asked, Found::Nothing)).await.ok();
            }
        });
        self.tasks.insert(asked.ticket, task);
    }

    /// The next that is found. May be dropped at any time.
    pub(super) async fn next(&mut self) -> (Reread, Found) {
        match self.found.recv().await {
            Some(found) => found,
            // Not reached: one sender is held here.
            None => std::future::pending().await,
        }
    }

    /// It is enough.
    pub(super) fn end(&mut self, asked: &Reread) {
        if let Some(task) = self.tasks.remove(&asked.ticket) {
            task.abort();
        }
    }
}

impl Drop for Rereads {
    fn drop(&mut self) {
        self.tasks.values().for_each(Task::abort);
    }
}

/// Hands on records until nobody takes them. None: it failed.
async fn read(bus: &Bus, asked: Reread, tell: &mpsc::Sender<(Reread, Found)>) -> Option<()> {
    let partition = TopicPartition {
        topic: &INBOX_RETRY,
        partition: asked.partition,
    };
    let from = vec![(partition, Offset::At(asked.from))];
    let reader = bus.assign(from, Isolation::Committed).await.ok()?;
    loop {
        let found = match timeout(SILENCE, reader.next()).await.ok()?? {
            Ok(Event::Record(delivery)) => Found::Record(delivery),
            Ok(Event::Skipped(gone)) => Found::Gone(gone.to),
            Ok(_) => continue,
            Err(error) if error.retry() => continue,
            Err(_) => return None,
        };
        if tell.send((asked, found)).await.is_err() {
            return Some(());
        }
    }
}
