//! One commit of the log: a batch of jobs, in order, in one SQLite transaction.
//!
//! In: the writer's batch. Out: the file, an answer for each job, and the catalog's new ends.
//! Invariant: all of a batch is in the file or nothing of it, and memory (offsets, catalog,
//! books) changes only after the commit. A transaction whose transactor is fenced, or whose
//! consumer has lost a partition, writes nothing and leaves its neighbours in the batch alone.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use gramtap_events::Topic;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::catalog::{Partition, place};
use super::jobs::{self, Job};
use super::{Core, headers};
use crate::consume::{Commit, Committed, TopicPartition};
use crate::error::{CommitError, ProduceError, TransactionError};
use crate::message::{Message, Position};
use crate::partition_of;
use crate::produce::Outcome;

/// What the writer remembers from commit to commit.
#[derive(Default)]
pub(super) struct Books {
    /// Partitions that have their row.
    stored: HashSet<i64>,
    /// The newest timestamp given: they never go back, whatever the clock does.
    last_at: i64,
    /// Whether commits are synced.
    synced: bool,
    /// For records without a key.
    turn: usize,
}

/// What a job is answered.
pub(super) enum Answer {
    Append(Outcome),
    Transaction(Result<(), TransactionError>),
    Commit(Result<(), CommitError>),
    Committed(Vec<Option<Committed>>),
    Fence(i64),
    #[cfg(test)]
    Retain,
}

/// Writes a batch. After an error nothing has changed.
pub(super) fn apply(
    core: &Core,
    connection: &mut Connection,
    books: &mut Books,
    batch: &[Job],
) -> rusqlite::Result<Vec<Answer>> {
    let synced = batch.iter().any(Job::durable);
    if books.synced != synced {
        let level = if synced { "FULL" } else { "NORMAL" };
        connection.pragma_update(None, "synchronous", level)?;
        books.synced = synced;
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let at = (core.clock)().max(books.last_at);
    let mut work = Work {
        core,
        sql: &transaction,
        books,
        ends: HashMap::new(),
        new: Vec::new(),
        at,
    };
    let mut answers = Vec::with_capacity(batch.len());
    for job in batch {
        answers.push(work.one(job)?);
    }
    work.store_ends()?;
    let Work { ends, new, .. } = work;
    transaction.commit()?;
    books.stored.extend(new);
    books.last_at = at;
    for end in ends.into_values() {
        end.partitions[end.index].publish_high(end.next);
    }
    Ok(answers)
}

/// A commit in the making.
struct Work<'a> {
    core: &'a Core,
    sql: &'a Transaction<'a>,
    books: &'a mut Books,
    /// Where the partitions end after this commit, by id.
    ends: HashMap<i64, End>,
    /// Partitions that got their row.
    new: Vec<i64>,
    at: i64,
}

struct End {
    partitions: Arc<Vec<Partition>>,
    index: usize,
    next: i64,
}

