//! A member of a group, on Kafka.
//!
//! In: librdkafka, polled on a thread of the member's own (`fetch.rs` for records, `rebalance.rs`);
//! commits, on a second thread, because they wait for the coordinator. Out: the inbox of a
//! `Consumer`. Invariant: a commit is answered as the coordinator answered it; those that queue up
//! meanwhile go together. Dead: librdkafka may hang while it closes, so it does that on the
//! polling thread, which nobody has to wait for.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gramtap_events::Topic;
use rdkafka::consumer::{CommitMode, Consumer as _, ConsumerGroupMetadata};
use rdkafka::error::KafkaError;
use tokio::sync::oneshot;

use super::context::Context;
use super::fetch::Fetching;
use super::rebalance::{Native, Rebalancing};
use super::{Kafka, fault, offsets};
use crate::consume::inbox::Inbox;
use crate::consume::{Commit, Consumer, ConsumerOptions, Engine, Isolation, TopicPartition};
use crate::error::{CommitError, ConsumeError};
use crate::thread;

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

/// See `Bus::consumer`.
pub(crate) async fn join(
    kafka: &Kafka,
    group: &str,
    topics: &[&'static Topic],
    options: ConsumerOptions,
) -> Result<Consumer, ConsumeError> {
    // `range` deals each topic's partitions out in the same order of members.
    let strategy = match options.together {
        true => "range",
        false => "cooperative-sticky",
    };
    let mut config = kafka.reading();
    config
        .set("group.id", group)
        .set("partition.assignment.strategy", strategy)
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
    let fetching = Arc::new(Fetching::new(
        Arc::clone(&inbox),
        topics.iter().copied(),
        true,
    ));
    let context = Rebalancing {
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

/// Leaves the group. Whoever drops the last reference does that, so a commit in flight is waited
/// for.
fn end(mut native: Arc<Native>) {
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
        let list = offsets::list(batch.iter().map(|(commit, _)| commit));
        let outcome = list.and_then(|list| native.commit(&list, CommitMode::Sync));
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
