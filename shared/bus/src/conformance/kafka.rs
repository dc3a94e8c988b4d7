//! What tests do to Kafka behind the bus's back.
//!
//! In: a bus on Kafka. Out: Kafka's admin calls. Not for the embedded log.

use gramtap_events::Topic;

use super::DEADLINE;
use crate::port::Engine;
use crate::{Bus, TopicPartition};

/// Deletes the records of a partition before an offset, as retention does.
pub async fn trim(bus: &Bus, partition: TopicPartition, before: i64) {
    engine(bus).trim(partition, before, DEADLINE).await.unwrap();
}

/// Replaces a topic's own settings.
pub async fn set(bus: &Bus, topic: &'static Topic, settings: &[(&str, &str)]) {
    let settings = settings
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    engine(bus)
        .set(topic, settings.collect(), DEADLINE)
        .await
        .unwrap();
}

/// A setting of a topic as it is.
pub async fn setting(bus: &Bus, topic: &'static Topic, name: &str) -> String {
    engine(bus).setting(topic, name, DEADLINE).await.unwrap()
}

fn engine(bus: &Bus) -> &crate::kafka::Kafka {
    match &bus.engine {
        Engine::Kafka(kafka) => kafka,
        Engine::Embedded(_) => panic!("the bus is not on Kafka"),
    }
}
