//! Rows about writing.
//!
//! In: a subject. Out: panics. See `conformance.rs`.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;

use super::{DEADLINE, Subject, numbers, take, within};
use crate::message::LARGEST;
use crate::{
    Header, Message, Position, ProduceError, Producer, ProducerOptions, Refusal, Ticket,
    partition_of,
};

type Reports = Arc<Mutex<Vec<(Ticket, Result<Position, ProduceError>)>>>;

/// A producer whose reports are kept.
fn producer(subject: &Subject, options: ProducerOptions) -> (Producer, Reports) {
    let reports = Reports::default();
    let kept = Arc::clone(&reports);
    let told = move |ticket, outcome| kept.lock().unwrap().push((ticket, outcome));
    (subject.bus.producer(options, told).unwrap(), reports)
}

/// Nothing goes out before so much time has passed.
fn lingering(linger: Duration) -> ProducerOptions {
    ProducerOptions {
        linger,
        ..ProducerOptions::lossy("test")
    }
}

/// Records of a key stay in one partition, in order, and it is the partition that the key says.
pub async fn order_is_kept_and_a_key_has_one_partition(subject: &Subject) {
    let topic = subject.topic(false).await;
    let (producer, _) = producer(subject, ProducerOptions::lossy("test"));
    for number in 0..700_u32 {
        let message = Message::new(topic, format!("key-{}", number % 7), number.to_string());
        producer.offer(message, Ticket(u64::from(number))).unwrap();
    }
    assert_eq!(producer.flush(DEADLINE).await, 0);
    let records = take(&subject.read(topic).await, 700).await;
    let count = subject.bus.partitions(topic).await.unwrap();
    for record in &records {
        let key = record.key.as_ref().unwrap();
        assert_eq!(record.partition, partition_of(key, count));
        assert_eq!(
            record.partition,
            subject.bus.partition_for(topic, key).await.unwrap()
        );
    }
    for (key, read) in numbers(&records) {
        let first: u32 = key.trim_start_matches("key-").parse().unwrap();
        let written: Vec<u32> = (first..700).step_by(7).collect();
        assert_eq!(read, written, "{key}");
    }
}

/// Null, empty and binary keys, bodies and headers.
pub async fn headers_and_bodies_come_back_as_they_were(subject: &Subject) {
    let topic = subject.topic(false).await;
    let key = subject.key_in(topic, 0).await;
    let bodies = [
        None,
        Some(Bytes::new()),
        Some(Bytes::from_static(b"\0\xff\n")),
        Some(Bytes::from_static(b"{}")),
    ];
    let headers = vec![
        Header::new("gt-kind", "call"),
        Header::new("twice", "a"),
        Header::new("twice", "b"),
        Header::new("empty", ""),
        Header::new("binary", &b"\0\xff"[..]),
    ];
    for payload in &bodies {
        let message = Message {
            topic,
            key: Some(Bytes::from(key.clone())),
            headers: headers.clone(),
            payload: payload.clone(),
        };
        subject.bus.produce(message).await.unwrap();
    }
    let before = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let records = take(&subject.read(topic).await, bodies.len()).await;
    for (record, body) in records.iter().zip(&bodies) {
        assert_eq!(record.key.as_ref().unwrap(), key.as_bytes());
        assert_eq!(&record.payload, body);
        assert_eq!(record.headers, headers);
        assert_eq!(record.header("twice").unwrap(), "a");
        let age = i64::try_from(before.as_millis()).unwrap() - record.timestamp;
        assert!((-60_000..600_000).contains(&age), "{age} ms old");
    }
    // A record without a key goes somewhere.
    let keyless = Message {
        key: None,
        ..Message::new(topic, "", "keyless")
    };
    subject.bus.produce(keyless).await.unwrap();
    let records = take(&subject.read(topic).await, bodies.len() + 1).await;
    let keyless: Vec<_> = records
        .iter()
        .filter(|record| record.key.is_none())
        .collect();
    assert_eq!(keyless.len(), 1);
    assert_eq!(keyless[0].payload.as_deref(), Some(&b"keyless"[..]));
}

/// The bound is the same on both engines.
pub async fn a_large_record_passes_and_a_larger_one_is_refused(subject: &Subject) {
    let topic = subject.topic(false).await;
    let body: Vec<u8> = (0..LARGEST - 3).map(|at| (at % 251) as u8).collect();
    let message = Message::new(topic, "key", body.clone());
    assert_eq!(message.size(), LARGEST);
    subject.bus.produce(message).await.unwrap();
    let larger = Message::new(topic, "key", [body.clone(), vec![0]].concat());
    let refused = subject.bus.produce(larger.clone()).await.unwrap_err();
    assert_eq!(refused, ProduceError::TooLarge);
    let (producer, reports) = producer(subject, ProducerOptions::lossy("test"));
    let refused = producer.offer(larger.clone(), Ticket(1)).unwrap_err();
    assert_eq!(
        (refused.reason, refused.message),
        (Refusal::TooLarge, larger)
    );
    let records = take(&subject.read(topic).await, 1).await;
    assert_eq!(records[0].payload.as_ref().unwrap(), &body);
    assert_eq!(producer.health().accepted, 0);
    assert!(reports.lock().unwrap().is_empty());
}

