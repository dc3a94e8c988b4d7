//! Fetching: librdkafka's records into an inbox.
//!
//! In: a consumer or reader, polled on its own thread. Out: its inbox. Invariant: what retention
//! took before it was read is told as skipped, because librdkafka is told to reset nothing by
//! itself. Overloaded: while the inbox is full nothing is polled for a second, then the partitions
//! are paused and polling goes on, so that the member stays in its group.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use gramtap_events::Topic;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message as _};
use rdkafka::{Offset, TopicPartitionList};

use super::question::ends_of;
use super::{QUESTION, fault};
use crate::consume::inbox::Inbox;
use crate::consume::{Skipped, TopicPartition};
use crate::embedded::known_header;
use crate::error::ConsumeError;
use crate::message::{Delivery, Header};

/// How long a poll waits.
const POLL: Duration = Duration::from_millis(100);

/// How long the reader may leave its inbox full before its partitions are paused.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often the owner is told that no broker answers.
const TELL: Duration = Duration::from_secs(30);

/// Records that are taken at once.
const RECORDS: usize = 500;

/// What a consumer's thread and its context share.
pub(super) struct Fetching {
    pub(super) inbox: Arc<Inbox>,
    topics: HashMap<&'static str, &'static Topic>,
    /// A member of a group, which needs the group's coordinator.
    grouped: bool,
    cursors: Mutex<Cursors>,
}

/// Where reading has come to.
#[derive(Default)]
pub(super) struct Cursors {
    /// The next offset of each partition that is assigned; none while reading begins at its
    /// oldest record, wherever that is.
    pub(super) next: HashMap<TopicPartition, Option<i64>>,
    /// Paused by the owner.
    paused: HashSet<TopicPartition>,
    /// All are paused, because the inbox is full.
    throttled: bool,
    /// Reading a partition has stopped, because its next record is gone.
    stuck: bool,
    /// Why reading cannot go on at all.
    failed: Option<ConsumeError>,
    /// When the owner was told that no broker answers.
    told: Option<Instant>,
}

impl Fetching {
    pub(super) fn new(
        inbox: Arc<Inbox>,
        topics: impl IntoIterator<Item = &'static Topic>,
        grouped: bool,
    ) -> Self {
        Self {
            inbox,
            topics: topics
                .into_iter()
                .map(|topic| (topic.name, topic))
                .collect(),
            grouped,
            cursors: Mutex::default(),
        }
    }

    /// The partition that librdkafka names.
    pub(super) fn partition(&self, topic: &str, partition: i32) -> Option<TopicPartition> {
        let topic = self.topics.get(topic)?;
        Some(TopicPartition { topic, partition })
    }

    pub(super) fn cursors(&self) -> MutexGuard<'_, Cursors> {
        self.cursors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends reading, from within a poll.
    pub(super) fn fail(&self, error: &KafkaError) {
        self.cursors().failed = Some(ConsumeError::Failed(error.to_string()));
    }

    /// Polls until the owner wants an end, or the client is of no further use.
    pub(super) fn run<C: ConsumerContext>(
        &self,
        consumer: &BaseConsumer<C>,
        mut before: impl FnMut(),
    ) -> Result<(), ConsumeError> {
        let mut full_since = None;
        while !self.inbox.closing() {
            before();
            if let Some(error) = self.cursors().failed.take() {
                return Err(error);
            }
            if self.cursors().stuck {
                self.skip(consumer)?;
            }
            if self.inbox.room() {
                full_since = None;
                self.throttle(consumer, false);
            } else {
                let since = *full_since.get_or_insert_with(Instant::now);
                if since.elapsed() < PATIENCE {
                    std::thread::park_timeout(PATIENCE.saturating_sub(since.elapsed()));
                    continue;
                }
                self.throttle(consumer, true);
            }
            self.poll(consumer)?;
        }
        Ok(())
    }

    fn poll<C: ConsumerContext>(&self, consumer: &BaseConsumer<C>) -> Result<(), ConsumeError> {
        let mut records = Vec::new();
        let mut wait = POLL;
        let mut trouble = None;
        while records.len() < RECORDS {
            match consumer.poll(wait) {
                Some(Ok(message)) => records.extend(self.delivery(&message)),
                Some(Err(error)) => {
                    trouble = Some(error);
                    break;
                }
                None => break,
            }
            wait = Duration::ZERO;
        }
        if !records.is_empty() {
            self.inbox.push(records);
        }
        trouble.map_or(Ok(()), |error| self.trouble(&error))
    }

    fn delivery(&self, message: &BorrowedMessage<'_>) -> Option<Delivery> {
        let at = self.partition(message.topic(), message.partition())?;
        let mut cursors = self.cursors();
        // A record that was on its way when its partition went.
        *cursors.next.get_mut(&at)? = Some(message.offset() + 1);
        drop(cursors);
        let headers = message
            .headers()
            .into_iter()
            .flat_map(|headers| headers.iter());
        let headers = headers.map(|header| Header {
            name: known_header(header.key),
            value: header.value.map_or_else(Bytes::new, Bytes::copy_from_slice),
        });
        Some(Delivery {
            topic: at.topic,
            partition: at.partition,
            offset: message.offset(),
            key: message.key().map(Bytes::copy_from_slice),
            headers: headers.collect(),
            payload: message.payload().map(Bytes::copy_from_slice),
            timestamp: message.timestamp().to_millis().unwrap_or_default(),
        })
    }

