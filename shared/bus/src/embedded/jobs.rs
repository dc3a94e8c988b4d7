//! Jobs: what the writer is asked to do, and how each is answered.
//!
//! In: producers, consumers, transactors. Out: `writer.rs`. Invariant: every job is answered once:
//! after its commit, or when the disk refused and it may not wait, or by being dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use tokio::sync::oneshot;

use super::apply::Answer;
use crate::consume::{Commit, Committed, TopicPartition};
use crate::error::{CommitError, ConsumeError, ProduceError, TransactionError};
use crate::message::Message;
use crate::produce::reports::{Envelope, Reports};
use crate::produce::{Outcome, Refusal, Refused};

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

/// Whether a job is still to be done; if not, it has been answered.
pub(super) fn still_wanted(job: &mut Job) -> bool {
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
    pub(super) fn due(&self) -> Instant {
        match self {
            Self::Append(append) => append.due,
            _ => Instant::now(),
        }
    }

    pub(super) fn size(&self) -> usize {
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

    pub(super) fn answer(self, answer: Answer) {
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
    pub(super) fn outlasts(&mut self, reason: &str) -> bool {
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
