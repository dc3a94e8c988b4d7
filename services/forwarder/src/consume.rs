//! Reading what waits for delivery.
//!
//! In: `inbox.v1` and `inbox.retry.v1`, in a group in which the partitions of one number belong to one member. Out: records for
//! `arrange`, and commits. `poller.rs` is one life of it; `assigned.rs` finds what a partition's former owner has left, `doubts.rs` what it may have had under way,
//! `reread.rs` reads again what was left in the retry topic. Invariant: nothing is committed before it is done, and what is done is not
//! read as new again ([`ledger`]). Any failure ends the life; `run` is called anew, and everything is found again.

mod assigned;
mod doubts;
pub mod ledger;
mod poller;
pub mod ranges;
mod reread;

use std::rc::Rc;
use std::time::Duration;

use gramtap_actors::DrainToken;
use gramtap_bus::{Bus, BusError, ConsumeError, ProduceError};

use crate::arrange::Rules;
use crate::worker::Worker;

/// How the group is read.
#[derive(Clone, Debug)]
pub struct Options {
    /// The stable name of this process, by which its place in the group is known. A second process of the same name puts this one out.
    pub instance: String,
    /// The group that shares the partitions.
    pub group: String,
    /// The bounds.
    pub rules: Rules,
    /// How long the end waits for deliveries that are under way.
    pub patience: Duration,
}

impl Options {
    /// What suits nearly everybody.
    #[must_use]
    pub fn named(instance: &str) -> Self {
        Self {
            instance: instance.to_owned(),
            group: "gramtap-forward".to_owned(),
            rules: Rules {
                ledger: ledger::Bounds {
                    // One byte says whose the partition is.
                    metadata: ledger::METADATA - 1,
                    ..Rules::default().ledger
                },
                ..Rules::default()
            },
            patience: Duration::from_secs(10),
        }
    }
}

/// Why a life ended.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    /// Another process has this one's name: this one must end.
    #[error("fenced: another process forwards under the same name")]
    Fenced,
    /// Topics that belong together have different numbers of partitions.
    #[error(
        "inbox, inbox.retry and deliveries have {0:?} partitions, they must have the same number"
    )]
    Partitions([i32; 3]),
    /// Reading failed.
    #[error(transparent)]
    Consume(ConsumeError),
    /// There is no producer.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// A record was not acknowledged.
    #[error("a record was not written: {0}")]
    Produce(ProduceError),
    /// The producer takes nothing.
    #[error("the producer refuses: {0}")]
    Refused(&'static str),
    /// A record came of a partition that was not assigned whole.
    #[error("a record of a partition that is not assigned")]
    Unassigned,
    /// A record cannot be written as JSON.
    #[error("a record cannot be written: {0}")]
    Encode(#[from] serde_json::Error),
}

impl ForwardError {
    /// The fixed word for metrics.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Fenced => "fenced",
            Self::Partitions(_) => "partitions",
            Self::Consume(error) => error.label(),
            Self::Bus(error) => error.label(),
            Self::Produce(error) => error.label(),
            Self::Refused(label) => label,
            Self::Unassigned => "unassigned",
            Self::Encode(_) => "encode",
        }
    }

    /// Whether another life may do better.
    #[must_use]
    pub fn retry(&self) -> bool {
        let read_only = matches!(
            self,
            Self::Consume(ConsumeError::ReadOnly) | Self::Bus(BusError::ReadOnly)
        );
        !read_only && !matches!(self, Self::Fenced | Self::Partitions(_))
    }
}

impl From<ConsumeError> for ForwardError {
    fn from(error: ConsumeError) -> Self {
        match error {
            ConsumeError::Fenced => Self::Fenced,
            error => Self::Consume(error),
        }
    }
}

/// What the end may take beyond [`Options::patience`]: the bus may be away.
const GRACE: Duration = Duration::from_secs(15);

/// Forwards until `stop`, or until something fails. May be dropped at any time: what was not committed is done again.
///
/// # Errors
/// Why this life ended.
pub(crate) async fn run(
    bus: &Bus,
    worker: Worker,
    options: &Options,
    stop: &DrainToken,
) -> Result<(), ForwardError> {
    let overdue = async {
        stop.draining().await;
        tokio::time::sleep(options.patience + GRACE).await;
    };
    tokio::select! {
        ended = poller::serve(bus, Rc::new(worker), options, stop) => ended,
        () = overdue => {
            tracing::warn!("the last commit could not be made, what it was about is looked for at the next start");
            Ok(())
        }
    }
}
