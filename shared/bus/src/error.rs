//! What may go wrong on the bus, by boundary.
//!
//! In: the engines' errors, mapped where they happen. Out: the services, metrics (`label`), logs.
//! Invariant: an error says whether the record may be stored all the same, and never shows a
//! setting's value, a key or a body.

use std::path::PathBuf;

use crate::consume::TopicPartition;

/// The bus cannot be opened, asked or changed.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// A setting that librdkafka does not take. The value is not shown: it may be a secret.
    #[error("the Kafka setting {key:?} is not accepted: {reason}")]
    Setting {
        /// Its name.
        key: String,
        /// librdkafka's text, without the value.
        reason: String,
    },
    /// Topics are missing or differ from the table.
    #[error("topics do not fit: {}; run `gramtap topics apply`", .0.join("; "))]
    Topics(Vec<String>),
    /// No broker answered in time.
    #[error("no Kafka broker answered: {0}")]
    Unreachable(String),
    /// The broker refused.
    #[error("Kafka refused: {0}")]
    Refused(String),
    /// Another process has the embedded log open.
    #[error("{} is in use by another process: end that one, or set another data_dir", .0.display())]
    InUse(PathBuf),
    /// The embedded log's file cannot be used.
    #[error("the log {} cannot be used: {reason}", path.display())]
    Storage {
        /// The file.
        path: PathBuf,
        /// What the system or SQLite said.
        reason: String,
    },
    /// The file was written by a newer version.
    #[error("the log {} has format {found}, this version knows {known}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What it says.
        found: i64,
        /// What this version writes.
        known: i64,
    },
    /// The bus was opened to look on, and this would write.
    #[error("the bus is open read-only")]
    ReadOnly,
    /// The system gives no further thread.
    #[error("no thread for {0}")]
    Thread(&'static str),
}

impl BusError {
    /// The fixed word for metrics.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Setting { .. } => "setting",
            Self::Topics(_) => "topics",
            Self::Unreachable(_) => "unreachable",
            Self::Refused(_) => "refused",
            Self::InUse(_) => "in_use",
            Self::Storage { .. } => "storage",
            Self::Format { .. } => "format",
            Self::ReadOnly => "read_only",
            Self::Thread(_) => "thread",
        }
    }

    /// Whether waiting may help.
    #[must_use]
    pub fn retry(&self) -> bool {
        matches!(
            self,
            Self::Unreachable(_) | Self::InUse(_) | Self::Thread(_)
        )
    }
}

/// A record was not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProduceError {
    /// It was not acknowledged within its expiry.
    #[error("not acknowledged in time")]
    Expired {
        /// Whether it was sent at least once.
        sent: bool,
    },
    /// It was given back by `purge`, or by the end of its producer.
    #[error("purged")]
    Purged {
        /// Whether it was sent at least once.
        sent: bool,
    },
    /// It is larger than [`crate::message::LARGEST`], or than the broker's own limit.
    #[error("too large")]
    TooLarge,
    /// The broker or the disk refused it.
    #[error("refused: {0}")]
    Refused(String),
    /// The producer is closed, or broken for good: make another one.
    #[error("the producer is closed: {0}")]
    Closed(String),
    /// The bus was opened to look on.
    #[error("the bus is open read-only")]
    ReadOnly,
}

impl ProduceError {
    /// The fixed word for metrics.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Expired { .. } => "expired",
            Self::Purged { .. } => "purged",
            Self::TooLarge => "too_large",
            Self::Refused(_) => "refused",
            Self::Closed(_) => "closed",
            Self::ReadOnly => "read_only",
        }
    }

    /// Whether the record may be in the topic all the same, so that sending it again may double
    /// it.
    #[must_use]
    pub fn may_be_stored(&self) -> bool {
        matches!(
            self,
            Self::Expired { sent: true } | Self::Purged { sent: true }
        )
    }

    /// Whether sending the same bytes again may work.
    #[must_use]
    pub fn retry(&self) -> bool {
        !matches!(self, Self::TooLarge | Self::ReadOnly)
    }
}

/// Reading failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConsumeError {
    /// A topic or partition does not exist.
    #[error("unknown topic or partition: {0}")]
    Unknown(String),
    /// No broker answered in time. Reading goes on by itself when one does.
    #[error("no broker answered: {0}")]
    Unreachable(String),
    /// Another member has this one's static id: this one is out.
    #[error("fenced: another member has the same id")]
    Fenced,
    /// The engine gave up: make another consumer.
    #[error("reading failed: {0}")]
    Failed(String),
    /// Closed.
    #[error("the consumer is closed")]
    Closed,
    /// The bus was opened to look on, and a group would write.
    #[error("the bus is open read-only")]
    ReadOnly,
}

impl ConsumeError {
    /// The fixed word for metrics.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Unknown(_) => "unknown",
            Self::Unreachable(_) => "unreachable",
            Self::Fenced => "fenced",
            Self::Failed(_) => "failed",
            Self::Closed => "closed",
            Self::ReadOnly => "read_only",
        }
    }

    /// Whether the consumer goes on by itself; otherwise it is of no further use.
    #[must_use]
    pub fn retry(&self) -> bool {
        matches!(self, Self::Unreachable(_))
    }
}

/// Offsets were not committed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// The partition belongs to another member by now: its work will be done again there.
    #[error("{} is not assigned to this consumer", .0)]
    NotAssigned(TopicPartition),
    /// The metadata is longer than [`crate::consume::METADATA`].
    #[error("the metadata is too long")]
    TooLarge,
    /// Worth another try.
    #[error("not committed: {0}")]
    Failed(String),
    /// The consumer is closed.
    #[error("the consumer is closed")]
    Closed,
}

impl CommitError {
    /// The fixed word for metrics.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::NotAssigned(_) => "not_assigned",
            Self::TooLarge => "too_large",
            Self::Failed(_) => "failed",
            Self::Closed => "closed",
        }
    }

    /// Whether the same commit may work later.
    #[must_use]
    pub fn retry(&self) -> bool {
        matches!(self, Self::Failed(_))
    }
}

/// A transaction did not go through. None of its records is or becomes visible, save after
/// [`TransactionError::Unknown`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransactionError {
    /// Another instance with the same transactional id has taken over: this one must end.
    #[error("fenced: another instance has the same transactional id")]
    Fenced,
    /// Undone; the same work may be done again in a new transaction, after a look at whether the
    /// partitions are still ours.
    #[error("aborted: {0}")]
    Aborted(String),
    /// No broker answered in time; nothing was begun.
    #[error("no broker answered: {0}")]
    Unreachable(String),
    /// It is not known whether it was committed: read the committed offsets before going on. The
    /// transactor is of no further use.
    #[error("outcome unknown: {0}")]
    Unknown(String),
    /// The transactor is of no further use: make another one.
    #[error("failed for good: {0}")]
    Fatal(String),
}

impl TransactionError {
    /// The fixed word for metrics.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Fenced => "fenced",
            Self::Aborted(_) => "aborted",
            Self::Unreachable(_) => "unreachable",
            Self::Unknown(_) => "unknown",
            Self::Fatal(_) => "fatal",
        }
    }

    /// Whether this transactor may be used again.
    #[must_use]
    pub fn retry(&self) -> bool {
        matches!(self, Self::Aborted(_) | Self::Unreachable(_))
    }
}
