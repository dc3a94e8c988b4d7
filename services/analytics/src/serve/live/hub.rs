//! Who watches which bot: one reader for each bot that is watched, shared by its watchers.
//!
//! In: watchers of this process; the bot's partitions of events.v1 and errors.v1, from their end, without a group. Out: [`Watch`], each
//! record of the bot once and in order. Invariant: a watcher's places are those of what it was given, so that it can go on from them
//! elsewhere: nothing is left out between them and the reader's. A tail ends with its last watcher. Overloaded: a watcher that is
//! more than `BEHIND` records behind is let go, with the number of those it missed; above `WATCHERS` nobody is let in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use gramtap_actors::Task;
use gramtap_bus::{Bus, ConsumeError, Delivery, Event, Isolation, Offset, Reader, TopicPartition};
use gramtap_events::topics::{ERRORS, EVENTS};
use gramtap_events::{TenantId, Topic};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};

use crate::serve::records::partition;

/// Records that a watcher may be behind.
const BEHIND: usize = 1_024;
/// Watchers of this process.
const WATCHERS: usize = 200;

/// The offsets to read on from, of events.v1 and of errors.v1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places {
    /// Of events.v1.
    pub events: i64,
    /// Of errors.v1.
    pub errors: i64,
}

impl Places {
    fn of(&mut self, topic: &'static Topic) -> &mut i64 {
        if topic == &EVENTS {
            &mut self.events
        } else {
            &mut self.errors
        }
    }

    /// Whether everything before `other` is behind these.
    fn reach(self, other: Self) -> bool {
        self.events >= other.events && self.errors >= other.errors
    }
}

/// A record of a watched bot.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Of which topic.
    pub topic: &'static Topic,
    /// Where.
    pub offset: i64,
    /// As it is in the topic.
    pub payload: Bytes,
}

/// What a watcher is given.
#[derive(Debug)]
pub enum Told {
    /// A record.
    Record(Seen),
    /// So many were missed: it is let go.
    Behind(u64),
    /// The log cannot be read any further: it is let go.
    Ended,
}

/// See the file's header.
#[derive(Debug)]
pub struct Hub {
    tails: tokio::sync::Mutex<HashMap<TenantId, Weak<Tail>>>,
    places: Arc<Semaphore>,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            tails: tokio::sync::Mutex::default(),
            places: Arc::new(Semaphore::new(WATCHERS)),
        }
    }
}

/// The reader of one bot.
#[derive(Debug)]
struct Tail {
    shared: Arc<Shared>,
    task: Task<()>,
}

#[derive(Debug)]
struct Shared {
    /// Behind what was sent. Held while something is sent and while somebody joins.
    places: Mutex<Places>,
    sender: broadcast::Sender<Seen>,
}

impl Drop for Tail {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One who watches.
pub struct Watch {
    tail: Arc<Tail>,
    tenant: TenantId,
    source: Source,
    places: Places,
    _room: OwnedSemaphorePermit,
}

enum Source {
    /// What the tail reads.
    Shared(broadcast::Receiver<Seen>),
    /// What lies before that.
    Own(Reader),
}

impl Hub {
    /// Begins to watch: from now on, or from the places that an earlier watch had come to. None: there is no room.
    pub async fn watch(
        &self,
        bus: &Bus,
        tenant: TenantId,
        from: Option<Places>,
    ) -> Result<Option<Watch>, ConsumeError> {
        let Ok(room) = Arc::clone(&self.places).try_acquire_owned() else {
            return Ok(None);
        };
        let tail = self.tail(bus, tenant).await?;
        let (now, receiver) = tail.shared.join();
        let (source, places) = match from {
            Some(from) if !from.reach(now) => {
                let events = partition(bus, tenant, &EVENTS).await?;
                let errors = partition(bus, tenant, &ERRORS).await?;
                let at = vec![
                    (events, Offset::At(from.events)),
                    (errors, Offset::At(from.errors)),
                ];
                let reader = bus.assign(at, Isolation::Committed).await?;
                (Source::Own(reader), from)
            }
            _ => (Source::Shared(receiver), now),
        };
        Ok(Some(Watch {
            tail,
            tenant,
            source,
            places,
            _room: room,
        }))
    }

    /// How many bots are watched.
    pub async fn tails(&self) -> usize {
        let mut tails = self.tails.lock().await;
        tails.retain(|_, tail| tail.strong_count() > 0);
        tails.len()
    }

