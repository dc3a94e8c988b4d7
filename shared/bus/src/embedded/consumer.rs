//! A member of a group, on the embedded log.
//!
//! In: `groups.rs` says what to take and what to give up. Out: the inbox of a `Consumer`, filled by
//! a thread with a connection of its own; commits go to the writer. Invariant: what a partition's
//! last owner committed is read before the next one begins, because the question goes through the
//! writer's queue. Overloaded: a full inbox stops reading, not rebalancing.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use gramtap_events::Topic;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::fetch::{Cursor, pull};
use super::jobs::{CommitOffset, Job, Member, ReadCommitted};
use super::reader::cursor;
use super::{Core, Log, file};
use crate::consume::inbox::{Inbox, Released};
use crate::consume::{
    Assigned, Commit, Committed, Consumer, ConsumerOptions, Engine, Offset, TopicPartition,
};
use crate::error::{CommitError, ConsumeError};
use crate::thread;

/// The port's side of a member.
pub(crate) struct Handle {
    pub(super) member: Arc<Member>,
    /// Keeps the writer alive.
    log: Arc<Log>,
    pauses: Mutex<Sender<(TopicPartition, bool)>>,
}

impl Handle {
    pub(crate) async fn commit(&self, commit: Commit) -> Result<(), CommitError> {
        let (reply, committed) = oneshot::channel();
        let job = Job::Commit(CommitOffset {
            member: Arc::clone(&self.member),
            commit,
            reply,
        });
        let writer = self.log.writer().map_err(|_| CommitError::Closed)?;
        writer.send(job).map_err(|_| CommitError::Closed)?;
        committed.await.unwrap_or(Err(CommitError::Closed))
    }

    pub(crate) fn pause(&self, partition: TopicPartition, paused: bool) {
        let pauses = self.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        // The thread has ended: there is nothing to pause.
        pauses.send((partition, paused)).ok();
    }
}

/// See `Bus::consumer`.
pub(crate) fn join(
    log: &Arc<Log>,
    group: &str,
    topics: &[&'static Topic],
    options: ConsumerOptions,
) -> Result<Consumer, ConsumeError> {
    let writer = log.writer().map_err(|_| ConsumeError::ReadOnly)?.clone();
    let inbox = Arc::new(Inbox::new(options.max_records, options.max_bytes));
    let sizes = topics
        .iter()
        .map(|topic| log.partitions(topic).map(|count| (*topic, count)));
    let sizes = sizes.collect::<Result<Vec<_>, _>>()?;
    let core = Arc::clone(&log.core);
    core.enlist(&inbox);
    let member = core.groups.join(group, &options, sizes, Arc::clone(&inbox));
    let member = Arc::new(member);
    let (pauses, asked) = channel();
    let (served, me) = (Arc::clone(&inbox), Arc::clone(&member));
    let run = move || {
        served.served_by(std::thread::current());
        let outcome = file::readable(&core.path)
            .map_err(|error| ConsumeError::Failed(error.to_string()))
            .and_then(|connection| {
                let serving = Serving {
                    core: &core,
                    inbox: &served,
                    member: &me,
                    writer,
                    connection,
                    cursors: Vec::new(),
                    giving_up: Vec::new(),
                    taking: None,
                    release_deadline: options.release_deadline,
                };
                serving.run(&asked)
            });
        core.groups.leave(&me);
        served.end(outcome.err());
    };
    if let Err(error) = thread::spawn("bus-consumer", run) {
        log.core.groups.leave(&member);
        return Err(ConsumeError::Failed(error.to_string()));
    }
    let handle = Handle {
        member,
        log: Arc::clone(log),
        pauses: Mutex::new(pauses),
    };
    Ok(Consumer {
        inbox,
        engine: Engine::Embedded(Arc::new(handle)),
    })
}

type Found = Result<Vec<Option<Committed>>, ConsumeError>;

/// The state of a member's thread.
struct Serving<'a> {
    core: &'a Arc<Core>,
    inbox: &'a Arc<Inbox>,
    member: &'a Arc<Member>,
    writer: Sender<Job>,
    connection: Connection,
    cursors: Vec<Cursor>,
    /// Handed over to the owner to be let go, until then at the latest.
    giving_up: Vec<(Vec<TopicPartition>, Released, Instant)>,
    /// Taken, and the writer is asked for what was committed.
    taking: Option<(Vec<TopicPartition>, Receiver<Found>)>,
    release_deadline: Duration,
}

