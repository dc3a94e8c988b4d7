//! One bot's records, read from the log again.
//!
//! In: events.v1 or errors.v1, from a place in the bot's partition. Out: its records in the order of the log, to pages of events, to
//! exports and to the live page. Invariant: reading ends where the sums stand, which is one behind a record, so that it ends surely and
//! what was read is what was counted; a reader is given up when nothing comes for `SILENCE`. Memory is bounded by the bus.

use std::time::Duration;

use gramtap_bus::{Bus, ConsumeError, Delivery, Event, Isolation, Offset, Reader, TopicPartition};
use gramtap_events::{TenantId, Topic};
use tokio::time::timeout;

use super::Site;
use crate::store::StoreError;

/// How long nothing may come before reading is given up.
const SILENCE: Duration = Duration::from_secs(10);

/// Where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// At the oldest record kept.
    Oldest,
    /// At an offset.
    At(i64),
    /// Where records that were received at a second since 1970 may be.
    Second(i64),
    /// So many records of the partition before its end.
    Last(i64),
}

/// What reading on gave.
#[derive(Debug)]
pub enum Step {
    /// A record of the bot.
    Record(Delivery),
    /// One of another bot.
    Other,
    /// So many offsets, whose records are no longer kept.
    Gone(i64),
    /// All that is counted was read.
    End,
}

/// See the file's header.
pub struct Records {
    reader: Option<Reader>,
    tenant: TenantId,
    partition: i32,
    next: i64,
    end: i64,
}

impl Records {
    /// Begins to read.
    pub async fn open(
        site: &Site,
        tenant: TenantId,
        topic: &'static Topic,
        begin: Begin,
    ) -> Result<Self, StoreError> {
        let of = partition(&site.bus, tenant, topic).await?;
        let end = site.store.stands(of).await?;
        let next = match begin {
            Begin::Oldest => 0,
            Begin::At(offset) => offset,
            Begin::Second(second) => site.store.mark(of, second).await?,
            Begin::Last(records) => (end - records).max(0),
        };
        let reader = match next < end {
            true => {
                let from = vec![(of, Offset::At(next))];
                Some(site.bus.assign(from, Isolation::Committed).await?)
            }
            false => None,
        };
        Ok(Self {
            reader,
            tenant,
            partition: of.partition,
            next,
            end,
        })
    }

    /// The partition that is read.
    #[must_use]
    pub fn partition(&self) -> i32 {
        self.partition
    }

    /// The offset to read on from.
    #[must_use]
    pub fn next(&self) -> i64 {
        self.next
    }

    /// Whether there is more to read.
    #[must_use]
    pub fn more(&self) -> bool {
        self.next < self.end
    }

    /// Reads on.
    pub async fn step(&mut self) -> Result<Step, ConsumeError> {
        let Some(reader) = self.reader.as_ref().filter(|_| self.next < self.end) else {
            return Ok(Step::End);
        };
        loop {
            let silent = |_| ConsumeError::Unreachable("no record came in time".to_owned());
            match timeout(SILENCE, reader.next()).await.map_err(silent)? {
                Some(Ok(Event::Record(record))) => {
                    // What was written after the end was looked up is for the next time.
                    if record.offset >= self.end {
                        self.next = self.end;
                        return Ok(Step::End);
                    }
                    self.next = record.offset + 1;
                    let own = record.key.as_deref() == Some(self.tenant.as_str().as_bytes());
                    return Ok(if own {
                        Step::Record(record)
                    } else {
                        Step::Other
                    });
                }
                Some(Ok(Event::Skipped(gone))) => {
                    let to = gone.to.min(self.end).max(self.next);
                    let count = to - self.next;
                    self.next = to;
                    return Ok(Step::Gone(count));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) if error.retry() => {
                    tracing::warn!(%error, "reading records waits");
                }
                Some(Err(error)) => return Err(error),
                None => return Err(ConsumeError::Closed),
            }
        }
    }
}

/// The partition that a bot's records are in.
pub async fn partition(
    bus: &Bus,
    tenant: TenantId,
    topic: &'static Topic,
) -> Result<TopicPartition, ConsumeError> {
    let key = tenant.as_str().as_bytes();
    let partition = bus.partition_for(topic, key).await?;
    Ok(TopicPartition { topic, partition })
}
