//! A broker that dies and one that freezes, while records are offered.
//!
//! In: the tests' Kafka, alone. Out: pass or fail.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gramtap_bus::config::Property;
use gramtap_bus::conformance::{DEADLINE, Subject, numbers, take, within};
use gramtap_bus::{
    Bus, ConsumerOptions, Event, Message, Producer, ProducerOptions, Ticket, TopicPartition,
};
use gramtap_events::Topic;

use super::{broker, config, tag};

/// Records that are offered in each test, under [`KEYS`] keys.
const RECORDS: u32 = 5_000;
const KEYS: u32 = 8;

type Told = Arc<Mutex<Vec<u64>>>;

/// A bus whose requests are given up soon, so that they are sent again.
fn subject() -> Subject {
    let mut config = config();
    let impatient = ["socket.timeout.ms=3000", "request.timeout.ms=3000"];
    config.kafka.properties = impatient
        .map(|text| Property::try_from(text.to_owned()).unwrap())
        .to_vec();
    Subject {
        bus: Bus::open(&config).unwrap(),
        tag: tag(),
    }
}

fn producer(subject: &Subject) -> (Producer, Told) {
    let told = Told::default();
    let kept = Arc::clone(&told);
    let report = move |Ticket(ticket), outcome: Result<_, _>| {
        outcome.unwrap();
        kept.lock().unwrap().push(ticket);
    };
    let options = ProducerOptions {
        linger: Duration::from_millis(5),
        ..ProducerOptions::lossy("test")
    };
    (subject.bus.producer(options, report).unwrap(), told)
}

async fn offer(producer: &Producer, topic: &'static Topic, tickets: std::ops::Range<u32>) {
    for number in tickets {
        let message = Message::new(topic, format!("key-{}", number % KEYS), number.to_string());
        producer.offer(message, Ticket(u64::from(number))).unwrap();
        if number % 10 == 0 {
            // paced: an outage lasts, and offers trickle in while it does; nothing waits for this to be over.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// Each record once, in order, and each reported once.
async fn check(subject: &Subject, topic: &'static Topic, told: &Told) {
    let mut told = told.lock().unwrap().clone();
    told.sort_unstable();
    assert!(
        told.into_iter().eq(0..u64::from(RECORDS)),
        "reports are missing or doubled"
    );
    let reader = subject.read(topic).await;
    let records = take(&reader, RECORDS as usize).await;
    for (key, read) in numbers(&records) {
        let first: u32 = key.trim_start_matches("key-").parse().unwrap();
        let written: Vec<u32> = (first..RECORDS).step_by(KEYS as usize).collect();
        assert_eq!(read, written, "{key}: lost, doubled or out of order");
    }
    let ends = subject.bus.ends(topic).await.unwrap();
    let all: i64 = ends.iter().map(|end| end.high).sum();
    assert_eq!(all, i64::from(RECORDS), "more records than were offered");
}

#[tokio::test]
async fn nothing_is_lost_doubled_or_reordered_when_the_broker_dies() {
    let mut broker = broker::alone().await;
    let subject = subject();
    let topic = subject.topic(false).await;
    let other = subject.topic(false).await;
    let (producer, told) = producer(&subject);
    within("warm", producer.warm(DEADLINE)).await.unwrap();
    let group = subject.name();
    let consumer = subject
        .bus
        .consumer(&group, &[topic], ConsumerOptions::default())
        .await
        .unwrap();

    offer(&producer, topic, 0..RECORDS / 3).await;
    if !broker.kill().await {
        return;
    }
    offer(&producer, topic, RECORDS / 3..RECORDS).await;
    let started = Instant::now();
    while producer.health().reachable {
        assert!(started.elapsed() < DEADLINE, "the outage is not told");
        // paced: a producer's health has to be asked for, it wakes nobody.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let health = producer.health();
    assert!(health.waiting >= u64::from(RECORDS / 2), "{health:?}");
    assert!(
        health.oldest_waiting.is_some() && health.broken.is_none(),
        "{health:?}"
    );
    // The durable lane waits as well.
    let durable = async {
        // On a slow machine the broker may take longer to come back than one record waits.
        loop {
            match subject
                .bus
                .produce(Message::new(other, "key", "durable"))
                .await
            {
                Ok(_) => break,
                Err(error) => assert!(error.retry(), "{error}"),
            }
        }
    };
    let back = async {
        // paced: the outage lasts long enough for connections to be given up and dialled again.
        tokio::time::sleep(Duration::from_secs(3)).await;
        broker.bring_back().await;
    };
    tokio::join!(durable, back);
    assert_eq!(producer.flush(DEADLINE).await, 0);
    check(&subject, topic, &told).await;

    // The group's member was there before the outage and goes on after it.
    let mut seen = 0;
    while seen < RECORDS {
        match within("a record", consumer.next()).await.unwrap() {
            Ok(Event::Record(record)) => {
                seen += 1;
                if seen == RECORDS {
                    let partition = TopicPartition {
                        topic,
                        partition: record.partition,
                    };
                    consumer
                        .commit(partition, record.offset + 1, "")
                        .await
                        .unwrap();
                }
            }
            Ok(_) => {}
            Err(error) => assert!(error.retry(), "{error}"),
        }
    }
}

#[tokio::test]
async fn nothing_is_lost_doubled_or_reordered_when_the_broker_freezes() {
    let mut broker = broker::alone().await;
    let subject = subject();
    let topic = subject.topic(false).await;
    let (producer, told) = producer(&subject);
    within("warm", producer.warm(DEADLINE)).await.unwrap();
    offer(&producer, topic, 0..RECORDS / 3).await;
    if !broker.pause().await {
        return;
    }
    offer(&producer, topic, RECORDS / 3..RECORDS).await;
    // Long enough for requests to be given up and sent again.
    // paced: an outage lasts, and offers trickle in while it does; nothing waits for this to be over.
    tokio::time::sleep(Duration::from_secs(8)).await;
    let health = producer.health();
    assert!(
        health.oldest_waiting.unwrap() > Duration::from_secs(6),
        "{health:?}"
    );
    broker.bring_back().await;
    assert_eq!(producer.flush(DEADLINE).await, 0);
    check(&subject, topic, &told).await;
}
