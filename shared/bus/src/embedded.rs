//! The embedded durable log: Kafka's promises for one process, in one SQLite file.
//!
//! The way of a record: `producer.rs` queues it as one of `jobs.rs` → `writer.rs` gathers what is
//! queued → `apply.rs` writes it in one commit (`file.rs` has the tables and what a commit
//! survives) → the `catalog.rs` moves its partition's end and the readers are woken → `fetch.rs`
//! reads it on the thread of a `reader.rs` or of a group's member (`consumer.rs`, with `groups.rs`
//! and `balance.rs`). `transactor.rs` hands records and offsets over as one job; `retention.rs`
//! deletes in small steps between commits. Invariant: one thread writes, in the order of its
//! queue, and nothing is acknowledged before its commit. Disk full or ill: the writer tries again,
//! the producers' bounds fill and refuse. Dead: at the next start the file is as of its last
//! commit.

mod apply;
mod balance;
mod catalog;
pub(crate) mod consumer;
mod fetch;
mod file;
mod groups;
mod headers;
mod jobs;
pub(crate) mod producer;
pub(crate) mod reader;
mod retention;
#[cfg(test)]
mod tests;
pub(crate) mod transactor;
mod writer;

pub(crate) use headers::known as known_header;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use gramtap_events::Topic;

use crate::config::EmbeddedSection;
use crate::consume::Ends;
use crate::consume::inbox::Inbox;
use crate::error::{BusError, ConsumeError};
use crate::thread;
use catalog::Catalog;
use groups::Groups;

/// Milliseconds since 1970. Tests give another one.
pub(crate) type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The log, open for writing or to look on. The writer ends with the last `Arc` of it.
pub(crate) struct Log {
    core: Arc<Core>,
    /// None: another process writes.
    writer: Option<Sender<jobs::Job>>,
}

/// What the writer and the readers share.
struct Core {
    path: PathBuf,
    section: EmbeddedSection,
    clock: Clock,
    catalog: Catalog,
    groups: Groups,
    /// Who waits for records.
    readers: Mutex<Vec<Weak<Inbox>>>,
    /// What the disk said, while writing does not work.
    ill: Mutex<Option<String>>,
    /// The log is being closed.
    closing: AtomicBool,
    /// The writer's thread has ended.
    ended: AtomicBool,
}

impl Log {
    pub(crate) fn open(data_dir: &Path, section: &EmbeddedSection) -> Result<Self, BusError> {
        Self::open_at(data_dir, section, Arc::new(now))
    }

    pub(crate) fn open_at(
        data_dir: &Path,
        section: &EmbeddedSection,
        clock: Clock,
    ) -> Result<Self, BusError> {
        let lock = file::lock(data_dir)?;
        let path = file::path(data_dir);
        let connection = file::writable(&path)?;
        let core = Arc::new(Core::new(path, section.clone(), clock, &connection)?);
        let (writer, jobs) = channel();
        let served = Arc::clone(&core);
        thread::spawn("bus-writer", move || {
            writer::serve(&served, connection, &jobs);
            // Only now may another process, or this one, open the log again.
            drop(lock);
        })?;
        Ok(Self {
            core,
            writer: Some(writer),
        })
    }

    pub(crate) fn observe(data_dir: &Path) -> Result<Self, BusError> {
        let path = file::path(data_dir);
        let connection = file::readable(&path)?;
        let section = EmbeddedSection {
            retention: std::time::Duration::MAX,
            max_bytes: gramtap_settings::ByteSize(u64::MAX),
        };
        let core = Core::new(path, section, Arc::new(now), &connection)?;
        Ok(Self {
            core: Arc::new(core),
            writer: None,
        })
    }

    /// The ends of a topic's partitions.
    pub(crate) async fn ends(&self, topic: &'static Topic) -> Result<Vec<Ends>, ConsumeError> {
        if self.writer.is_none() {
            self.core.refresh().await?;
        }
        let partitions = self.core.catalog.of(topic);
        let ends = partitions.iter().map(|it| Ends {
            partition: it.number,
            low: it.low(),
            high: it.high(),
        });
        Ok(ends.collect())
    }

    pub(crate) fn partitions(&self, topic: &'static Topic) -> Result<i32, ConsumeError> {
        let count = self.core.catalog.of(topic).len();
        i32::try_from(count).map_err(|_| ConsumeError::Failed("too many partitions".to_owned()))
    }

    /// Deletes all that retention allows to delete, now.
    #[cfg(test)]
    async fn retain(&self) {
        let (done, retained) = tokio::sync::oneshot::channel();
        let writer = self.writer.as_ref().expect("a log of our own");
        assert!(writer.send(jobs::Job::Retain(done)).is_ok());
        retained.await.expect("a writer that lives");
    }

    fn writer(&self) -> Result<&Sender<jobs::Job>, BusError> {
        self.writer.as_ref().ok_or(BusError::ReadOnly)
    }
}

impl Drop for Log {
    /// Whatever is queued is written first, unless the disk refuses.
    fn drop(&mut self) {
        self.core.closing.store(true, Ordering::Release);
    }
}

impl Core {
    fn new(
        path: PathBuf,
        section: EmbeddedSection,
        clock: Clock,
        connection: &rusqlite::Connection,
    ) -> Result<Self, BusError> {
        let catalog = Catalog::load(connection).map_err(|error| BusError::Storage {
            path: path.clone(),
            reason: error.to_string(),
        })?;
        Ok(Self {
            path,
            section,
            clock,
            catalog,
            groups: Groups::default(),
            readers: Mutex::default(),
            ill: Mutex::default(),
            closing: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        })
    }

    /// Wakes this reader after every commit from now on.
    fn enlist(&self, inbox: &Arc<Inbox>) {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        readers.retain(|reader| reader.strong_count() > 0);
        readers.push(Arc::downgrade(inbox));
    }

    fn wake_readers(&self) {
        let readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        for reader in readers.iter().filter_map(Weak::upgrade) {
            reader.wake();
        }
    }

    fn closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// The writer's last act.
    fn end(&self) {
        self.ended.store(true, Ordering::Release);
        self.wake_readers();
    }

    fn ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    fn ill(&self) -> Option<String> {
        self.ill
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set_ill(&self, reason: Option<String>) {
        *self.ill.lock().unwrap_or_else(PoisonError::into_inner) = reason;
    }

    /// Reads the partitions' ends again, for a log that another process writes.
    async fn refresh(self: &Arc<Self>) -> Result<(), ConsumeError> {
        let core = Arc::clone(self);
        thread::ask("bus-look", move || {
            let connection = file::readable(&core.path)?;
            core.catalog
                .refresh(&connection)
                .map_err(|error| BusError::Storage {
                    path: core.path.clone(),
                    reason: error.to_string(),
                })
        })
        .await
        .and_then(|result| result)
        .map_err(|error| ConsumeError::Failed(error.to_string()))
    }
}

fn now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| i64::try_from(now.as_millis()).unwrap_or(i64::MAX))
}
