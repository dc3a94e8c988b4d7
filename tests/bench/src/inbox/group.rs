//! The forwarder's group, while no forwarder runs.
//!
//! In: the bus. Out: commits. Invariant: what is in the inbox now counts as delivered, so that a forwarder begins with what comes next.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use gramtap_bus::{Bus, ConsumerOptions, Event, Isolation, TopicPartition};
use gramtap_events::topics::{INBOX, INBOX_RETRY};

/// As the forwarder has it.
const GROUP: &str = "gramtap-forward";
/// How long Kafka may take for each step.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) async fn commit_the_ends(bus: &Bus) -> Result<()> {
    let topics = [&INBOX, &INBOX_RETRY];
    let mut open = Vec::new();
    for topic in topics {
        for ends in bus.ends(topic).await? {
            let partition = ends.partition;
            open.push((TopicPartition { topic, partition }, ends.high));
        }
    }
    let options = ConsumerOptions {
        isolation: Isolation::Committed,
        together: true,
        ..ConsumerOptions::default()
    };
    let member = bus.consumer(GROUP, &topics, options).await?;
    while !open.is_empty() {
        let next = tokio::time::timeout(PATIENCE, member.next()).await;
        let event = next.context("no partitions are given")?;
        let Event::Assigned(assigned) = event.context("the member has ended")?? else {
            continue;
        };
        for given in assigned {
            member.pause(given.partition);
            let place = open.iter().position(|(it, _)| *it == given.partition);
            if let Some((partition, high)) = place.map(|place| open.swap_remove(place)) {
                member.commit(partition, high, "").await?;
            }
        }
    }
    ensure!(member.close(PATIENCE).await, "the group is not left");
    Ok(())
}
