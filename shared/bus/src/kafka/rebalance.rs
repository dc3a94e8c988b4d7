//! Rebalances: partitions that come and go, on a member's polling thread.
//!
//! In: librdkafka's callback, which waits for us. Out: the inbox's assignments and revocations.
//! Invariant: what the group has committed is known before a partition's first record, and a
//! partition is given up only after its owner let go, or its deadline. Heartbeats go on
//! meanwhile: they are librdkafka's own business.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext, RebalanceProtocol};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientContext, Offset, TopicPartitionList};

use super::context::Context;
use super::fetch::Fetching;
use crate::consume::{Assigned, Committed, TopicPartition};

/// How long one question for committed offsets may take, before it is asked again.
const COMMITTED: Duration = Duration::from_secs(5);

/// A member's client.
pub(super) type Native = BaseConsumer<Rebalancing>;

/// The context of a member.
pub(super) struct Rebalancing {
    pub(super) context: Context,
    pub(super) fetching: Arc<Fetching>,
    pub(super) release_deadline: Duration,
}

impl ClientContext for Rebalancing {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.context.log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.context.error(error, reason);
    }
}

impl ConsumerContext for Rebalancing {
    fn rebalance(&self, native: &Native, what: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let done = match what {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => self.assign(native, list),
            _ => self.revoke(native, list),
        };
        if let Err(error) = done {
            // The group believes otherwise than we do: only a new member puts that right.
            self.fetching.fail(&error);
        }
    }
}

impl Rebalancing {
    fn assign(&self, native: &Native, list: &TopicPartitionList) -> Result<(), KafkaError> {
        let Some(assigned) = self.committed(native, list) else {
            // Nobody will read them, but librdkafka waits to be told.
            return take(native, list);
        };
        let (mut start, mut all) = (TopicPartitionList::new(), TopicPartitionList::new());
        let mut cursors = self.fetching.cursors();
        for it in &assigned {
            let at = it.partition;
            let next = it.committed.as_ref().map(|it| it.offset);
            let offset = next.map_or(Offset::Beginning, Offset::Offset);
            start.add_partition_offset(at.topic.name, at.partition, offset)?;
            all.add_partition(at.topic.name, at.partition);
            cursors.next.insert(at, next);
        }
        let throttled = cursors.throttled();
        drop(cursors);
        self.fetching.inbox.assigned(assigned);
        take(native, &start)?;
        match throttled {
            true => native.pause(&all),
            false => Ok(()),
        }
    }

    /// What the group has committed. Asked until it is known: without it work would be done
    /// twice. None: the owner wants an end.
    fn committed(&self, native: &Native, list: &TopicPartitionList) -> Option<Vec<Assigned>> {
        while !self.fetching.inbox.closing() {
            let found = native.committed_offsets(list.clone(), COMMITTED);
            match found.and_then(|found| self.read(&found)) {
                Ok(assigned) => return Some(assigned),
                Err(error) => {
                    tracing::warn!(%error, "committed offsets are not known yet");
                    std::thread::park_timeout(Duration::from_millis(200));
                }
            }
        }
        None
    }

    fn read(&self, found: &TopicPartitionList) -> Result<Vec<Assigned>, KafkaError> {
        let mut assigned = Vec::new();
        for element in found.elements() {
            element.error()?;
            let Some(partition) = self
                .fetching
                .partition(element.topic(), element.partition())
            else {
                continue;
            };
            let committed = match element.offset() {
                Offset::Offset(offset) => Some(Committed {
                    offset,
                    metadata: element.metadata().to_owned(),
                }),
                _ => None,
            };
            assigned.push(Assigned {
                partition,
                committed,
            });
        }
        Ok(assigned)
    }

    fn revoke(&self, native: &Native, list: &TopicPartitionList) -> Result<(), KafkaError> {
        let elements = list.elements().into_iter();
        let partitions =
            elements.filter_map(|it| self.fetching.partition(it.topic(), it.partition()));
        let partitions: Vec<TopicPartition> = partitions.collect();
        let inbox = &self.fetching.inbox;
        let lost = native.assignment_lost();
        self.fetching.cursors().forget(&partitions);
        let released = inbox.revoke(partitions.clone(), lost);
        let until = Instant::now() + self.release_deadline;
        while !lost && !released.done() && !inbox.closing() && Instant::now() < until {
            std::thread::park_timeout(until.saturating_duration_since(Instant::now()));
        }
        inbox.disown(&partitions);
        if let Err(error) = native.resume(list) {
            // A pause that outlives its assignment would stop the next one.
            tracing::warn!(%error, "partitions cannot be resumed");
        }
        match native.rebalance_protocol() {
            RebalanceProtocol::Cooperative => native.incremental_unassign(list),
            _ => native.unassign(),
        }
    }
}

fn take(native: &Native, list: &TopicPartitionList) -> Result<(), KafkaError> {
    match native.rebalance_protocol() {
        RebalanceProtocol::Cooperative => native.incremental_assign(list),
        _ => native.assign(list),
    }
}