impl Serving<'_> {
    fn run(mut self, pauses: &Receiver<(TopicPartition, bool)>) -> Result<(), ConsumeError> {
        while !self.inbox.closing() {
            for (partition, paused) in pauses.try_iter() {
                let cursor = self
                    .cursors
                    .iter_mut()
                    .find(|cursor| cursor.at == partition);
                if let Some(cursor) = cursor {
                    cursor.paused = paused;
                }
            }
            if self.core.ended() {
                return Err(ConsumeError::Failed(
                    "the log's writer has ended".to_owned(),
                ));
            }
            self.rebalance()?;
            let pulled = pull(&mut self.connection, &mut self.cursors, self.inbox);
            if !pulled.map_err(|error| ConsumeError::Failed(error.to_string()))? {
                self.wait();
            }
        }
        Ok(())
    }

    /// Waits to be woken: by a commit, by room, by the group, by the owner.
    fn wait(&self) {
        match self.giving_up.iter().map(|(_, _, until)| *until).min() {
            Some(until) => {
                std::thread::park_timeout(until.saturating_duration_since(Instant::now()))
            }
            None => std::thread::park(),
        }
    }

    fn rebalance(&mut self) -> Result<(), ConsumeError> {
        self.let_go();
        self.begin()?;
        let mut changes = self.core.groups.changes(self.member);
        if changes.fenced {
            return Err(ConsumeError::Fenced);
        }
        changes.unwanted.retain(|it| {
            !self
                .giving_up
                .iter()
                .any(|(given, _, _)| given.contains(it))
        });
        // What is still being taken is not yet the owner's to give up: the next turn does.
        let taking = self
            .taking
            .as_ref()
            .map(|(partitions, _)| partitions.as_slice());
        changes
            .unwanted
            .retain(|it| !taking.unwrap_or_default().contains(it));
        if !changes.unwanted.is_empty() {
            self.cursors
                .retain(|cursor| !changes.unwanted.contains(&cursor.at));
            let released = self.inbox.revoke(changes.unwanted.clone(), false);
            let until = Instant::now() + self.release_deadline;
            self.giving_up.push((changes.unwanted, released, until));
        }
        if !changes.taken.is_empty() {
            self.take(changes.taken)?;
        }
        Ok(())
    }

    /// What the owner has let go, or held too long.
    fn let_go(&mut self) {
        let now = Instant::now();
        let (over, held): (Vec<_>, Vec<_>) = std::mem::take(&mut self.giving_up)
            .into_iter()
            .partition(|(_, released, until)| released.done() || *until <= now);
        self.giving_up = held;
        for (partitions, _, _) in over {
            self.inbox.disown(&partitions);
            self.core.groups.release(self.member, &partitions);
        }
    }

    /// Asks for what was committed. A question still open is asked again with the new ones.
    fn take(&mut self, mut partitions: Vec<TopicPartition>) -> Result<(), ConsumeError> {
        if let Some((before, _)) = self.taking.take() {
            partitions.extend(before);
        }
        let (reply, found) = channel();
        let job = Job::Committed(ReadCommitted {
            group: Arc::clone(&self.member.group),
            partitions: partitions.clone(),
            reply,
            asker: std::thread::current(),
        });
        self.writer.send(job).map_err(|_| ConsumeError::Closed)?;
        self.taking = Some((partitions, found));
        Ok(())
    }

    /// Begins to read what the writer has answered about.
    fn begin(&mut self) -> Result<(), ConsumeError> {
        let Some((partitions, found)) = &self.taking else {
            return Ok(());
        };
        let Ok(found) = found.try_recv() else {
            return Ok(());
        };
        let partitions = partitions.clone();
        self.taking = None;
        let found = match found {
            Ok(found) => found,
            Err(_) => {
                // The disk refused; it is asked again.
                std::thread::sleep(Duration::from_millis(100));
                return self.take(partitions);
            }
        };
        let assigned = partitions.into_iter().zip(found);
        let assigned: Vec<Assigned> = assigned
            .map(|(partition, committed)| Assigned {
                partition,
                committed,
            })
            .collect();
        self.inbox.assigned(assigned.clone());
        for it in assigned {
            let from = it
                .committed
                .map_or(Offset::Beginning, |it| Offset::At(it.offset));
            self.cursors
                .push(cursor(self.core, it.partition, from, self.inbox)?);
        }
        Ok(())
    }
}
