//! Reads dead letters again, from where the index says they are.
//!
//! In: partitions and offsets of inbox.dead.v1. Out: the letters that are still there. Invariant: reading ends: a partition is given up when nothing comes for
//! [`SILENCE`]; letters that retention took are left out. One reader a partition, from its first wanted offset to its last.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use gramtap_bus::{Bus, ConsumeError, Event, Isolation, Offset, TopicPartition};
use gramtap_events::inbox::Dead;
use gramtap_events::topics::INBOX_DEAD;
use tokio::time::timeout;

/// How long nothing may come.
const SILENCE: Duration = Duration::from_secs(10);

/// Why letters cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// The bus.
    #[error(transparent)]
    Bus(#[from] ConsumeError),
    /// Nothing came.
    #[error("no record came in time")]
    Silent,
}

impl FindError {
    /// The fixed word for metrics.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Bus(error) => error.label(),
            Self::Silent => "silent",
        }
    }
}

/// The letters at these places that can be read, by partition and offset.
///
/// # Errors
/// The bus does not answer.
pub async fn letters(
    bus: &Bus,
    places: impl IntoIterator<Item = (i64, i64)>,
) -> Result<HashMap<(i64, i64), Dead>, FindError> {
    let mut partitions = BTreeMap::<i64, BTreeSet<i64>>::new();
    for (partition, offset) in places {
        partitions.entry(partition).or_default().insert(offset);
    }
    let ends = bus.ends(&INBOX_DEAD).await?;
    let mut found = HashMap::new();
    for (partition, mut offsets) in partitions {
        let Ok(number) = i32::try_from(partition) else {
            continue;
        };
        // Only what lies between the ends can come, and is waited for.
        let Some(end) = ends.iter().find(|end| end.partition == number) else {
            continue;
        };
        offsets.retain(|offset| (end.low..end.high).contains(offset));
        let (Some(first), Some(last)) = (offsets.first().copied(), offsets.last().copied()) else {
            continue;
        };
        let at = TopicPartition {
            topic: &INBOX_DEAD,
            partition: number,
        };
        let from = vec![(at, Offset::At(first))];
        let reader = bus.assign(from, Isolation::Committed).await?;
        loop {
            let event = timeout(SILENCE, reader.next())
                .await
                .map_err(|_| FindError::Silent)?;
            let record = match event {
                Some(Ok(Event::Record(record))) => record,
                Some(Ok(Event::Skipped(gone))) if gone.to > last => break,
                Some(Ok(_)) => continue,
                Some(Err(error)) if error.retry() => continue,
                Some(Err(error)) => return Err(error.into()),
                None => return Err(ConsumeError::Closed.into()),
            };
            if offsets.contains(&record.offset) {
                let payload = record.payload.as_deref().unwrap_or_default();
                match serde_json::from_slice(payload) {
                    Ok(letter) => drop(found.insert((partition, record.offset), letter)),
                    Err(error) => {
                        let (line, column) = (error.line(), error.column());
                        tracing::warn!(
                            partition,
                            offset = record.offset,
                            line,
                            column,
                            "dead letter cannot be read"
                        );
                    }
                }
            }
            if record.offset >= last {
                break;
            }
        }
    }
    Ok(found)
}