impl Work<'_> {
    fn one(&mut self, job: &Job) -> rusqlite::Result<Answer> {
        Ok(match job {
            Job::Append(append) => Answer::Append(match missing_key(&append.message) {
                Some(error) => Err(error),
                None => Ok(self.append(&append.message)?),
            }),
            Job::Transaction(job) => Answer::Transaction(self.transact(job)?),
            Job::Commit(job) => Answer::Commit(match self.owned(&job.member, &job.commit) {
                true => {
                    self.commit(&job.member.group, &job.commit)?;
                    Ok(())
                }
                false => Err(CommitError::NotAssigned(job.commit.partition)),
            }),
            Job::Committed(job) => Answer::Committed(self.committed(&job.group, &job.partitions)?),
            Job::Fence(job) => Answer::Fence(self.fence(&job.id)?),
            #[cfg(test)]
            Job::Retain(_) => Answer::Retain,
        })
    }

    fn append(&mut self, message: &Message) -> rusqlite::Result<Position> {
        let (partitions, index) = self.partition(message.topic, message.key.as_ref());
        self.store(message.topic, &partitions[index])?;
        let (id, number) = (partitions[index].id(), partitions[index].number);
        let end = self.ends.entry(id).or_insert_with(|| End {
            next: partitions[index].high(),
            partitions,
            index,
        });
        let offset = end.next;
        end.next += 1;
        let key = message.key.as_deref();
        let headers = headers::encode(&message.headers).unwrap_or_default();
        self.sql
            .prepare_cached(
                "INSERT INTO record (place, at, key, headers, payload) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                place(id, offset),
                self.at,
                key,
                headers,
                message.payload.as_deref()
            ])?;
        if message.topic.compacted {
            self.replace(id, offset, message)?;
        }
        Ok(Position {
            partition: number,
            offset: Some(offset),
        })
    }

    /// In a compacted topic a record takes the place of the one before it with the same key.
    fn replace(&self, partition: i64, offset: i64, message: &Message) -> rusqlite::Result<()> {
        let key = message.key.as_deref().unwrap_or_default();
        let before: Option<i64> = self
            .sql
            .prepare_cached("SELECT offset FROM latest WHERE partition = ?1 AND key = ?2")?
            .query_row(params![partition, key], |row| row.get(0))
            .optional()?;
        if let Some(before) = before {
            self.sql
                .prepare_cached("DELETE FROM record WHERE place = ?1")?
                .execute([place(partition, before)])?;
        }
        let gone_at = message.payload.is_none().then_some(self.at);
        self.sql
            .prepare_cached("INSERT OR REPLACE INTO latest (partition, key, offset, gone_at) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![partition, key, offset, gone_at])?;
        Ok(())
    }

    /// The partition of a key; records without one take turns.
    fn partition(
        &mut self,
        topic: &'static Topic,
        key: Option<&Bytes>,
    ) -> (Arc<Vec<Partition>>, usize) {
        let partitions = self.core.catalog.of(topic);
        let count = i32::try_from(partitions.len()).unwrap_or(i32::MAX);
        let index = match key {
            Some(key) => usize::try_from(partition_of(key, count)).unwrap_or_default(),
            None => {
                self.books.turn += 1;
                self.books.turn % partitions.len().max(1)
            }
        };
        (partitions, index)
    }

    /// Makes sure that a partition has its row.
    fn store(&mut self, topic: &'static Topic, partition: &Partition) -> rusqlite::Result<()> {
        if self.books.stored.contains(&partition.id()) || self.new.contains(&partition.id()) {
            return Ok(());
        }
        // All partitions of a topic at once, or the others would be unknown at the next start.
        for it in self.core.catalog.of(topic).iter() {
            self.sql
                .prepare_cached("INSERT OR IGNORE INTO partition (id, topic, number, low, next) VALUES (?1, ?2, ?3, 0, 0)")?
                .execute(params![it.id(), topic.name, it.number])?;
            self.new.push(it.id());
        }
        Ok(())
    }

    fn store_ends(&self) -> rusqlite::Result<()> {
        for (id, end) in &self.ends {
            self.sql
                .prepare_cached("UPDATE partition SET next = ?2 WHERE id = ?1")?
                .execute([*id, end.next])?;
        }
        Ok(())
    }

    fn transact(
        &mut self,
        job: &jobs::Transaction,
    ) -> rusqlite::Result<Result<(), TransactionError>> {
        let epoch: Option<i64> = self
            .sql
            .prepare_cached("SELECT epoch FROM transactor WHERE id = ?1")?
            .query_row([&job.id], |row| row.get(0))
            .optional()?;
        if epoch != Some(job.epoch) {
            return Ok(Err(TransactionError::Fenced));
        }
        let lost = job
            .offsets
            .iter()
            .find(|(member, commit)| !self.owned(member, commit));
        if let Some((_, commit)) = lost {
            let error = CommitError::NotAssigned(commit.partition);
            return Ok(Err(TransactionError::Aborted(error.to_string())));
        }
        if let Some(error) = job.records.iter().find_map(missing_key) {
            return Ok(Err(TransactionError::Aborted(error.to_string())));
        }
        for message in &job.records {
            self.append(message)?;
        }
        for (member, commit) in &job.offsets {
            self.commit(&member.group, commit)?;
        }
        Ok(Ok(()))
    }

    fn owned(&self, member: &jobs::Member, commit: &Commit) -> bool {
        self.core.groups.owns(member, commit.partition)
    }

    fn commit(&mut self, group: &str, commit: &Commit) -> rusqlite::Result<()> {
        let Some((partitions, index)) = self.find(commit.partition) else {
            return Ok(());
        };
        self.store(commit.partition.topic, &partitions[index])?;
        self.sql
            .prepare_cached(
                "INSERT OR REPLACE INTO committed (consumer_group, partition, offset, metadata, at)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                group,
                partitions[index].id(),
                commit.offset,
                commit.metadata,
                self.at
            ])?;
        Ok(())
    }

    fn committed(
        &self,
        group: &str,
        wanted: &[TopicPartition],
    ) -> rusqlite::Result<Vec<Option<Committed>>> {
        let mut found = Vec::with_capacity(wanted.len());
        for partition in wanted {
            let id = self
                .find(*partition)
                .map(|(partitions, index)| partitions[index].id());
            let row = self
                .sql
                .prepare_cached("SELECT offset, metadata FROM committed WHERE consumer_group = ?1 AND partition = ?2")?
                .query_row(params![group, id], |row| {
                    Ok(Committed {
                        offset: row.get(0)?,
                        metadata: row.get(1)?,
                    })
                })
                .optional()?;
            found.push(row);
        }
        Ok(found)
    }

    fn find(&self, wanted: TopicPartition) -> Option<(Arc<Vec<Partition>>, usize)> {
        let partitions = self.core.catalog.of(wanted.topic);
        let index = partitions
            .iter()
            .position(|it| it.number == wanted.partition)?;
        Some((partitions, index))
    }

    fn fence(&self, id: &str) -> rusqlite::Result<i64> {
        self.sql
            .prepare_cached(
                "INSERT INTO transactor (id, epoch) VALUES (?1, 1)
                 ON CONFLICT (id) DO UPDATE SET epoch = epoch + 1 RETURNING epoch",
            )?
            .query_row([id], |row| row.get(0))
    }
}

/// Compaction keeps the last record of each key, so there has to be one.
fn missing_key(message: &Message) -> Option<ProduceError> {
    let missing = message.topic.compacted && message.key.is_none();
    missing.then(|| ProduceError::Refused("a record of a compacted topic needs a key".to_owned()))
}
