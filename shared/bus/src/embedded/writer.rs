//! The writer: the one thread that changes the log.
//!
//! In: jobs of producers, consumers and transactors, in order of arrival. Out: one commit for all
//! that is queued (`apply.rs`), then the catalog's ends, the readers' wake-up, the answers.
//! Invariant: an answer is given after the commit that holds what it answers, and appends are
//! never reordered: when the disk refuses, the same ones are tried again until they expire or are
//! purged. Overloaded: the producers' ledgers refuse before this queue grows further.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::apply::Answer;
use super::retention::Retention;
use super::{Core, apply};
use crate::consume::{Commit, Committed, TopicPartition};
use crate::error::{CommitError, ConsumeError, ProduceError, TransactionError};
use crate::message::Message;
use crate::produce::reports::{Envelope, Reports};
use crate::produce::{Outcome, Refusal, Refused};

/// Jobs and bytes that one commit takes at most, so that nobody waits long for it.
const BATCH_JOBS: usize = 4096;
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// How long the disk is left alone after it refused; doubles from the first to the second.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(500));

/// What the writer is asked to do.
pub(super) enum Job {
    Append(Append),
    Transaction(Transaction),
    Commit(CommitOffset),
    Committed(ReadCommitted),
    Fence(Fence),
    /// Delete all that retention allows to delete, now.
    #[cfg(test)]
    Retain(oneshot::Sender<()>),
}

/// A record of a producer.
pub(super) struct Append {
    pub(super) message: Message,
    /// It may wait for company until then.
    pub(super) due: Instant,
    pub(super) expires: Option<Instant>,
    /// It has to survive the loss of power.
    pub(super) durable: bool,
    pub(super) open: Open,
}

impl Append {
    /// The writer has ended, so it was never queued.
    pub(super) fn refuse(mut self) -> Refused {
        if let Some(envelope) = self.open.envelope.take() {
            self.open.book.reports.retract(&envelope);
        }
        Refused {
            message: self.message,
            reason: Refusal::Closed,
        }
    }
}

/// The obligation to report a record, once. Dropped unreported (the writer died), it reports that.
pub(super) struct Open {
    pub(super) book: Arc<Book>,
    pub(super) envelope: Option<Envelope>,
    /// Purges before it was offered.
    pub(super) purges: u64,
}

/// What a producer and its records share.
pub(super) struct Book {
    pub(super) reports: Reports,
    pub(super) purges: AtomicU64,
}

impl Open {
    fn purged(&self) -> bool {
        self.book.purges.load(Ordering::Acquire) > self.purges
    }

    fn report(&mut self, outcome: Outcome) {
        if let Some(envelope) = self.envelope.take() {
            self.book.reports.report(&envelope, outcome);
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.report(Err(ProduceError::Closed(
            "the log's writer has ended".to_owned(),
        )));
    }
}

/// Records and offsets that are written together.
pub(super) struct Transaction {
    pub(super) id: Arc<str>,
    pub(super) epoch: i64,
    pub(super) records: Vec<Message>,
    pub(super) offsets: Vec<(Arc<Member>, Commit)>,
    pub(super) reply: oneshot::Sender<Result<(), TransactionError>>,
}

/// Who commits.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) group: Arc<str>,
    pub(super) id: u64,
}

/// An offset to commit outside a transaction.
pub(super) struct CommitOffset {
    pub(super) member: Arc<Member>,
    pub(super) commit: Commit,
    pub(super) reply: oneshot::Sender<Result<(), CommitError>>,
}

/// A question for what a group has committed. Answered in the order of the queue, so that every
/// commit of the partitions' last owner is seen.
pub(super) struct ReadCommitted {
    pub(super) group: Arc<str>,
    pub(super) partitions: Vec<TopicPartition>,
    pub(super) reply: std::sync::mpsc::Sender<Result<Vec<Option<Committed>>, ConsumeError>>,
    /// The thread that waits for it.
    pub(super) asker: std::thread::Thread,
}

/// A new transactor of an id; answered with its epoch.
pub(super) struct Fence {
    pub(super) id: Arc<str>,
    pub(super) reply: oneshot::Sender<Result<i64, TransactionError>>,
}

/// Runs until every sender is gone.
pub(super) fn serve(core: &Core, connection: Connection, jobs: &Receiver<Job>) {
    let ended = Ended(core);
    let mut writer = Writer {
        core,
        connection,
        books: apply::Books::default(),
        retention: Retention::default(),
    };
    while writer.turn(jobs) {}
    drop(ended);
}

/// Tells producers that nobody writes any more, also after a panic.
struct Ended<'a>(&'a Core);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

struct Writer<'a> {
    core: &'a Core,
    connection: Connection,
    books: apply::Books,
    retention: Retention,
}

