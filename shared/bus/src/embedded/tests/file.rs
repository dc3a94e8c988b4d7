//! The log's file: restarts, other processes, other versions, a disk that refuses.
//!
//! In: logs in directories of their own. Out: pass or fail.

use std::sync::mpsc::channel;
use std::time::Instant;

use rusqlite::Connection;

use super::*;
use crate::conformance::{DEADLINE, number, take, topic_of, within};
use crate::{
    BusError, ConsumeError, ConsumerOptions, Event, Isolation, Message, Offset, ProduceError,
    ProducerOptions, Skipped, Ticket, TopicPartition, TransactionError,
};

fn open(directory: &tempfile::TempDir) -> Bus {
    Bus::open(&embedded(directory.path())).unwrap()
}

#[tokio::test]
async fn a_restart_keeps_records_offsets_and_commits() {
    let directory = tempfile::tempdir().unwrap();
    let (first, second) = (
        topic_of("gramtap.test-first.v1", false),
        topic_of("gramtap.test-second.v1", false),
    );
    for round in 0..3 {
        let bus = open(&directory);
        let message = |topic| Message::new(topic, "key", round.to_string());
        let positions = [
            bus.produce(message(first)).await.unwrap(),
            bus.produce(message(second)).await.unwrap(),
        ];
        assert!(
            positions.iter().all(|it| it.offset == Some(round)),
            "{positions:?}"
        );
        let here = TopicPartition {
            topic: second,
            partition: positions[1].partition,
        };
        let consumer = bus
            .consumer("group", &[second], ConsumerOptions::default())
            .await
            .unwrap();
        let Event::Assigned(assigned) = within("assigned", consumer.next()).await.unwrap().unwrap()
        else {
            panic!("not assigned");
        };
        let committed = assigned
            .into_iter()
            .find(|it| it.partition == here)
            .unwrap()
            .committed;
        assert_eq!(committed.map(|it| it.offset), (round > 0).then_some(round));
        let Event::Record(record) = within("record", consumer.next()).await.unwrap().unwrap()
        else {
            panic!("no record");
        };
        assert_eq!((record.topic, record.offset), (second, round));
        consumer.commit(here, round + 1, "").await.unwrap();
    }
}

#[tokio::test]
async fn a_second_process_is_refused_but_may_look_on() {
    let directory = tempfile::tempdir().unwrap();
    let topic = topic_of("gramtap.test-watched.v1", false);
    let refused = Bus::observe(&embedded(directory.path())).err().unwrap();
    assert!(matches!(refused, BusError::Storage { .. }), "{refused}");
    let bus = open(&directory);
    bus.produce(Message::new(topic, "key", "0")).await.unwrap();

    let refused = Bus::open(&embedded(directory.path())).err().unwrap();
    assert!(
        matches!(&refused, BusError::InUse(path) if *path == directory.path().join("log.db")),
        "{refused}"
    );

    let looking = Bus::observe(&embedded(directory.path())).unwrap();
    let partition = looking.partition_for(topic, b"key").await.unwrap();
    let tail = looking.tail(topic, partition).await.unwrap();
    let from = vec![(TopicPartition { topic, partition }, Offset::Beginning)];
    let all = looking.assign(from, Isolation::Committed).await.unwrap();
    for written in 1..4 {
        bus.produce(Message::new(topic, "key", written.to_string()))
            .await
            .unwrap();
    }
    let read: Vec<u32> = take(&tail, 3).await.iter().map(number).collect();
    assert_eq!(read, [1, 2, 3]);
    let read: Vec<u32> = take(&all, 4).await.iter().map(number).collect();
    assert_eq!(read, [0, 1, 2, 3]);
    let ends = looking.ends(topic).await.unwrap();
    assert_eq!(
        ends.iter()
            .find(|end| end.partition == partition)
            .unwrap()
            .high,
        4
    );
    // Topics that have no record yet when the look begins, and get them in another order.
    let late = ["gramtap.test-late.v1", "gramtap.test-later.v1"].map(|name| topic_of(name, false));
    let partition = looking.partition_for(late[0], b"key").await.unwrap();
    let mut tails = Vec::new();
    for topic in late {
        tails.push(looking.tail(topic, partition).await.unwrap());
    }
    for (topic, tail) in late.iter().zip(&tails).rev() {
        for written in [7, 8] {
            let message = Message::new(topic, "key", written.to_string());
            bus.produce(message).await.unwrap();
        }
        let read = take(tail, 2).await;
        assert!(read.iter().all(|it| it.topic == *topic), "{read:?}");
        assert_eq!(read.iter().map(number).collect::<Vec<_>>(), [7, 8]);
    }

    let produced = looking.produce(Message::new(topic, "key", "x")).await;
    assert_eq!(produced, Err(ProduceError::ReadOnly));
    let producer = looking.producer(ProducerOptions::lossy("test"), |_, _| {});
    assert!(matches!(producer.err(), Some(BusError::ReadOnly)));
    let consumer = looking
        .consumer("group", &[topic], ConsumerOptions::default())
        .await;
    assert_eq!(consumer.err(), Some(ConsumeError::ReadOnly));
    let transactor = looking.transactor("id").await;
    assert!(matches!(transactor.err(), Some(TransactionError::Fatal(_))));
}

