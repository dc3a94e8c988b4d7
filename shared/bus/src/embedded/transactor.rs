//! Transactions of the embedded log.
//!
//! In: a `Transaction`'s records and offsets, kept here until its commit. Out: one job for the
//! writer, which is one part of one commit. Invariant: nothing is written before `commit`, so to
//! abort is to forget. Overloaded: a transaction of more than 64 MiB is refused.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::Log;
use super::jobs::{Fence, Job, Member, Transaction};
use crate::consume::{Commit, Engine, Membership};
use crate::error::TransactionError;
use crate::message::{LARGEST, Message};

/// What a transaction may hold.
const LIMIT: usize = 64 * 1024 * 1024;

/// See the file's header.
pub(crate) struct Handle {
    log: Arc<Log>,
    id: Arc<str>,
    epoch: i64,
    records: Vec<Message>,
    bytes: usize,
    offsets: Vec<(Arc<Member>, Commit)>,
}

impl Handle {
    pub(crate) async fn new(log: &Arc<Log>, id: &str) -> Result<Self, TransactionError> {
        let id: Arc<str> = Arc::from(id);
        let (reply, epoch) = oneshot::channel();
        let fence = Fence {
            id: Arc::clone(&id),
            reply,
        };
        send(log, Job::Fence(fence))?;
        let epoch = epoch.await.map_err(|_| ended())??;
        Ok(Self {
            log: Arc::clone(log),
            id,
            epoch,
            records: Vec::new(),
            bytes: 0,
            offsets: Vec::new(),
        })
    }

    pub(crate) fn begin(&mut self) {
        self.discard();
    }

    pub(crate) fn produce(&mut self, message: Message) -> Result<(), TransactionError> {
        let size = message.size();
        if size > LARGEST || self.bytes + size > LIMIT {
            return Err(TransactionError::Aborted("too large".to_owned()));
        }
        self.bytes += size;
        self.records.push(message);
        Ok(())
    }

    pub(crate) fn send_offsets(
        &mut self,
        member: &Membership,
        offsets: Vec<Commit>,
    ) -> Result<(), TransactionError> {
        let Engine::Embedded(handle) = &member.engine else {
            return Err(TransactionError::Fatal(
                "the consumer is of another bus".to_owned(),
            ));
        };
        let offsets = offsets.into_iter();
        self.offsets
            .extend(offsets.map(|commit| (Arc::clone(&handle.member), commit)));
        Ok(())
    }

    pub(crate) async fn commit(&mut self) -> Result<(), TransactionError> {
        let (reply, done) = oneshot::channel();
        let job = Transaction {
            id: Arc::clone(&self.id),
            epoch: self.epoch,
            records: std::mem::take(&mut self.records),
            offsets: std::mem::take(&mut self.offsets),
            reply,
        };
        self.discard();
        send(&self.log, Job::Transaction(job))?;
        done.await.unwrap_or_else(|_| {
            Err(TransactionError::Unknown(
                "the log's writer has ended".to_owned(),
            ))
        })
    }

    pub(crate) fn discard(&mut self) {
        self.records.clear();
        self.offsets.clear();
        self.bytes = 0;
    }
}

fn send(log: &Log, job: Job) -> Result<(), TransactionError> {
    let writer = log
        .writer()
        .map_err(|error| TransactionError::Fatal(error.to_string()))?;
    writer.send(job).map_err(|_| ended())
}

fn ended() -> TransactionError {
    TransactionError::Fatal("the log's writer has ended".to_owned())
}
