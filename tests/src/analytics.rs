//! A `gramtap-analytics` process of a test's own.
//!
//! In: an installation on servers (`installation.rs`). Out: a running process (`service.rs`). Invariant: Kafka's topics and
//! groups are shared by all tests, so one installation at a time has analytics: whoever has the [`Turn`]; and what others have
//! left in the topics counts as counted ([`begin_at_the_end`]).

use std::ops::Deref;
use std::process::ExitStatus;

use gramtap_bus::{Bus, ConsumerOptions, Event, Isolation, TopicPartition};
use gramtap_database::{Database, Statement};
use gramtap_events::Topic;
use gramtap_events::topics::{CALLS, ERRORS, EVENTS, UPDATES};
use tokio::sync::{Mutex, MutexGuard};

use crate::service::Service;
use crate::{DEADLINE, Installation, within};

/// The group that decodes, as the settings' defaults have it.
const DECODE: &str = "gramtap-decode";

static TURN: Mutex<()> = Mutex::const_new(());

/// The right to have analytics on the servers.
#[derive(Debug)]
pub struct Turn(#[expect(dead_code, reason = "it is held")] MutexGuard<'static, ()>);

/// Waits until no other test has analytics on the servers, and begins at the ends of the topics.
pub async fn analytics_turn(installation: &Installation) -> Turn {
    let turn = Turn(TURN.lock().await);
    let database = installation.registry().database().clone();
    begin_at_the_end(&installation.open_bus(), &database, DECODE).await;
    database.close().await;
    turn
}

/// What other tests have left in the topics counts as counted: in the sums of a new database, and by a group that decodes and
/// has no members now.
pub async fn begin_at_the_end(bus: &Bus, database: &Database, group: &str) {
    const STAND: Statement = Statement::new(
        "tests_stand",
        "INSERT INTO fold_offsets (topic, part, next_offset) VALUES ($1, $2, $3)",
    );
    for topic in [&EVENTS, &ERRORS] {
        for ends in bus.ends(topic).await.unwrap() {
            let part = i64::from(ends.partition);
            let values = [topic.name.into(), part.into(), ends.high.into()];
            database.execute(&STAND, &values).await.unwrap();
        }
    }
    commit_the_ends(bus, group, &[&CALLS, &UPDATES]).await;
}

/// What is in the topics now counts as read by a group that keeps partitions of one number together, and has no members now.
pub async fn commit_the_ends(bus: &Bus, group: &str, topics: &[&'static Topic]) {
    let mut open = Vec::new();
    for topic in topics {
        for ends in bus.ends(topic).await.unwrap() {
            let place = TopicPartition {
                topic,
                partition: ends.partition,
            };
            open.push((place, ends.high));
        }
    }
    let options = ConsumerOptions {
        isolation: Isolation::Committed,
        together: true,
        ..ConsumerOptions::default()
    };
    let member = bus.consumer(group, topics, options).await;
    let member = member.unwrap();
    while !open.is_empty() {
        let event = within("partitions", member.next()).await.unwrap().unwrap();
        let Event::Assigned(assigned) = event else {
            continue;
        };
        for given in assigned {
            member.pause(given.partition);
            let place = open.iter().position(|(it, _)| *it == given.partition);
            if let Some((partition, high)) = place.map(|place| open.swap_remove(place)) {
                member.commit(partition, high, "").await.unwrap();
            }
        }
    }
    assert!(member.close(DEADLINE).await);
}

/// Running analytics.
#[derive(Debug)]
pub struct Analytics(Service);

impl Analytics {
    /// Starts one. `instance` is its name, which its groups know it by, and that of its folder in the installation.
    pub async fn start(_: &Turn, installation: &Installation, instance: &str) -> Self {
        let environment = [("GRAMTAP_ANALYTICS__INSTANCE", instance)];
        Self(Service::start(installation, &["gramtap-analytics"], instance, &environment).await)
    }

    /// Waits until it has ended.
    pub async fn ended(self) -> ExitStatus {
        self.0.ended().await
    }

    /// Ends it; it has to end in order.
    pub async fn stop(self) {
        self.0.stop().await;
    }
}

impl Deref for Analytics {
    type Target = Service;

    fn deref(&self) -> &Service {
        &self.0
    }
}
