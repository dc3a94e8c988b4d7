//! Topics as they should be: made by `gramtap topics apply`, checked at every start.
//!
//! In: the table in `shared/events/src/topics.rs` and the `[kafka]` settings. Out: Kafka's admin
//! calls (`kafka/admin.rs`); the embedded log needs none, its topics exist by themselves.
//! Invariant: nothing is ever deleted, and no partition count is changed (that needs a drain).

use std::fmt;
use std::time::Duration;

use gramtap_events::Topic;

use crate::error::BusError;
use crate::port::{Bus, Engine};

/// What `apply` did, topic by topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Each topic with what was done.
    pub topics: Vec<(&'static str, Outcome)>,
}

/// What was done with one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was made.
    Created,
    /// It was as it should be.
    Unchanged,
    /// Settings of it were changed: name, old value, new value.
    Changed(Vec<(String, String, String)>),
    /// It has another number of partitions, which is not changed here.
    Partitions {
        /// As it is.
        found: i32,
        /// As `kafka.partitions` says.
        wanted: i32,
    },
    /// The embedded log has it by itself.
    Embedded,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Created => f.write_str("created"),
            Self::Unchanged => f.write_str("as it should be"),
            Self::Changed(settings) => {
                let list = settings
                    .iter()
                    .map(|(name, old, new)| format!("{name} {old} -> {new}"));
                write!(f, "changed: {}", list.collect::<Vec<_>>().join(", "))
            }
            Self::Partitions { found, wanted } => write!(
                f,
                "has {found} partitions, kafka.partitions is {wanted}: set kafka.partitions to {found}, or drain and recreate the topic"
            ),
            Self::Embedded => f.write_str("kept in the embedded log"),
        }
    }
}

/// Makes the topics that are missing and adjusts the settings of the others.
pub async fn apply(
    bus: &Bus,
    topics: &[&'static Topic],
    deadline: Duration,
) -> Result<Report, BusError> {
    match &bus.engine {
        Engine::Kafka(kafka) => kafka.apply(topics, deadline).await,
        Engine::Embedded(_) => Ok(Report {
            topics: topics
                .iter()
                .map(|topic| (topic.name, Outcome::Embedded))
                .collect(),
        }),
    }
}

/// Checks that every topic exists, with the partitions and the cleanup policy it should have.
pub async fn check(
    bus: &Bus,
    topics: &[&'static Topic],
    deadline: Duration,
) -> Result<(), BusError> {
    match &bus.engine {
        Engine::Kafka(kafka) => kafka.check(topics, deadline).await,
        Engine::Embedded(_) => Ok(()),
    }
}
