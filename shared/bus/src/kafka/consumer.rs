//! A member of a group, on Kafka.
//!
//! In: librdkafka's rebalances and records, on the member's polling thread; commits, on a second
//! thread, because they wait for the coordinator. Out: the inbox of a `Consumer`. Invariant:
//! what was committed is known before a partition's first record, and a partition is given up
//! only after its owner let go, or its deadline. Dead: librdkafka may hang while it closes, so it
//! does that on the polling thread, which nobody has to wait for.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use gramtap_events::Topic;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{
    BaseConsumer, CommitMode, Consumer as _, ConsumerContext, ConsumerGroupMetadata,
    RebalanceProtocol,
};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientContext, Offset, TopicPartitionList};
use tokio::sync::oneshot;

use super::context::Context;
use super::fetch::Fetching;
use super::{Kafka, fault};
use crate::consume::inbox::Inbox;
use crate::consume::{
    Assigned, Commit, Committed, Consumer, ConsumerOptions, Engine, Isolation, TopicPartition,
};
use crate::error::{CommitError, ConsumeError};
use crate::thread;

/// How long one question for committed offsets may take, before it is asked again.
const COMMITTED: Duration = Duration::from_secs(5);

type Native = BaseConsumer<Group>;
type Reply = oneshot::Sender<Result<(), CommitError>>;

/// The port's side of a member.
pub(crate) struct Handle {
    /// None once the member has ended.
    member: Arc<Mutex<Option<Member>>>,
    pauses: Mutex<Sender<(TopicPartition, bool)>>,
}

/// What the port needs of a member that lives.
struct Member {
    native: Arc<Native>,
    commits: Sender<(Commit, Reply)>,
}

impl Handle {
    pub(crate) async fn commit(&self, commit: Commit) -> Result<(), CommitError> {
        let (reply, committed) = oneshot::channel();
        let commits = self.member(|member| member.commits.clone());
        let queued = commits.ok_or(CommitError::Closed)?.send((commit, reply));
        queued.map_err(|_| CommitError::Closed)?;
        committed.await.unwrap_or(Err(CommitError::Closed))
    }

    pub(crate) fn pause(&self, partition: TopicPartition, paused: bool) {
        let pauses = self.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        // The thread has ended: there is nothing to pause.
        pauses.send((partition, paused)).ok();
    }

    /// What a transaction commits offsets as.
    pub(super) fn group(&self) -> Option<ConsumerGroupMetadata> {
        let native = self.member(|member| Arc::clone(&member.native));
        native?.group_metadata()
    }

    fn member<T>(&self, part: impl FnOnce(&Member) -> T) -> Option<T> {
        let member = self.member.lock().unwrap_or_else(PoisonError::into_inner);
        member.as_ref().map(part)
    }
}

/// The context of a member.
struct Group {
    context: Context,
    fetching: Arc<Fetching>,
    release_deadline: Duration,
}

impl ClientContext for Group {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.context.log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.context.error(error, reason);
    }
}

impl ConsumerContext for Group {
    fn rebalance(&self, native: &Native, what: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let incremental = matches!(native.rebalance_protocol(), RebalanceProtocol::Cooperative);
        let done = match what {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
                self.assign(native, list, incremental)
            }
            _ => self.revoke(native, list, incremental),
        };
        if let Err(error) = done {
            tracing::warn!(%error, "partitions cannot be taken or given up");
        }
    }
}

impl Group {
    fn partitions(&self, list: &TopicPartitionList) -> Vec<TopicPartition> {
        let elements = list.elements().into_iter();
        elements
            .filter_map(|it| self.fetching.partition(it.topic(), it.partition()))
            .collect()
    }

    fn assign(
        &self,
        native: &Native,
        list: &TopicPartitionList,
        incremental: bool,
    ) -> Result<(), KafkaError> {
        let Some(assigned) = self.committed(native, list) else {
            return Ok(());
        };
        let mut start = TopicPartitionList::new();
        let mut resting = TopicPartitionList::new();
        let mut cursors = self.fetching.cursors();
        for it in &assigned {
            let at = it.partition;
            let offset = it
                .committed
                .as_ref()
                .map_or(Offset::Beginning, |it| Offset::Offset(it.offset));
            start.add_partition_offset(at.topic.name, at.partition, offset)?;
            resting.add_partition(at.topic.name, at.partition);
            cursors
                .next
                .insert(at, it.committed.as_ref().map(|it| it.offset));
        }
        let throttled = cursors.throttled();
        drop(cursors);
        self.fetching.inbox.assigned(assigned);
        match incremental {
            true => native.incremental_assign(&start)?,
            false => native.assign(&start)?,
        }
        if throttled {
            native.pause(&resting)?;
        }
        Ok(())
    }

    /// What the group has committed. Asked until it is known: without it work would be done
    /// twice. None: the owner wants an end.
    fn committed(&self, native: &Native, list: &TopicPartitionList) -> Option<Vec<Assigned>> {
        while !self.fetching.inbox.closing() {
            let found = native.committed_offsets(list.clone(), COMMITTED);
            let found = found.and_then(|found| {
                let elements = found.elements();
                elements.iter().try_for_each(|it| it.error())?;
                let elements = elements.iter().filter_map(|it| {
                    let committed = match it.offset() {
                        Offset::Offset(offset) => Some(Committed {
                            offset,
                            metadata: it.metadata().to_owned(),
                        }),
                        _ => None,
                    };
                    let partition = self.fetching.partition(it.topic(), it.partition())?;
                    Some(Assigned {
                        partition,
                        committed,
                    })
                });
                Ok(elements.collect())
            });
            match found {
                Ok(assigned) => return Some(assigned),
                Err(error) => {
                    tracing::warn!(%error, "committed offsets are not known yet");
                    std::thread::park_timeout(Duration::from_millis(200));
                }
            }
        }
        None
    }