/// Tickets come back once each, in order within a partition, with rising offsets.
pub async fn every_accepted_offer_is_reported_once_and_in_order(subject: &Subject) {
    let topic = subject.topic(false).await;
    let (producer, reports) = producer(subject, ProducerOptions::lossy("test"));
    within("warm", producer.warm(DEADLINE)).await.unwrap();
    for number in 0..3_000_u64 {
        let message = Message::new(topic, format!("key-{}", number % 11), number.to_string());
        producer.offer(message, Ticket(number)).unwrap();
    }
    assert_eq!(producer.flush(DEADLINE).await, 0);
    let reports = reports.lock().unwrap().clone();
    let mut tickets: Vec<u64> = reports.iter().map(|(ticket, _)| ticket.0).collect();
    for partition in 0..subject.bus.partitions(topic).await.unwrap() {
        let here = reports.iter().filter_map(|(ticket, outcome)| {
            let position = outcome.as_ref().unwrap();
            (position.partition == partition).then_some((ticket.0, position.offset.unwrap()))
        });
        let here: Vec<_> = here.collect();
        assert!(here.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1), "{here:?}");
    }
    tickets.sort_unstable();
    assert_eq!(tickets, (0..3_000).collect::<Vec<_>>());
    let health = producer.health();
    assert_eq!(
        (health.accepted, health.delivered, health.failed),
        (3_000, 3_000, 0)
    );
    assert_eq!(
        (health.waiting, health.waiting_bytes, health.oldest_waiting),
        (0, 0, None)
    );
    assert!(health.last_ack.is_some() && health.reachable && health.broken.is_none());
}

/// By number and by bytes; what was refused is never reported.
pub async fn a_full_queue_refuses_and_gives_the_message_back(subject: &Subject) {
    let topic = subject.topic(false).await;
    let options = ProducerOptions {
        max_records: 5,
        max_bytes: 1_000,
        ..lingering(Duration::from_secs(2))
    };
    let (producer, reports) = producer(subject, options);
    let message = |size: usize| Message::new(topic, "key", vec![7; size]);
    for ticket in 0..5 {
        producer.offer(message(10), Ticket(ticket)).unwrap();
    }
    let refused = producer.offer(message(11), Ticket(5)).unwrap_err();
    assert_eq!(
        (refused.reason, refused.message),
        (Refusal::Full, message(11))
    );
    assert_eq!(producer.health().waiting, 5);
    assert_eq!(producer.flush(DEADLINE).await, 0);
    producer.offer(message(900), Ticket(6)).unwrap();
    let refused = producer.offer(message(98), Ticket(7)).unwrap_err();
    assert_eq!(refused.reason, Refusal::Full);
    assert_eq!(producer.flush(DEADLINE).await, 0);
    let tickets: Vec<u64> = reports
        .lock()
        .unwrap()
        .iter()
        .map(|(ticket, _)| ticket.0)
        .collect();
    assert_eq!(tickets, [0, 1, 2, 3, 4, 6]);
}

/// Each ticket comes back purged, nothing is written, and the producer works on.
pub async fn purge_gives_back_what_waits(subject: &Subject) {
    let topic = subject.topic(false).await;
    let (producer, reports) = producer(subject, lingering(Duration::from_secs(2)));
    within("warm", producer.warm(DEADLINE)).await.unwrap();
    for ticket in 0..100 {
        producer
            .offer(Message::new(topic, "key", "purged"), Ticket(ticket))
            .unwrap();
    }
    producer.purge();
    assert_eq!(producer.flush(DEADLINE).await, 0);
    let mut given_back: Vec<_> = std::mem::take(&mut *reports.lock().unwrap());
    given_back.sort_unstable_by_key(|(ticket, _)| *ticket);
    let purged = Err(ProduceError::Purged { sent: false });
    assert_eq!(given_back.len(), 100);
    for (expected, report) in (0..).zip(given_back) {
        assert_eq!(report, (Ticket(expected), purged.clone()));
    }
    producer
        .offer(Message::new(topic, "key", "kept"), Ticket(100))
        .unwrap();
    assert_eq!(producer.flush(DEADLINE).await, 0);
    assert!(reports.lock().unwrap()[0].1.is_ok());
    let records = take(&subject.read(topic).await, 1).await;
    assert_eq!(records[0].payload.as_deref(), Some(&b"kept"[..]));
}

/// Its callback hears of every record, the last time.
pub async fn a_dropped_producer_gives_back_what_waits(subject: &Subject) {
    let topic = subject.topic(false).await;
    let (told, reports) = channel();
    let report = move |ticket: Ticket, outcome: Result<_, _>| told.send((ticket, outcome)).unwrap();
    let producer = subject
        .bus
        .producer(lingering(Duration::from_secs(2)), report)
        .unwrap();
    let clone = producer.clone();
    for ticket in 0..10 {
        producer
            .offer(Message::new(topic, "key", "gone"), Ticket(ticket))
            .unwrap();
    }
    drop(producer);
    assert_eq!(clone.health().waiting, 10);
    drop(clone);
    let mut given_back: Vec<_> = (0..10)
        .map(|_| reports.recv_timeout(DEADLINE).unwrap())
        .collect();
    given_back.sort_unstable_by_key(|(ticket, _)| *ticket);
    for (expected, report) in (0..).zip(given_back) {
        assert_eq!(
            report,
            (Ticket(expected), Err(ProduceError::Purged { sent: false }))
        );
    }
}

/// It loses its own report and nothing else.
pub async fn a_callback_that_panics_costs_one_report(subject: &Subject) {
    let topic = subject.topic(false).await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&told);
    let report = move |Ticket(ticket), _: Result<_, _>| {
        assert!(ticket != 3, "on purpose");
        kept.lock().unwrap().push(ticket);
    };
    let producer = subject
        .bus
        .producer(ProducerOptions::lossy("test"), report)
        .unwrap();
    for ticket in 0..6 {
        producer
            .offer(Message::new(topic, "key", "x"), Ticket(ticket))
            .unwrap();
    }
    assert_eq!(producer.flush(DEADLINE).await, 0);
    assert_eq!(*told.lock().unwrap(), [0, 1, 2, 4, 5]);
    assert_eq!(producer.health().delivered, 6);
}
