//! What can go wrong with the sums, and whether asking again may help.
//!
//! In: the database, the bus. Out: `follow.rs`, which waits or ends; whoever asked. Invariant: no text holds a value
//! of a record.

use gramtap_bus::ConsumeError;
use gramtap_bus::TopicPartition;

use crate::zone::UnknownZone;

/// Why sums were not changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database.
    #[error(transparent)]
    Database(#[from] gramtap_database::Error),
    /// The bus.
    #[error(transparent)]
    Bus(#[from] ConsumeError),
    /// Records of the window are gone from the topic, so that it cannot be counted again.
    #[error("{partition} begins at {low}, and the window at {wanted}")]
    Gone {
        /// Where.
        partition: TopicPartition,
        /// The first offset that is needed.
        wanted: i64,
        /// The first that is there.
        low: i64,
    },
    /// The time zone.
    #[error(transparent)]
    Zone(#[from] UnknownZone),
}

impl StoreError {
    /// The fixed word for metrics.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Database(error) => error.label(),
            Self::Bus(error) => error.label(),
            Self::Gone { .. } => "gone",
            Self::Zone(_) => "zone",
        }
    }

    /// Whether the same may work later.
    #[must_use]
    pub fn retry(&self) -> bool {
        match self {
            Self::Database(error) => error.retry(),
            Self::Bus(error) => error.retry(),
            Self::Gone { .. } | Self::Zone(_) => false,
        }
    }
}