    /// The tail of a bot, which is begun if there is none. Others wait meanwhile, as they would for the same bus.
    async fn tail(&self, bus: &Bus, tenant: TenantId) -> Result<Arc<Tail>, ConsumeError> {
        let mut tails = self.tails.lock().await;
        tails.retain(|_, tail| tail.strong_count() > 0);
        let known = tails.get(&tenant).and_then(Weak::upgrade);
        if let Some(tail) = known.filter(|tail| !tail.task.is_finished()) {
            return Ok(tail);
        }
        let events = partition(bus, tenant, &EVENTS).await?;
        let errors = partition(bus, tenant, &ERRORS).await?;
        let places = Places {
            events: end(bus, events).await?,
            errors: end(bus, errors).await?,
        };
        let at = vec![
            (events, Offset::At(places.events)),
            (errors, Offset::At(places.errors)),
        ];
        let reader = bus.assign(at, Isolation::Committed).await?;
        let shared = Arc::new(Shared {
            places: Mutex::new(places),
            sender: broadcast::Sender::new(BEHIND),
        });
        let follow = follow(reader, tenant, Arc::clone(&shared));
        let task = gramtap_actors::spawn("live tail", follow);
        let tail = Arc::new(Tail { shared, task });
        tails.insert(tenant, Arc::downgrade(&tail));
        Ok(tail)
    }
}

impl Shared {
    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, seen: Seen) {
        let mut places = self.places();
        *places.of(seen.topic) = seen.offset + 1;
        // Nobody listens: the last one is just leaving.
        drop(self.sender.send(seen));
    }

    fn join(&self) -> (Places, broadcast::Receiver<Seen>) {
        let places = self.places();
        (*places, self.sender.subscribe())
    }
}

impl Watch {
    /// Where it has come to.
    #[must_use]
    pub fn places(&self) -> Places {
        self.places
    }

    /// The next record. May be dropped at any time.
    pub async fn next(&mut self) -> Told {
        loop {
            let told = match &mut self.source {
                Source::Shared(receiver) => match receiver.recv().await {
                    Ok(seen) => seen,
                    Err(RecvError::Lagged(missed)) => return Told::Behind(missed),
                    Err(RecvError::Closed) => return Told::Ended,
                },
                Source::Own(reader) => match reader.next().await {
                    Some(Ok(Event::Record(record))) => {
                        let own = own(record, self.tenant);
                        let place = self.places.of(own.1.topic);
                        *place = own.1.offset + 1;
                        let (now, receiver) = self.tail.shared.join();
                        if self.places.reach(now) {
                            self.source = Source::Shared(receiver);
                        }
                        match own {
                            (true, seen) => return Told::Record(seen),
                            (false, _) => continue,
                        }
                    }
                    Some(Ok(_)) => continue,
                    Some(Err(error)) if error.retry() => continue,
                    Some(Err(_)) | None => return Told::Ended,
                },
            };
            let place = self.places.of(told.topic);
            // It was given already, while this one caught up.
            if told.offset < *place {
                continue;
            }
            *place = told.offset + 1;
            return Told::Record(told);
        }
    }
}

/// Hands on what is written, as long as somebody watches.
async fn follow(reader: Reader, tenant: TenantId, shared: Arc<Shared>) {
    loop {
        match reader.next().await {
            Some(Ok(Event::Record(record))) => {
                if let (true, seen) = own(record, tenant) {
                    shared.send(seen);
                }
            }
            Some(Ok(_)) => {}
            Some(Err(error)) if error.retry() => tracing::warn!(%error, "a live tail waits"),
            Some(Err(error)) => {
                tracing::error!(%error, "a live tail has ended");
                return;
            }
            None => return,
        }
    }
}

/// Whether a record is the bot's, and what of it is shown.
fn own(record: Delivery, tenant: TenantId) -> (bool, Seen) {
    let own = record.key.as_deref() == Some(tenant.as_str().as_bytes());
    let seen = Seen {
        topic: record.topic,
        offset: record.offset,
        payload: record.payload.unwrap_or_default(),
    };
    (own, seen)
}

/// The offset that the next record of a partition gets.
async fn end(bus: &Bus, of: TopicPartition) -> Result<i64, ConsumeError> {
    let ends = bus.ends(of.topic).await?;
    let end = ends.into_iter().find(|ends| ends.partition == of.partition);
    end.map(|ends| ends.high)
        .ok_or_else(|| ConsumeError::Unknown(of.to_string()))
}
