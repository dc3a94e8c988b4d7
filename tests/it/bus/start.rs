//! What is said when Kafka is away or misconfigured.
//!
//! In: addresses where nothing listens. Out: pass or fail.

use std::time::{Duration, Instant};

use gramtap_bus::config::Property;
use gramtap_bus::conformance::{DEADLINE, topic_of};
use gramtap_bus::{
    Bus, BusConfig, BusError, ConsumeError, Message, ProducerOptions, Ticket, TransactionError,
    topics,
};

use super::config;

fn away() -> BusConfig {
    // A port of our own that is closed again.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let brokers = listener.local_addr().unwrap().to_string();
    BusConfig {
        kafka: gramtap_bus::KafkaSection {
            brokers,
            ..config().kafka
        },
        ..config()
    }
}

#[tokio::test]
async fn a_service_starts_while_kafka_is_away() {
    let topic = topic_of("gramtap.test-away.v1", false);
    let bus = Bus::connect(&away()).await.unwrap();
    let unreachable = topics::check(&bus, &[topic], Duration::from_secs(1)).await;
    assert!(
        matches!(unreachable, Err(BusError::Unreachable(_))),
        "{unreachable:?}"
    );
    let (told, reports) = std::sync::mpsc::channel();
    let report = move |Ticket(ticket), outcome: Result<_, _>| told.send((ticket, outcome)).unwrap();
    let producer = bus
        .producer(ProducerOptions::lossy("test"), report)
        .unwrap();
    let started = Instant::now();
    for ticket in 0..1_000 {
        producer
            .offer(Message::new(topic, "key", "x"), Ticket(ticket))
            .unwrap();
    }
    // Far less than any wait for a broker would be.
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
    assert!(!producer.health().reachable);
    assert_eq!(producer.flush(Duration::from_millis(300)).await, 1_000);
    assert!(producer.health().oldest_waiting.unwrap() >= Duration::from_millis(200));
    let warm = producer.warm(Duration::from_secs(1)).await;
    assert!(matches!(warm, Err(BusError::Unreachable(_))), "{warm:?}");
    drop(producer);
    let mut given_back: Vec<_> = (0..1_000)
        .map(|_| reports.recv_timeout(DEADLINE).unwrap())
        .collect();
    given_back.sort_unstable_by_key(|(ticket, _)| *ticket);
    assert!(given_back.iter().all(|(_, outcome)| outcome.is_err()));
    assert!(given_back.iter().map(|(ticket, _)| *ticket).eq(0..1_000));
}

#[tokio::test]
async fn whoever_has_to_wait_is_told_that_no_broker_answers() {
    let topic = topic_of("gramtap.test-away.v1", false);
    let bus = Bus::open(&away()).unwrap();
    // Beside each other: each of them waits for some time.
    let (ends, tail, transactor) =
        tokio::join!(bus.ends(topic), bus.tail(topic, 0), bus.transactor("id"));
    assert!(
        matches!(ends, Err(ConsumeError::Unreachable(_))),
        "{ends:?}"
    );
    assert!(matches!(tail.err(), Some(ConsumeError::Unreachable(_))));
    assert!(matches!(
        transactor.err(),
        Some(TransactionError::Unreachable(_))
    ));
}

#[tokio::test]
async fn settings_that_are_not_accepted_are_named_without_their_values() {
    for (text, key) in [
        ("no.such.setting=hunter2", "no.such.setting"),
        ("socket.timeout.ms=hunter2", "socket.timeout.ms"),
        ("enable.idempotence=hunter2", "enable.idempotence"),
    ] {
        let mut config = config();
        config.kafka.properties = vec![Property::try_from(text.to_owned()).unwrap()];
        let refused = Bus::open(&config).err().unwrap();
        let text = format!("{refused} {refused:?}");
        assert!(
            matches!(&refused, BusError::Setting { key: named, .. } if named == key),
            "{text}"
        );
        assert!(!text.contains("hunter2"), "{text}");
    }
}
