//! A process that counts: decodes records into events and folds events into sums, until it is killed.
//!
//! In: this very test program, run again as the child, with orders in its environment. Out: events.v1, errors.v1 and sums. Invariant: a
//! death is SIGKILL; an end is SIGTERM and has to be in order. Batches are small, so that there are many to die in.

use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use gramtap_actors::{Drain, DrainToken};
use gramtap_analytics::consume;
use gramtap_analytics::store::follow::{FollowOptions, follow};
use gramtap_analytics::store::{Limits, Store};
use gramtap_bus::conformance::death::child;
use gramtap_bus::{Bus, BusConfig, ConsumerOptions, Event, Isolation, TopicPartition};
use gramtap_database::{Database, Statement};
use gramtap_events::topics::{CALLS, ERRORS, EVENTS, UPDATES};
use gramtap_tests::{DEADLINE, Installation, within};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::scripted::Week;

/// Where a child finds its orders.
const ORDERS: &str = "GRAMTAP_WEEK_ORDERS";

/// Where an installation keeps what it has.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Stores {
    brokers: Option<String>,
    database: String,
    data_dir: std::path::PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Orders {
    stores: Stores,
    instance: String,
    tag: String,
}

impl Stores {
    pub(super) fn of(installation: &Installation) -> Self {
        let environment = installation.environment();
        let setting = |name: &str| {
            let found = environment.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.clone())
        };
        Self {
            brokers: setting("GRAMTAP_KAFKA__BROKERS"),
            database: setting("GRAMTAP_DATABASE__URL").unwrap_or_default(),
            data_dir: installation.data_dir("ingress"),
        }
    }

    pub(super) fn database(&self) -> Database {
        let section = json!({"url": self.database, "max_connections": 4});
        Database::open(&serde_json::from_value(section).unwrap(), &self.data_dir).unwrap()
    }

    fn bus(&self) -> Bus {
        let kind = if self.brokers.is_some() {
            "kafka"
        } else {
            "embedded"
        };
        let bus = json!({"kind": kind, "embedded": {"retention": "7d", "max_bytes": "1GiB"}});
        let kafka = json!({
            "brokers": self.brokers.clone().unwrap_or_default(), "properties": [], "partitions": 24, "replication": 1,
            "compression": "lz4",
        });
        let config = BusConfig {
            bus: serde_json::from_value(bus).unwrap(),
            kafka: serde_json::from_value(kafka).unwrap(),
            data_dir: self.data_dir.clone(),
            client: "gramtap-analytics".to_owned(),
        };
        Bus::open(&config).unwrap()
    }
}

/// The groups of a test: they have counted nothing of other tests.
fn groups(tag: &str) -> [String; 2] {
    ["decode", "fold"].map(|what| format!("week-{tag}-{what}"))
}

/// Not a test: the child.
#[test]
#[ignore = "the child of the tests here, which is killed"]
fn counts_until_it_is_killed() {
    let Ok(orders) = std::env::var(ORDERS) else {
        return;
    };
    let orders: Orders = serde_json::from_str(&orders).unwrap();
    let (drain, bus) = (Drain::new(), orders.stores.bus());
    let decode = {
        let (bus, stop) = (bus.clone(), drain.token());
        let options = consume::Options {
            group: groups(&orders.tag)[0].clone(),
            window: Duration::from_millis(50),
            max_records: 1_500,
            ..consume::Options::named(&orders.instance)
        };
        std::thread::spawn(move || {
            runtime()
                .block_on(consume::run(&bus, &options, &stop))
                .unwrap();
        })
    };
    runtime().block_on(async {
        let mut told =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).unwrap();
        let token = drain.token();
        let stop = async {
            told.recv().await;
            drain.begin();
        };
        tokio::join!(fold(&bus, &orders, &token), stop);
    });
    decode.join().unwrap();
}

async fn fold(bus: &Bus, orders: &Orders, stop: &DrainToken) {
    let options = FollowOptions {
        group: groups(&orders.tag)[1].clone(),
        member: Some(orders.instance.clone()),
        records: 1_500,
        every: Duration::from_millis(50),
    };
    let store = Store::new(orders.stores.database(), Limits::default());
    follow(bus, &store, &options, stop).await.unwrap();
}

fn runtime() -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap()
}

/// A running one.
pub(super) struct Counter {
    child: Child,
    /// By which its place in the group is known.
    pub(super) name: String,
}

impl Counter {
    pub(super) fn start(installation: &Installation, week: &Week, name: &str) -> Self {
        let name = format!("week-{}-{name}", week.tag);
        let orders = Orders {
            stores: Stores::of(installation),
            instance: name.clone(),
            tag: week.tag.clone(),
        };
        let mut command: Command = child("week::counter::counts_until_it_is_killed");
        command
            .env(ORDERS, serde_json::to_string(&orders).unwrap())
            .stdout(Stdio::null());
        Self {
            child: command.spawn().unwrap(),
            name,
        }
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// SIGKILL.
    pub(super) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; it has to end in order.
    pub(super) async fn stop(mut self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.unwrap(), Signal::TERM).unwrap();
        let ended = tokio::task::spawn_blocking(move || (self.child.wait().unwrap(), self));
        let (status, _) = within("the counter's end", ended).await.unwrap();
        assert!(status.success(), "{status}");
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        if self.child.kill().is_ok() {
            self.child.wait().unwrap();
        }
    }
}

/// What other tests have left in the topics counts as counted.
pub(super) async fn begin_at_the_end(bus: &Bus, database: &Database, tag: &str) {
    const STAND: Statement = Statement::new(
        "week_stand",
        "INSERT INTO fold_offsets (topic, part, next_offset) VALUES ($1, $2, $3)",
    );
    for topic in [&EVENTS, &ERRORS] {
        for ends in bus.ends(topic).await.unwrap() {
            let values = [
                topic.name.into(),
                i64::from(ends.partition).into(),
                ends.high.into(),
            ];
            database.execute(&STAND, &values).await.unwrap();
        }
    }
    let mut open = Vec::new();
    for topic in [&CALLS, &UPDATES] {
        for ends in bus.ends(topic).await.unwrap() {
            open.push((
                TopicPartition {
                    topic,
                    partition: ends.partition,
                },
                ends.high,
            ));
        }
    }
    let options = ConsumerOptions {
        isolation: Isolation::Committed,
        together: true,
        ..ConsumerOptions::default()
    };
    let member = bus
        .consumer(&groups(tag)[0], &[&CALLS, &UPDATES], options)
        .await
        .unwrap();
    while !open.is_empty() {
        let event = within("partitions", member.next()).await.unwrap().unwrap();
        if let Event::Assigned(assigned) = event {
            for given in assigned {
                member.pause(given.partition);
                if let Some(at) = open
                    .iter()
                    .position(|(partition, _)| *partition == given.partition)
                {
                    let (partition, high) = open.swap_remove(at);
                    member.commit(partition, high, "").await.unwrap();
                }
            }
        }
    }
    assert!(member.close(DEADLINE).await);
}