    fn trouble(&self, error: &KafkaError) -> Result<(), ConsumeError> {
        use RDKafkaErrorCode as Code;
        let fatal = matches!(error, KafkaError::MessageConsumptionFatal(_));
        match error.rdkafka_error_code() {
            Some(Code::FencedInstanceId) => Err(ConsumeError::Fenced),
            Some(Code::AutoOffsetReset | Code::OffsetOutOfRange) => {
                self.cursors().stuck = true;
                Ok(())
            }
            Some(Code::TopicAuthorizationFailed) => Err(ConsumeError::Failed(error.to_string())),
            Some(Code::GroupAuthorizationFailed) if self.grouped => {
                Err(ConsumeError::Failed(error.to_string()))
            }
            Some(code) if fault::is_outage(code) && !fatal => {
                let mut cursors = self.cursors();
                if cursors.told.is_none_or(|at| at.elapsed() > TELL) {
                    cursors.told = Some(Instant::now());
                    drop(cursors);
                    self.inbox.trouble(fault::read(error));
                }
                Ok(())
            }
            _ if fatal => Err(ConsumeError::Failed(error.to_string())),
            // The rest heals by itself, and the context has logged it.
            _ => Ok(()),
        }
    }

    /// Some partition's next record is gone. librdkafka does not say which one, so all are looked
    /// at; without an answer they are looked at again.
    fn skip<C: ConsumerContext>(&self, consumer: &BaseConsumer<C>) -> Result<(), ConsumeError> {
        let wanted: Vec<_> = self
            .cursors()
            .next
            .iter()
            .map(|(at, next)| (*at, *next))
            .collect();
        let mut moves = Vec::new();
        for (at, next) in wanted {
            let Ok((low, high)) = ends_of(consumer, at, Instant::now() + QUESTION) else {
                return Ok(());
            };
            let from = next.unwrap_or(low);
            moves.push((at, from, from.clamp(low, high)));
        }
        self.cursors().stuck = false;
        // If all are in place by now, any of them may be the one that has stopped.
        let none = moves.iter().all(|(_, from, to)| from == to);
        for (partition, from, to) in moves {
            if from != to || none {
                let restarted = self.restart(consumer, partition, to);
                restarted.map_err(|error| ConsumeError::Failed(error.to_string()))?;
            }
            if from != to {
                self.inbox.skipped(Skipped {
                    partition,
                    from,
                    to,
                });
            }
        }
        Ok(())
    }

    /// Reads a partition from another offset. A seek is refused once librdkafka has given up on
    /// the old one, so the partition is taken anew.
    fn restart<C: ConsumerContext>(
        &self,
        consumer: &BaseConsumer<C>,
        at: TopicPartition,
        next: i64,
    ) -> Result<(), KafkaError> {
        let mut start = TopicPartitionList::new();
        start.add_partition_offset(at.topic.name, at.partition, Offset::Offset(next))?;
        consumer.incremental_unassign(&list([at]))?;
        consumer.incremental_assign(&start)?;
        let mut cursors = self.cursors();
        cursors.next.insert(at, Some(next));
        let rests = cursors.throttled || cursors.paused.contains(&at);
        drop(cursors);
        if rests {
            consumer.pause(&list([at]))?;
        }
        Ok(())
    }

    fn throttle<C: ConsumerContext>(&self, consumer: &BaseConsumer<C>, throttled: bool) {
        let mut cursors = self.cursors();
        if cursors.throttled == throttled {
            return;
        }
        cursors.throttled = throttled;
        let rest = cursors
            .next
            .keys()
            .filter(|at| !cursors.paused.contains(at));
        let list = list(rest.copied());
        drop(cursors);
        rest_or_go(consumer, &list, throttled);
    }

    /// What the owner asked for.
    pub(super) fn pause<C: ConsumerContext>(
        &self,
        consumer: &BaseConsumer<C>,
        at: TopicPartition,
        paused: bool,
    ) {
        let mut cursors = self.cursors();
        let changed = match paused {
            true => cursors.paused.insert(at),
            false => cursors.paused.remove(&at),
        };
        let now = changed && !cursors.throttled && cursors.next.contains_key(&at);
        drop(cursors);
        if now {
            rest_or_go(consumer, &list([at]), paused);
        }
    }
}

impl Cursors {
    /// Partitions that are no longer ours; another assignment begins unpaused.
    pub(super) fn forget(&mut self, partitions: &[TopicPartition]) {
        for at in partitions {
            self.next.remove(at);
            self.paused.remove(at);
        }
    }

    /// Whether a partition that is assigned now has to rest at once.
    pub(super) fn throttled(&self) -> bool {
        self.throttled
    }
}

fn list(partitions: impl IntoIterator<Item = TopicPartition>) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for at in partitions {
        list.add_partition(at.topic.name, at.partition);
    }
    list
}

fn rest_or_go<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    list: &TopicPartitionList,
    rest: bool,
) {
    let done = match rest {
        true => consumer.pause(list),
        false => consumer.resume(list),
    };
    if let Err(error) = done {
        tracing::warn!(%error, rest, "partitions cannot be paused or resumed");
    }
}
