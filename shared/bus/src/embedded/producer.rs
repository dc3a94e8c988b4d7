//! A producer of the embedded log.
//!
//! In: `Producer::offer`. Out: the writer's queue. Invariant: an accepted record is in that queue
//! before `offer` returns, and is reported by the writer. Overloaded: the ledger's bound refuses.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::SendError;
use std::time::{Duration, Instant};

use super::Log;
use super::jobs::{Append, Book, Job, Open};
use crate::error::BusError;
use crate::message::{Message, Ticket};
use crate::produce::reports::Reports;
use crate::produce::{Health, Outcome, ProducerOptions, Refusal, Refused};

/// See the file's header.
pub(crate) struct Producer {
    log: Arc<Log>,
    book: Arc<Book>,
    linger: Duration,
    expiry: Option<Duration>,
    durable: bool,
}

impl Producer {
    pub(crate) fn new(
        log: &Arc<Log>,
        options: ProducerOptions,
        on_report: Box<dyn Fn(Ticket, Outcome) + Send + Sync>,
    ) -> Result<Arc<Self>, BusError> {
        log.writer()?;
        let reports = Reports::new(&options, on_report);
        let purges = AtomicU64::new(0);
        Ok(Arc::new(Self {
            log: Arc::clone(log),
            book: Arc::new(Book { reports, purges }),
            linger: options.linger,
            expiry: options.expiry,
            durable: options.durable,
        }))
    }

    pub(crate) fn offer(&self, message: Message, ticket: Ticket) -> Result<(), Refused> {
        let Ok(writer) = self.log.writer() else {
            return Err(Refused {
                message,
                reason: Refusal::Closed,
            });
        };
        let envelope = match self.book.reports.accept(&message, ticket) {
            Ok(envelope) => envelope,
            Err(reason) => return Err(Refused { message, reason }),
        };
        let now = Instant::now();
        let job = Job::Append(Append {
            message,
            due: now + self.linger,
            expires: self.expiry.map(|expiry| now + expiry),
            durable: self.durable,
            open: Open {
                book: Arc::clone(&self.book),
                envelope: Some(envelope),
                purges: self.book.purges.load(Ordering::Acquire),
            },
        });
        match writer.send(job) {
            Ok(()) => Ok(()),
            Err(SendError(Job::Append(append))) => Err(append.refuse()),
            // Not reached: what comes back is what was sent.
            Err(_) => Ok(()),
        }
    }

    pub(crate) fn purge(&self) {
        self.book.purges.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn health(&self) -> Health {
        let broken = self.log.core.ended();
        let broken = broken.then(|| "the log's writer has ended".to_owned());
        let reachable = self.log.core.ill().is_none() && broken.is_none();
        self.book.reports.health(reachable, broken)
    }

    pub(crate) fn reports(&self) -> &Reports {
        &self.book.reports
    }
}

impl Drop for Producer {
    /// Nobody is left to hear of the reports but the callback: it gets them now.
    fn drop(&mut self) {
        self.purge();
    }
}
