//! The writer: the one thread that changes the log.
//!
//! In: jobs of producers, consumers and transactors, in order of arrival. Out: one commit for all
//! that is queued (`apply.rs`), then the catalog's ends, the readers' wake-up, the answers.
//! Invariant: an answer is given after the commit that holds what it answers, and appends are
//! never reordered: when the disk refuses, the same ones are tried again until they expire or are
//! purged. Overloaded: the producers' ledgers refuse before this queue grows further.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::jobs::{Job, still_wanted};
use super::retention::Retention;
use super::{Core, apply};

/// Jobs and bytes that one commit takes at most, so that nobody waits long for it.
const BATCH_JOBS: usize = 4096;
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// How long the disk is left alone after it refused; doubles from the first to the second.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(500));

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
