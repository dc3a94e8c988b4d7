//! Questions to the brokers: how many partitions, where do they end.
//!
//! In: the port, readers. Out: answers, on threads that may block. Invariant: what heals by itself
//! (a partition whose leader is being chosen) is asked again until the time is over; what does
//! not exist is told at once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use gramtap_events::Topic;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::context::Context;
use super::{Kafka, QUESTION, fault};
use crate::consume::{Ends, TopicPartition};
use crate::error::ConsumeError;
use crate::thread;

/// How long a partition's leader is left to be chosen before it is asked for again.
const PAUSE: Duration = Duration::from_millis(100);

/// Numbers of partitions: they do not change while a process runs (that needs a drain).
pub(super) type Sizes = Mutex<HashMap<&'static str, i32>>;

impl Kafka {
    /// How many partitions a topic has.
    pub(crate) async fn partitions(&self, topic: &'static Topic) -> Result<i32, ConsumeError> {
        let known = {
            let sizes = self.sizes.lock().unwrap_or_else(PoisonError::into_inner);
            sizes.get(topic.name).copied()
        };
        if let Some(count) = known {
            return Ok(count);
        }
        let count = self
            .question(move |client, until| count(client, topic, until))
            .await?;
        let mut sizes = self.sizes.lock().unwrap_or_else(PoisonError::into_inner);
        sizes.insert(topic.name, count);
        Ok(count)
    }

    /// The ends of a topic's partitions.
    pub(crate) async fn ends(&self, topic: &'static Topic) -> Result<Vec<Ends>, ConsumeError> {
        let ask = move |client: &BaseConsumer<Context>, until| {
            let ends = (0..count(client, topic, until)?).map(|partition| {
                let (low, high) = ends_of(client, TopicPartition { topic, partition }, until)?;
                Ok(Ends {
                    partition,
                    low,
                    high,
                })
            });
            ends.collect()
        };
        self.question(ask).await
    }

    async fn question<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&BaseConsumer<Context>, Instant) -> Result<T, ConsumeError> + Send + 'static,
    ) -> Result<T, ConsumeError> {
        let config = self.client();
        let asked = thread::ask("bus-question", move || {
            let client = config.create_with_context(Context::new("question"));
            ask(
                &client.map_err(|error| fault::read(&error))?,
                Instant::now() + QUESTION,
            )
        });
        asked
            .await
            .map_err(|error| ConsumeError::Failed(error.to_string()))?
    }
}

fn left(until: Instant) -> Duration {
    until
        .saturating_duration_since(Instant::now())
        .max(Duration::from_millis(1))
}

fn count<C: ConsumerContext>(
    client: &BaseConsumer<C>,
    topic: &'static Topic,
    until: Instant,
) -> Result<i32, ConsumeError> {
    let metadata = client.fetch_metadata(Some(topic.name), left(until));
    let metadata = metadata.map_err(|error| fault::read(&error))?;
    let found = metadata.topics().iter().find(|it| it.name() == topic.name);
    match found.map(|it| it.partitions().len()) {
        None | Some(0) => Err(ConsumeError::Unknown(topic.name.to_owned())),
        Some(count) => Ok(i32::try_from(count).unwrap_or(i32::MAX)),
    }
}

/// The low and the high end of a partition; with `read_committed`, high is the end of what is
/// committed.
pub(super) fn ends_of<C: ConsumerContext>(
    client: &BaseConsumer<C>,
    at: TopicPartition,
    until: Instant,
) -> Result<(i64, i64), ConsumeError> {
    loop {
        let error = match client.fetch_watermarks(at.topic.name, at.partition, left(until)) {
            Ok(ends) => return Ok(ends),
            Err(error) => error,
        };
        if !may_heal(&error) || Instant::now() >= until {
            return Err(fault::read(&error));
        }
        if at.partition >= count(client, at.topic, until)? {
            return Err(ConsumeError::Unknown(at.to_string()));
        }
        std::thread::sleep(PAUSE);
    }
}

fn may_heal(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        error.rdkafka_error_code(),
        Some(
            Code::UnknownPartition
                | Code::UnknownTopic
                | Code::UnknownTopicOrPartition
                | Code::LeaderNotAvailable
                | Code::NotLeaderForPartition
                | Code::BrokerTransportFailure
        )
    )
}
