//! The process that counts, to be killed: `gramtap-analytics`, or `gramtap up` with all in one.
//!
//! In: an installation. Out: events.v1, errors.v1 and sums. Invariant: a death is SIGKILL; an end is SIGTERM and has to be in
//! order. Batches wait for little company, so that there are many to die in.

use gramtap_bus::{Bus, ConsumerOptions, Event, TopicPartition};
use gramtap_database::{Database, Statement};
use gramtap_events::topics::{CALLS, ERRORS, EVENTS, UPDATES};
use gramtap_tests::{DEADLINE, Installation, Service, Stores, within};

/// The group that decodes.
const GROUP: &str = "gramtap-decode";
const WINDOW: (&str, &str) = ("GRAMTAP_ANALYTICS__DECODE_WINDOW", "20ms");

/// A running one.
pub(super) struct Counter {
    service: Service,
    /// By which its places in the groups are known.
    pub(super) name: String,
}

impl Counter {
    /// Starts it. It is not waited for: what it does shows in the topics.
    pub(super) fn start(installation: &Installation, stores: Stores, name: &str) -> Self {
        let instance = ("GRAMTAP_ANALYTICS__INSTANCE", name);
        let service = match stores {
            Stores::Servers => {
                let command = ["gramtap-analytics"];
                Service::spawn(installation, &command, name, &[WINDOW, instance])
            }
            Stores::Embedded => {
                let data = installation.data_dir("ingress");
                let own = [
                    WINDOW,
                    instance,
                    ("GRAMTAP_DATA_DIR", data.to_str().unwrap()),
                    ("GRAMTAP_INGRESS__LISTEN", "127.0.0.1:0"),
                ];
                Service::spawn(installation, &["gramtap", "up"], name, &own)
            }
        };
        let name = name.to_owned();
        Self { service, name }
    }

    /// It runs.
    pub(super) fn runs(&mut self) {
        if let Some(status) = self.service.has_ended() {
            panic!(
                "{} ended with {status}: {}",
                self.name,
                self.service.words()
            );
        }
    }

    /// SIGKILL.
    pub(super) async fn kill(self) {
        self.service.kill().await;
    }

    /// SIGTERM; it has to end in order.
    pub(super) async fn stop(self) {
        self.service.stop().await;
    }
}

/// What other tests have left in the topics counts as counted.
pub(super) async fn begin_at_the_end(bus: &Bus, database: &Database) {
    const STAND: Statement = Statement::new(
        "week_stand",
        "INSERT INTO fold_offsets (topic, part, next_offset) VALUES ($1, $2, $3)",
    );
    for topic in [&EVENTS, &ERRORS] {
        for ends in bus.ends(topic).await.unwrap() {
            let part = i64::from(ends.partition);
            let values = [topic.name.into(), part.into(), ends.high.into()];
            database.execute(&STAND, &values).await.unwrap();
        }
    }
    let mut open = Vec::new();
    for topic in [&CALLS, &UPDATES] {
        for ends in bus.ends(topic).await.unwrap() {
            let partition = ends.partition;
            open.push((TopicPartition { topic, partition }, ends.high));
        }
    }
    let options = ConsumerOptions {
        together: true,
        ..ConsumerOptions::default()
    };
    let topics = [&CALLS, &UPDATES];
    let member = bus.consumer(GROUP, &topics, options).await.unwrap();
    while !open.is_empty() {
        let event = within("partitions", member.next()).await.unwrap().unwrap();
        let Event::Assigned(assigned) = event else {
            continue;
        };
        for given in assigned {
            member.pause(given.partition);
            if let Some(at) = open.iter().position(|(it, _)| *it == given.partition) {
                let (partition, high) = open.swap_remove(at);
                member.commit(partition, high, "").await.unwrap();
            }
        }
    }
    assert!(member.close(DEADLINE).await);
}