#[tokio::test]
async fn a_restart_may_overlap_with_the_end_of_the_last_process() {
    let directory = tempfile::tempdir().unwrap();
    let bus = open(&directory);
    let held = crate::thread::ask("test-holder", move || {
        // paced: the overlap of two processes is what is tried.
        std::thread::sleep(Duration::from_millis(300));
        drop(bus);
    });
    let directory = directory.path().to_owned();
    let opened = crate::thread::ask("test-opener", move || {
        Bus::open(&embedded(&directory)).map(drop)
    });
    let (held, opened) = tokio::join!(held, opened);
    held.unwrap();
    opened.unwrap().unwrap();
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(&directory));
    let file = Connection::open(directory.path().join("log.db")).unwrap();
    file.pragma_update(None, "user_version", 99).unwrap();
    for refused in [
        Bus::open(&embedded(directory.path())),
        Bus::observe(&embedded(directory.path())),
    ] {
        let refused = refused.err().unwrap();
        assert!(
            matches!(refused, BusError::Format { found: 99, .. }),
            "{refused}"
        );
    }
    // And one that is no database at all.
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("log.db"), vec![b'x'; 5_000]).unwrap();
    let refused = Bus::open(&embedded(directory.path())).err().unwrap();
    assert!(matches!(refused, BusError::Storage { .. }), "{refused}");
}

#[tokio::test]
async fn an_offset_outside_the_partition_is_moved_to_its_end_and_told() {
    let directory = tempfile::tempdir().unwrap();
    let (bus, topic) = (open(&directory), topic_of("gramtap.test-outside.v1", false));
    let position = bus.produce(Message::new(topic, "key", "0")).await.unwrap();
    let partition = TopicPartition {
        topic,
        partition: position.partition,
    };
    let reader = bus
        .assign(vec![(partition, Offset::At(1_000))], Isolation::Committed)
        .await
        .unwrap();
    let Event::Skipped(skipped) = within("skipped", reader.next()).await.unwrap().unwrap() else {
        panic!("not told");
    };
    let (from, to) = (1_000, 1);
    assert_eq!(
        skipped,
        Skipped {
            partition,
            from,
            to
        }
    );
    bus.produce(Message::new(topic, "key", "1")).await.unwrap();
    assert_eq!(number(&take(&reader, 1).await[0]), 1);
}

/// Another process holds the file: what cannot be written waits, in order; what may not wait so
/// long is given back; what asks is told.
#[tokio::test]
async fn a_disk_that_refuses_keeps_records_waiting_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let (bus, topic) = (open(&directory), topic_of("gramtap.test-refused.v1", false));
    let (told, reports) = channel();
    let report = move |Ticket(ticket), outcome: Result<_, _>| told.send((ticket, outcome)).unwrap();
    let options = ProducerOptions {
        max_records: 50,
        ..ProducerOptions::lossy("test")
    };
    let patient = bus.producer(options.clone(), report.clone()).unwrap();
    let hasty = ProducerOptions {
        expiry: Some(Duration::from_millis(500)),
        ..options
    };
    let hasty = bus.producer(hasty, report).unwrap();
    let message = |number: u64| Message::new(topic, "key", number.to_string());
    patient.offer(message(0), Ticket(0)).unwrap();
    assert_eq!(patient.flush(DEADLINE).await, 0);
    assert!(reports.recv().unwrap().1.is_ok());

    let holder = Connection::open(directory.path().join("log.db")).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    for ticket in 1..=50 {
        patient.offer(message(ticket), Ticket(ticket)).unwrap();
    }
    assert!(patient.offer(message(51), Ticket(51)).is_err());
    hasty.offer(message(100), Ticket(100)).unwrap();
    let (ticket, outcome) = reports.recv_timeout(DEADLINE).unwrap();
    assert_eq!(
        (ticket, outcome),
        (100, Err(ProduceError::Expired { sent: false }))
    );
    let started = Instant::now();
    while patient.health().reachable {
        assert!(
            started.elapsed() < DEADLINE,
            "the disk's refusal is not told"
        );
        // paced: the overlap of two processes is what is tried.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(patient.health().waiting, 50);
    assert!(matches!(
        bus.transactor("id").await.err(),
        Some(TransactionError::Unreachable(_))
    ));

    holder.execute_batch("COMMIT").unwrap();
    assert_eq!(patient.flush(DEADLINE).await, 0);
    for expected in 1..=50 {
        let (ticket, outcome) = reports.recv_timeout(DEADLINE).unwrap();
        assert_eq!(ticket, expected);
        assert_eq!(
            outcome.unwrap().offset,
            Some(i64::try_from(expected).unwrap())
        );
    }
    assert!(patient.health().reachable);
}
