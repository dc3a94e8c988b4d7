//! Consuming: what a reader is given, and what it may ask.
//!
//! In: an engine's thread fills the `inbox.rs` of each consumer. Out: the services' loops, by
//! [`Consumer::next`] and [`Reader::next`]. Invariant: records of a partition come in order, after
//! its `Assigned` and never after its `Revoked`; nothing is committed but by [`Consumer::commit`].
//! Overloaded: the inbox is bounded by records and bytes; the engine then reads no further and
//! stays in the group. Dead: what was not committed is read again by the next owner.

pub(crate) mod inbox;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use gramtap_events::Topic;

use crate::error::{CommitError, ConsumeError};
use crate::message::Delivery;
use crate::{embedded, kafka};
use inbox::{Inbox, Release};

/// The longest metadata of a commit, in bytes: what Kafka takes by default.
pub const METADATA: usize = 4096;

/// One partition of one topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TopicPartition {
    /// The topic.
    pub topic: &'static Topic,
    /// Its partition, from 0.
    pub partition: i32,
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic.name, self.partition)
    }
}

/// Where to begin reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offset {
    /// At the oldest record kept.
    Beginning,
    /// After the newest record of now.
    End,
    /// At this offset.
    At(i64),
}

/// Which records are seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// Those whose transaction was committed, and those written outside one.
    #[default]
    Committed,
    /// All.
    Uncommitted,
}

/// The ends of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// The partition.
    pub partition: i32,
    /// The offset of the oldest record kept.
    pub low: i64,
    /// The offset that the next record will get.
    pub high: i64,
}

/// What happens to a consumer.
#[derive(Debug)]
pub enum Event {
    /// A record.
    Record(Delivery),
    /// Partitions are this consumer's from now on.
    Assigned(Vec<Assigned>),
    /// Partitions are about to be another one's, as soon as this is dropped.
    Revoked(Revoked),
    /// Records between two offsets were gone (retention) before they were read.
    Skipped(Skipped),
}

/// A partition given to this consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assigned {
    /// Which one.
    pub partition: TopicPartition,
    /// What the group committed last. None: nothing yet, reading begins at the oldest record.
    pub committed: Option<Committed>,
}

/// What a group committed for a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The offset to go on from.
    pub offset: i64,
    /// What was committed with it; empty for none.
    pub metadata: String,
}

/// Partitions that are about to be another consumer's. Commit what is done, then drop it: the
/// group waits for that until [`ConsumerOptions::release_deadline`].
#[derive(Debug)]
pub struct Revoked {
    /// Which ones.
    pub partitions: Vec<TopicPartition>,
    /// They are another one's already (this consumer was silent too long): a commit would fail.
    pub lost: bool,
    pub(crate) _release: Release,
}

impl Revoked {
    /// Gives the partitions up. The same as dropping it.
    pub fn release(self) {
        drop(self);
    }
}

/// Records that are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Where.
    pub partition: TopicPartition,
    /// The first offset that was wanted.
    pub from: i64,
    /// The offset that reading goes on from.
    pub to: i64,
}

/// An offset to commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// For which partition.
    pub partition: TopicPartition,
    /// The offset to go on from: one more than that of the last record that is done.
    pub offset: i64,
    /// Kept with it; at most [`METADATA`] long.
    pub metadata: String,
}

/// How a member of a group behaves.
#[derive(Clone, Debug)]
pub struct ConsumerOptions {
    /// A name that is this member's alone and stable over restarts: a restart within
    /// `session_timeout` then moves no partition. None: dynamic membership.
    pub member: Option<String>,
    /// After how long of silence the member is taken for dead.
    pub session_timeout: Duration,
    /// How long a [`Revoked`] may be held before its partitions go all the same.
    pub release_deadline: Duration,
    /// Which records are seen.
    pub isolation: Isolation,
    /// Records that are read ahead at most.
    pub max_records: usize,
    /// Their bytes at most.
    pub max_bytes: usize,
    /// Partitions of the same number go to the same member, whatever their topic, so that one member has all of a
    /// key. All members of the group must say the same. In Kafka every rebalance then moves all
    /// partitions, not only those that change hands.
    pub together: bool,
}

impl Default for ConsumerOptions {
    fn default() -> Self {
        Self {
            member: None,
            session_timeout: Duration::from_secs(10),
            release_deadline: Duration::from_secs(10),
            isolation: Isolation::Committed,
            max_records: 2_000,
            max_bytes: 8 * 1024 * 1024,
            together: false,
        }
    }
}

/// A member of a group. Dropped, it leaves without waiting; [`Consumer::close`] waits.
pub struct Consumer {
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) engine: Engine,
}

/// The consumer of either engine.
#[derive(Clone)]
pub(crate) enum Engine {
    Kafka(Arc<kafka::consumer::Handle>),
    Embedded(Arc<embedded::consumer::Handle>),
}

impl Consumer {
    /// The next event; none after the end. Waits; may be dropped at any time. For one caller at a
    /// time.
    pub async fn next(&self) -> Option<Result<Event, ConsumeError>> {
        self.inbox.next().await
    }

    /// Commits an offset of a partition that is assigned to this consumer, with metadata of at
    /// most [`METADATA`] bytes. Commits of one partition must be made one after another.
    pub async fn commit(
        &self,
        partition: TopicPartition,
        offset: i64,
        metadata: &str,
    ) -> Result<(), CommitError> {
        if !self.inbox.owns(partition) {
            return Err(CommitError::NotAssigned(partition));
        }
        if metadata.len() > METADATA {
            return Err(CommitError::TooLarge);
        }
        let commit = Commit {
            partition,
            offset,
            metadata: metadata.to_owned(),
        };
        match &self.engine {
            Engine::Kafka(handle) => handle.commit(commit).await,
            Engine::Embedded(handle) => handle.commit(commit).await,
        }
    }

    /// Reads no further in a partition. What is read ahead already stays in the inbox.
    pub fn pause(&self, partition: TopicPartition) {
        match &self.engine {
            Engine::Kafka(handle) => handle.pause(partition, true),
            Engine::Embedded(handle) => handle.pause(partition, true),
        }
        self.inbox.wake();
    }

    /// Reads on.
    pub fn resume(&self, partition: TopicPartition) {
        match &self.engine {
            Engine::Kafka(handle) => handle.pause(partition, false),
            Engine::Embedded(handle) => handle.pause(partition, false),
        }
        self.inbox.wake();
    }

    /// What [`crate::Transaction::send_offsets`] needs to commit as this member of the group.
    #[must_use]
    pub fn membership(&self) -> Membership {
        Membership {
            inbox: Arc::clone(&self.inbox),
            engine: self.engine.clone(),
        }
    }

    /// Leaves the group and ends. False: it did not end within the deadline, and is left to
    /// itself on its own thread.
    pub async fn close(self, deadline: Duration) -> bool {
        self.inbox.close();
        self.inbox.ended(deadline).await
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.inbox.close();
    }
}

/// A consumer's place in its group.
#[derive(Clone)]
pub struct Membership {
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) engine: Engine,
}

/// Reads partitions without a group. Dropped, it ends.
pub struct Reader {
    pub(crate) inbox: Arc<Inbox>,
}

impl Reader {
    /// The next record, or [`Event::Skipped`]; never another event. Waits for new records; may be
    /// dropped at any time.
    pub async fn next(&self) -> Option<Result<Event, ConsumeError>> {
        self.inbox.next().await
    }

    /// Ends. False: it did not end within the deadline.
    pub async fn close(self, deadline: Duration) -> bool {
        self.inbox.close();
        self.inbox.ended(deadline).await
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.inbox.close();
    }
}
