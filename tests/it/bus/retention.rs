//! Records of Kafka that are gone before they were read.
//!
//! In: the tests' Kafka, whose oldest records are deleted by hand. Out: pass or fail.

use gramtap_bus::conformance::{DEADLINE, kafka, number, take, within};
use gramtap_bus::{ConsumerOptions, Event, Isolation, Offset, Skipped, TopicPartition};

use super::subject;

#[tokio::test]
async fn a_reader_is_told_what_it_missed() {
    let (subject, _shared) = subject().await;
    let (topic, bus) = (subject.topic(false).await, &subject.bus);
    let key = subject.key_in(topic, 1).await;
    let partition = TopicPartition {
        topic,
        partition: 1,
    };
    subject.write(topic, &key, 0..20).await;
    kafka::trim(bus, partition, 12).await;
    let ends = bus.ends(topic).await.unwrap();
    assert_eq!((ends[1].low, ends[1].high), (12, 20));

    for from in [Offset::At(5), Offset::At(500)] {
        let reader = bus
            .assign(vec![(partition, from)], Isolation::Committed)
            .await
            .unwrap();
        let Some(Ok(Event::Skipped(skipped))) = within("skipped", reader.next()).await else {
            panic!("not told");
        };
        let (from, to) = if from == Offset::At(5) {
            (5, 12)
        } else {
            (500, 20)
        };
        assert_eq!(
            skipped,
            Skipped {
                partition,
                from,
                to
            }
        );
        if to == 12 {
            assert_eq!(number(&take(&reader, 1).await[0]), 12);
        }
    }
    let reader = bus
        .assign(vec![(partition, Offset::Beginning)], Isolation::Committed)
        .await
        .unwrap();
    assert_eq!(number(&take(&reader, 1).await[0]), 12);
}

#[tokio::test]
async fn a_group_is_told_what_it_missed_and_goes_on() {
    let (subject, _shared) = subject().await;
    let (topic, group, bus) = (subject.topic(false).await, subject.name(), &subject.bus);
    let key = subject.key_in(topic, 1).await;
    let partition = TopicPartition {
        topic,
        partition: 1,
    };
    subject.write(topic, &key, 0..20).await;
    let join = || {
        bus.consumer(
            &group,
            std::slice::from_ref(&topic),
            ConsumerOptions::default(),
        )
    };
    let consumer = join().await.unwrap();
    let next = async |consumer: &gramtap_bus::Consumer| {
        within("an event", consumer.next()).await.unwrap().unwrap()
    };
    while !matches!(next(&consumer).await, Event::Record(record) if record.offset == 4) {}
    consumer.commit(partition, 5, "").await.unwrap();
    assert!(consumer.close(DEADLINE).await);

    kafka::trim(bus, partition, 12).await;
    let consumer = join().await.unwrap();
    let skipped = loop {
        match next(&consumer).await {
            Event::Skipped(skipped) => break skipped,
            Event::Assigned(_) => {}
            other => panic!("{other:?}"),
        }
    };
    let (from, to) = (5, 12);
    assert_eq!(
        skipped,
        Skipped {
            partition,
            from,
            to
        }
    );
    for expected in 12..20 {
        match next(&consumer).await {
            Event::Record(record) => assert_eq!(number(&record), expected),
            other => panic!("{other:?}"),
        }
    }
    // A new group begins at the oldest record that is there; nothing counts as missed.
    let fresh = bus
        .consumer(&subject.name(), &[topic], ConsumerOptions::default())
        .await
        .unwrap();
    loop {
        match next(&fresh).await {
            Event::Record(record) => break assert_eq!(number(&record), 12),
            Event::Assigned(_) => {}
            other => panic!("{other:?}"),
        }
    }
}