    fn revoke(
        &self,
        native: &Native,
        list: &TopicPartitionList,
        incremental: bool,
    ) -> Result<(), KafkaError> {
        let partitions = self.partitions(list);
        let inbox = &self.fetching.inbox;
        let lost = native.assignment_lost();
        self.fetching.cursors().forget(&partitions);
        let released = inbox.revoke(partitions.clone(), lost);
        let until = Instant::now() + self.release_deadline;
        while !lost && !released.done() && !inbox.closing() && Instant::now() < until {
            std::thread::park_timeout(until.saturating_duration_since(Instant::now()));
        }
        inbox.disown(&partitions);
        // A pause must not outlive the assignment.
        native.resume(list)?;
        match incremental {
            true => native.incremental_unassign(list),
            false => native.unassign(),
        }
    }
}

/// See `Bus::consumer`.
pub(crate) async fn join(
    kafka: &Kafka,
    group: &str,
    topics: &[&'static Topic],
    options: ConsumerOptions,
) -> Result<Consumer, ConsumeError> {
    let mut config = kafka.reading();
    config
        .set("group.id", group)
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set(
            "session.timeout.ms",
            options.session_timeout.as_millis().to_string(),
        )
        .set(
            "heartbeat.interval.ms",
            heartbeat(options.session_timeout).as_millis().to_string(),
        )
        .set("isolation.level", isolation(options.isolation));
    if let Some(member) = &options.member {
        config.set("group.instance.id", member);
    }
    let inbox = Arc::new(Inbox::new(options.max_records, options.max_bytes));
    let fetching = Arc::new(Fetching::new(Arc::clone(&inbox), topics.iter().copied()));
    let context = Group {
        context: Context::new("consumer"),
        fetching: Arc::clone(&fetching),
        release_deadline: options.release_deadline,
    };
    let names: Vec<&'static str> = topics.iter().map(|topic| topic.name).collect();
    let made = thread::ask("bus-make", move || {
        let native: Native = config.create_with_context(context)?;
        native.subscribe(&names)?;
        Ok(Arc::new(native))
    });
    let made: Result<Arc<Native>, KafkaError> = made
        .await
        .map_err(|error| ConsumeError::Failed(error.to_string()))?;
    let native = made.map_err(|error| fault::read(&error))?;

    let (commits, to_commit) = channel();
    let (pauses, asked) = channel();
    let member = Member {
        native: Arc::clone(&native),
        commits,
    };
    let member = Arc::new(Mutex::new(Some(member)));
    let handle = Handle {
        member: Arc::clone(&member),
        pauses: Mutex::new(pauses),
    };
    let failed = |error: crate::BusError| ConsumeError::Failed(error.to_string());
    let committing = Arc::clone(&native);
    thread::spawn("bus-committer", move || commit_all(&committing, &to_commit)).map_err(failed)?;
    thread::spawn("bus-consumer", move || {
        let inbox = Arc::clone(&fetching.inbox);
        inbox.served_by(std::thread::current());
        let outcome = fetching.run(&native, || {
            for (at, paused) in asked.try_iter() {
                fetching.pause(&native, at, paused);
            }
        });
        // The committer ends with its queue, and with it the other reference to the client.
        let alive = member.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(alive);
        end(native);
        inbox.end(outcome.err());
    })
    .map_err(failed)?;
    Ok(Consumer {
        inbox,
        engine: Engine::Kafka(Arc::new(handle)),
    })
}

pub(super) fn isolation(isolation: Isolation) -> &'static str {
    match isolation {
        Isolation::Committed => "read_committed",
        Isolation::Uncommitted => "read_uncommitted",
    }
}

/// Several in a session, and often enough to notice a rebalance soon.
fn heartbeat(session: Duration) -> Duration {
    (session / 4).clamp(Duration::from_millis(100), Duration::from_secs(1))
}

/// Leaves the group. Whoever drops the last reference does, so it waits for a commit in flight.
pub(super) fn end<C: ConsumerContext>(mut native: Arc<BaseConsumer<C>>) {
    loop {
        match Arc::try_unwrap(native) {
            Ok(last) => return drop(last),
            Err(shared) => {
                drop(shared.poll(Duration::from_millis(20)));
                native = shared;
            }
        }
    }
}

/// The committer: one request for all that is queued, one after another.
fn commit_all(native: &Native, queue: &Receiver<(Commit, Reply)>) {
    while let Ok(first) = queue.recv() {
        let mut batch = vec![first];
        batch.extend(queue.try_iter());
        let mut list = TopicPartitionList::new();
        // Of several for one partition the last one counts.
        for (commit, _) in &batch {
            let at = commit.partition;
            let set = match list.find_partition(at.topic.name, at.partition) {
                Some(mut element) => {
                    element.set_metadata(&commit.metadata);
                    element.set_offset(Offset::Offset(commit.offset))
                }
                None => {
                    let added = list.add_partition_offset(
                        at.topic.name,
                        at.partition,
                        Offset::Offset(commit.offset),
                    );
                    if let Some(mut element) = list.find_partition(at.topic.name, at.partition) {
                        element.set_metadata(&commit.metadata);
                    }
                    added
                }
            };
            if let Err(error) = set {
                tracing::error!(%error, "an offset cannot be told to librdkafka");
            }
        }
        let outcome = native.commit(&list, CommitMode::Sync);
        for (commit, reply) in batch {
            let told = match &outcome {
                Ok(()) => Ok(()),
                Err(error) => Err(fault::commit(error, commit.partition)),
            };
            // Whoever has stopped waiting need not know.
            reply.send(told).ok();
        }
    }
}
