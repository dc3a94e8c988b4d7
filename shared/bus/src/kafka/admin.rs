//! Topics on Kafka: looked at, made, adjusted.
//!
//! In: the table of topics and the `[kafka]` section. Out: Kafka's admin calls, on a thread of
//! their own. Invariant: `check` changes nothing; `apply` deletes nothing, changes no number of
//! partitions, and leaves every setting alone that is not ours.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use gramtap_events::Topic;
use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, ConfigResource, ConfigSource, NewTopic,
};
use rdkafka::admin::{OwnedResourceSpecifier, ResourceSpecifier, TopicReplication};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::context::Context;
use super::wanted::{Found, Settings, differences, problems, settings};
use super::{Kafka, fault};
use crate::error::BusError;
use crate::thread;
use crate::topics::{Outcome, Report};

impl Kafka {
    pub(crate) async fn check(
        &self,
        topics: &[&'static Topic],
        deadline: Duration,
    ) -> Result<(), BusError> {
        let wanted = self.section.partitions;
        let found = self
            .ask(topics, deadline, |admin, topics| admin.look(topics))
            .await?;
        let problems: Vec<String> = topics
            .iter()
            .flat_map(|topic| problems(topic, found.get(topic.name), wanted))
            .collect();
        match problems.is_empty() {
            true => Ok(()),
            false => Err(BusError::Topics(problems)),
        }
    }

    pub(crate) async fn apply(
        &self,
        topics: &[&'static Topic],
        deadline: Duration,
    ) -> Result<Report, BusError> {
        let (partitions, replication) = (self.section.partitions, self.section.replication);
        self.ask(topics, deadline, move |admin, topics| {
            admin.apply(topics, partitions, replication)
        })
        .await
    }

    async fn ask<T: Send + 'static>(
        &self,
        topics: &[&'static Topic],
        deadline: Duration,
        job: impl FnOnce(&Admin, &[&'static Topic]) -> Result<T, KafkaError> + Send + 'static,
    ) -> Result<T, BusError> {
        let config = self.client();
        let topics = topics.to_vec();
        let asked = thread::ask("bus-admin", move || {
            let admin = Admin {
                client: config.create_with_context(Context::new("admin"))?,
                until: Instant::now() + deadline,
            };
            job(&admin, &topics)
        });
        asked.await?.map_err(|error| fault::ask(&error))
    }
}

/// An admin client, on the thread that asks.
struct Admin {
    client: AdminClient<Context>,
    until: Instant,
}

impl Admin {
    fn left(&self) -> Duration {
        self.until
            .saturating_duration_since(Instant::now())
            .max(Duration::from_millis(1))
    }

    fn options(&self) -> AdminOptions {
        AdminOptions::new()
            .request_timeout(Some(self.left()))
            .operation_timeout(Some(self.left()))
    }

    /// The topics that exist.
    fn look(&self, topics: &[&'static Topic]) -> Result<BTreeMap<&'static str, Found>, KafkaError> {
        let mut existing = Vec::new();
        for topic in topics {
            let metadata = self
                .client
                .inner()
                .fetch_metadata(Some(topic.name), self.left())?;
            let found = metadata.topics().iter().find(|it| it.name() == topic.name);
            let partitions = found.map_or(0, |it| it.partitions().len());
            if partitions > 0 {
                existing.push((topic.name, i32::try_from(partitions).unwrap_or(i32::MAX)));
            }
        }
        let asked: Vec<_> = existing
            .iter()
            .map(|(name, _)| ResourceSpecifier::Topic(name))
            .collect();
        if asked.is_empty() {
            return Ok(BTreeMap::new());
        }
        let described = wait(self.client.describe_configs(&asked, &self.options()))?;
        let mut found = BTreeMap::new();
        for resource in described {
            let resource = resource.map_err(KafkaError::AdminOp)?;
            let known = existing.iter().find(|(name, _)| {
                resource.specifier == OwnedResourceSpecifier::Topic((*name).to_owned())
            });
            if let Some((name, partitions)) = known {
                found.insert(*name, as_found(&resource, *partitions));
            }
        }
        Ok(found)
    }

    fn apply(
        &self,
        topics: &[&'static Topic],
        partitions: i32,
        replication: i32,
    ) -> Result<Report, KafkaError> {
        let found = self.look(topics)?;
        let mut report = Report::default();
        for topic in topics {
            let outcome = match found.get(topic.name) {
                None => self.create(topic, partitions, replication)?,
                Some(found) => match differences(topic, found) {
                    changes if !changes.is_empty() => self.adjust(topic, found, changes)?,
                    _ if found.partitions != partitions => Outcome::Partitions {
                        found: found.partitions,
                        wanted: partitions,
                    },
                    _ => Outcome::Unchanged,
                },
            };
            report.topics.push((topic.name, outcome));
        }
        Ok(report)
    }

    fn create(
        &self,
        topic: &'static Topic,
        partitions: i32,
        replication: i32,
    ) -> Result<Outcome, KafkaError> {
        let settings = settings(topic);
        let mut new = NewTopic::new(topic.name, partitions, TopicReplication::Fixed(replication));
        for (name, value) in &settings {
            new = new.set(name, value);
        }
        for result in wait(self.client.create_topics([&new], &self.options()))? {
            match result {
                // Somebody else was quicker.
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((_, code)) => return Err(KafkaError::AdminOp(code)),
            }
        }
        // The controller has it; brokers learn of it a moment later.
        while self.look(&[topic])?.is_empty() {
            if self.left() <= Duration::from_millis(1) {
                return Err(KafkaError::MetadataFetch(
                    RDKafkaErrorCode::OperationTimedOut,
                ));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(Outcome::Created)
    }

    fn adjust(
        &self,
        topic: &Topic,
        found: &Found,
        changes: Vec<(String, String, String)>,
    ) -> Result<Outcome, KafkaError> {
        // The call replaces all of a topic's own settings, so those that are not ours go with it.
        let mut all = found.own.clone();
        all.extend(settings(topic));
        self.replace(topic, &all)?;
        Ok(Outcome::Changed(changes))
    }

    fn replace(&self, topic: &Topic, settings: &Settings) -> Result<(), KafkaError> {
        let mut alter = AlterConfig::new(ResourceSpecifier::Topic(topic.name));
        for (name, value) in settings {
            alter = alter.set(name, value);
        }
        for result in wait(self.client.alter_configs([&alter], &self.options()))? {
            result.map_err(|(_, code)| KafkaError::AdminOp(code))?;
        }
        Ok(())
    }
}

fn as_found(resource: &ConfigResource, partitions: i32) -> Found {
    let entries = || {
        resource
            .entries
            .iter()
            .filter_map(|it| Some((it, it.value.clone()?)))
    };
    Found {
        partitions,
        effective: entries()
            .map(|(entry, value)| (entry.name.clone(), value))
            .collect(),
        own: entries()
            .filter(|(entry, _)| entry.source == ConfigSource::DynamicTopic)
            .map(|(entry, value)| (entry.name.clone(), value))
            .collect(),
    }
}

/// Waits for an admin call on this thread, which is the bus's own.
fn wait<T>(call: impl Future<Output = Result<T, KafkaError>>) -> Result<T, KafkaError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.map_err(|_| KafkaError::Canceled)?.block_on(call)
}

/// For tests of what happens behind the bus's back.
#[cfg(any(test, feature = "conformance"))]
impl Kafka {
    pub(crate) async fn trim(
        &self,
        at: crate::TopicPartition,
        before: i64,
        deadline: Duration,
    ) -> Result<(), BusError> {
        let trim = move |admin: &Admin, _: &[&'static Topic]| {
            let mut list = rdkafka::TopicPartitionList::new();
            list.add_partition_offset(
                at.topic.name,
                at.partition,
                rdkafka::Offset::Offset(before),
            )?;
            wait(admin.client.delete_records(&list, &admin.options())).map(drop)
        };
        self.ask(&[at.topic], deadline, trim).await
    }

    pub(crate) async fn set(
        &self,
        topic: &'static Topic,
        settings: Settings,
        deadline: Duration,
    ) -> Result<(), BusError> {
        self.ask(&[topic], deadline, move |admin, _| {
            admin.replace(topic, &settings)
        })
        .await
    }

    pub(crate) async fn setting(
        &self,
        topic: &'static Topic,
        name: &str,
        deadline: Duration,
    ) -> Result<String, BusError> {
        let found = self
            .ask(&[topic], deadline, |admin, topics| admin.look(topics))
            .await?;
        let value = found
            .get(topic.name)
            .and_then(|found| found.effective.get(name));
        Ok(value.cloned().unwrap_or_default())
    }
}
