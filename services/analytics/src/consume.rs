//! Reads calls.v1, updates.v1, inbox.v1 and deliveries.v1 in a group and has each record decoded and published once.
//!
//! The way of a record: `poller.rs` takes it from the bus and hands it to its partition's decoder (`decode/`; `roll.rs` sees to it that its bot is known) → the
//! `batch.rs` gathers what came of it and the offsets → `publish/` commits both in one transaction. `restore.rs`
//! gives a decoder its memory before its first record. [`run`] starts all of it anew, after a pause, when any of it fails.
//! Invariant: a batch that was not committed is forgotten with all memory of it, and read again: memory never runs ahead
//! of what is committed. Overloaded: the inbox fills and the bus reads no further. Dead: the next owner of a
//! partition goes on from the last transaction.

pub(crate) mod batch;
mod poller;
mod restore;
mod roll;
#[cfg(test)]
pub(crate) mod tests;

use std::time::Duration;

use gramtap_actors::DrainToken;
use gramtap_bus::{Bus, ConsumeError, TransactionError};
use gramtap_telemetry::Counter;
use gramtap_tenants::RegistryError;

pub use roll::Source;

/// How decoding is done.
#[derive(Clone, Debug)]
pub struct Options {
    /// The stable name of this process, by which its transactions and its place in the group are known. A second
    /// process of the same name puts this one out.
    pub instance: String,
    /// The group that shares the partitions.
    pub group: String,
    /// How long the first record of a batch waits for company. A transaction costs some 100 ms in Kafka.
    pub window: Duration,
    /// Records of a batch at most.
    pub max_records: usize,
}

impl Options {
    /// What suits nearly everybody.
    #[must_use]
    pub fn named(instance: &str) -> Self {
        Self {
            instance: instance.to_owned(),
            group: "gramtap-decode".to_owned(),
            window: Duration::from_millis(500),
            max_records: 20_000,
        }
    }
}

/// Why decoding stopped.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Another process has this one's name: this one must end.
    #[error("fenced: another process decodes under the same name")]
    Fenced,
    /// Topics that belong together have different numbers of partitions.
    #[error(
        "calls, updates, inbox, deliveries and seen have {0:?} partitions, they must have the same number"
    )]
    Partitions([i32; 5]),
    /// Reading failed.
    #[error(transparent)]
    Consume(ConsumeError),
    /// A transaction did not go through.
    #[error(transparent)]
    Transaction(TransactionError),
    /// A partition went to another process before its batch was committed.
    #[error("partitions were lost")]
    Lost,
    /// A record came of a partition that was not assigned: its memory is not here.
    #[error("a record of a partition that is not assigned")]
    Unassigned,
    /// A bot is not known, and the registry cannot be asked.
    #[error("what a bot's privacy mode is cannot be found out: {0}")]
    Registry(#[from] RegistryError),
    /// A record cannot be written as JSON.
    #[error("a record cannot be written: {0}")]
    Encode(#[from] serde_json::Error),
}

impl DecodeError {
    /// The fixed word for metrics.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Fenced => "fenced",
            Self::Partitions(_) => "partitions",
            Self::Consume(error) => error.label(),
            Self::Transaction(error) => error.label(),
            Self::Lost => "lost",
            Self::Unassigned => "unassigned",
            Self::Registry(error) => error.label(),
            Self::Encode(_) => "encode",
        }
    }

    /// Whether another try may go through.
    #[must_use]
    pub fn retry(&self) -> bool {
        let read_only = matches!(self, Self::Consume(ConsumeError::ReadOnly));
        !read_only && !matches!(self, Self::Fenced | Self::Partitions(_))
    }
}

impl From<ConsumeError> for DecodeError {
    fn from(error: ConsumeError) -> Self {
        match error {
            ConsumeError::Fenced => Self::Fenced,
            error => Self::Consume(error),
        }
    }
}

impl From<TransactionError> for DecodeError {
    fn from(error: TransactionError) -> Self {
        match error {
            TransactionError::Fenced => Self::Fenced,
            error => Self::Transaction(error),
        }
    }
}

/// The pause after the first failure; it doubles with each further one.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How long the last commit may take after it was told to end: the bus may be away.
const GRACE: Duration = Duration::from_secs(15);

/// Waits until the end is due for so long.
async fn overdue(stop: &DrainToken) {
    stop.draining().await;
    tokio::time::sleep(GRACE).await;
}

/// Decodes until `stop`, through every failure that another try may mend. What is read by then is committed. May be dropped
/// at any time: what was not committed is done again.
///
/// # Errors
/// Those that no further try mends.
pub async fn run(
    bus: &Bus,
    source: &Source,
    options: &Options,
    stop: &DrainToken,
) -> Result<(), DecodeError> {
    let mut pause = PAUSE;
    loop {
        let mut committed = 0;
        let ended = tokio::select! {
            ended = poller::serve(bus, source, options, stop, &mut committed) => ended,
            () = overdue(stop) => {
                tracing::warn!("the last batch could not be committed, it will be done again");
                return Ok(());
            }
        };
        let Err(error) = ended else {
            return Ok(());
        };
        let label = error.label();
        Counter::DecodeBatches { result: label }.inc();
        if !error.retry() {
            return Err(error);
        }
        tracing::warn!(label, %error, committed, "decoding begins again from the last commit");
        if committed > 0 {
            pause = PAUSE;
        }
        tokio::select! {
            () = stop.draining() => return Ok(()),
            () = tokio::time::sleep(pause) => {}
        }
        pause = LONGEST_PAUSE.min(2 * pause);
    }
}