impl Writer<'_> {
    /// One commit, or one step of retention. False at the end.
    fn turn(&mut self, jobs: &Receiver<Job>) -> bool {
        match jobs.recv_timeout(self.retention.due_in()) {
            Ok(first) => {
                let batch = gather(first, jobs);
                #[cfg(test)]
                let batch = self.retain_asked(batch, jobs);
                self.write(batch, jobs);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return false,
        }
        // Under steady load old records must go as well.
        if self.retention.due_in().is_zero() {
            self.retention.step(self.core, &mut self.connection);
        }
        true
    }

    /// Until it is written: while the disk refuses, what arrives meanwhile joins the batch, so that
    /// askers are answered and what expires is given back.
    fn write(&mut self, mut batch: Vec<Job>, jobs: &Receiver<Job>) {
        let mut pause = RETRY.0;
        loop {
            batch.retain_mut(still_wanted);
            if batch.is_empty() {
                return;
            }
            match apply::apply(self.core, &mut self.connection, &mut self.books, &batch) {
                Ok(answers) => {
                    if self.core.ill().is_some() {
                        tracing::info!("the log can be written again");
                        self.core.set_ill(None);
                    }
                    self.core.wake_readers();
                    for (job, answer) in batch.into_iter().zip(answers) {
                        job.answer(answer);
                    }
                    return;
                }
                Err(error) => {
                    if self.core.ill().is_none() {
                        let jobs = batch.len();
                        tracing::error!(%error, jobs, "the log cannot be written, trying again");
                    }
                    let reason = error.to_string();
                    batch.retain_mut(|job| job.outlasts(&reason));
                    self.core.set_ill(Some(reason));
                    if self.core.closing() {
                        return;
                    }
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(RETRY.1);
                    batch.extend(jobs.try_iter());
                }
            }
        }
    }

    #[cfg(test)]
    fn retain_asked(&mut self, batch: Vec<Job>, jobs: &Receiver<Job>) -> Vec<Job> {
        let mut rest = Vec::new();
        for job in batch {
            match job {
                Job::Retain(done) => {
                    self.write(std::mem::take(&mut rest), jobs);
                    self.retention.run(self.core, &mut self.connection);
                    done.send(()).ok();
                }
                job => rest.push(job),
            }
        }
        rest
    }
}

/// Takes what is queued, and waits for more while every job of the batch may wait.
fn gather(first: Job, jobs: &Receiver<Job>) -> Vec<Job> {
    let (mut due, mut bytes) = (first.due(), first.size());
    let mut batch = vec![first];
    while batch.len() < BATCH_JOBS && bytes < BATCH_BYTES {
        let next = match jobs.try_recv() {
            Ok(next) => next,
            Err(_) => match jobs.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Ok(next) => next,
                Err(_) => break,
            },
        };
        due = due.min(next.due());
        bytes += next.size();
        batch.push(next);
    }
    batch
}

/// Whether a job is still to be done; if not, it has been answered.
fn still_wanted(job: &mut Job) -> bool {
    let Job::Append(append) = job else {
        return true;
    };
    let error = match append.expires {
        _ if append.open.purged() => ProduceError::Purged { sent: false },
        Some(expires) if expires <= Instant::now() => ProduceError::Expired { sent: false },
        _ => return true,
    };
    append.open.report(Err(error));
    false
}

impl Job {
    /// Until when it may wait for company.
    fn due(&self) -> Instant {
        match self {
            Self::Append(append) => append.due,
            _ => Instant::now(),
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::Append(append) => append.message.size(),
            Self::Transaction(transaction) => transaction.records.iter().map(Message::size).sum(),
            _ => 0,
        }
    }

    /// Whether it must survive the loss of power.
    pub(super) fn durable(&self) -> bool {
        match self {
            Self::Append(append) => append.durable,
            Self::Transaction(_) | Self::Fence(_) => true,
            _ => false,
        }
    }

    fn answer(self, answer: Answer) {
        match (self, answer) {
            (Self::Append(mut append), Answer::Append(outcome)) => append.open.report(outcome),
            // Whoever has stopped waiting need not know.
            (Self::Transaction(job), Answer::Transaction(result)) => drop(job.reply.send(result)),
            (Self::Commit(job), Answer::Commit(result)) => drop(job.reply.send(result)),
            (Self::Fence(job), Answer::Fence(epoch)) => drop(job.reply.send(Ok(epoch))),
            (Self::Committed(job), Answer::Committed(found)) => job.answer(Ok(found)),
            // Not reached: `apply` answers each job in its own kind. Dropped, a job says that it
            // was not done.
            (job, _) => drop(job),
        }
    }

    /// Whether the job is to be tried again after the disk refused; if not, it has been answered.
    fn outlasts(&mut self, reason: &str) -> bool {
        // The reply is taken out of the job by putting an unused one in its place.
        match self {
            Self::Append(_) => return true,
            Self::Transaction(job) => {
                let error = TransactionError::Aborted(reason.to_owned());
                drop(std::mem::replace(&mut job.reply, oneshot::channel().0).send(Err(error)));
            }
            Self::Commit(job) => {
                let error = CommitError::Failed(reason.to_owned());
                drop(std::mem::replace(&mut job.reply, oneshot::channel().0).send(Err(error)));
            }
            Self::Fence(job) => {
                let error = TransactionError::Unreachable(reason.to_owned());
                drop(std::mem::replace(&mut job.reply, oneshot::channel().0).send(Err(error)));
            }
            Self::Committed(job) => job.answer(Err(ConsumeError::Failed(reason.to_owned()))),
            #[cfg(test)]
            Self::Retain(_) => {}
        }
        false
    }
}

impl ReadCommitted {
    fn answer(&self, found: Result<Vec<Option<Committed>>, ConsumeError>) {
        drop(self.reply.send(found));
        self.asker.unpark();
    }
}
