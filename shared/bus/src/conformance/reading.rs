//! Rows about reading without a group.
//!
//! In: a subject. Out: panics. See `conformance.rs`.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{Subject, assert_silent, number, take};
use crate::{Isolation, Message, Offset, TopicPartition};

/// From the middle, from the end of one and the beginning of another partition; on into records
/// that are written later.
pub async fn reading_begins_at_the_offset_that_was_given(subject: &Subject) {
    let topic = subject.topic(false).await;
    let (zero, one) = (
        subject.key_in(topic, 0).await,
        subject.key_in(topic, 1).await,
    );
    subject.write(topic, &zero, 0..20).await;
    subject.write(topic, &one, 100..110).await;
    let at = |partition| TopicPartition { topic, partition };
    let from = vec![(at(0), Offset::At(15)), (at(1), Offset::End)];
    let reader = subject
        .bus
        .assign(from, Isolation::Committed)
        .await
        .unwrap();
    let read: Vec<u32> = take(&reader, 5).await.iter().map(number).collect();
    assert_eq!(read, [15, 16, 17, 18, 19]);
    assert_silent(&reader).await;
    subject.write(topic, &one, 110..112).await;
    let records = take(&reader, 2).await;
    let read: Vec<_> = records
        .iter()
        .map(|it| (it.partition, it.offset, number(it)))
        .collect();
    assert_eq!(read, [(1, 10, 110), (1, 11, 111)]);
}

/// What was there before is not read, what is written after `tail` has returned all is.
pub async fn a_tail_sees_what_comes_after_it(subject: &Subject) {
    let topic = subject.topic(false).await;
    let key = subject.key_in(topic, 2).await;
    let other = subject.key_in(topic, 3).await;
    subject.write(topic, &key, 0..5).await;
    let tail = subject.bus.tail(topic, 2).await.unwrap();
    subject.write(topic, &other, 50..55).await;
    subject.write(topic, &key, 5..10).await;
    let read: Vec<u32> = take(&tail, 5).await.iter().map(number).collect();
    assert_eq!(read, [5, 6, 7, 8, 9]);
    // Of a partition that has never been written to.
    let fresh = subject.bus.tail(topic, 1).await.unwrap();
    let key = subject.key_in(topic, 1).await;
    subject.write(topic, &key, 0..1).await;
    assert_eq!(number(&take(&fresh, 1).await[0]), 0);
    assert!(subject.bus.tail(topic, 99).await.is_err());
}

/// Low and high of every partition.
pub async fn ends_move_with_what_is_written(subject: &Subject) {
    let topic = subject.topic(false).await;
    let highs = async || {
        let ends = subject.bus.ends(topic).await.unwrap();
        assert!(ends.iter().all(|end| end.low == 0));
        ends.into_iter()
            .map(|end| (end.partition, end.high))
            .collect::<BTreeMap<_, _>>()
    };
    let count = subject.bus.partitions(topic).await.unwrap();
    assert_eq!(
        highs().await,
        (0..count).map(|partition| (partition, 0)).collect()
    );
    subject
        .write(topic, &subject.key_in(topic, 1).await, 0..7)
        .await;
    let mut expected: BTreeMap<_, _> = (0..count).map(|partition| (partition, 0)).collect();
    expected.insert(1, 7);
    assert_eq!(highs().await, expected);
}

/// Older records of a key may or may not be gone; the last one is there, tombstones as well.
pub async fn a_compacted_topic_tells_the_last_of_each_key(subject: &Subject) {
    let topic = subject.topic(true).await;
    let count = subject.bus.partitions(topic).await.unwrap();
    for round in 0..5_u32 {
        for key in 0..6_u32 {
            let gone = round == 4 && key == 3;
            let message = Message {
                payload: (!gone).then(|| Bytes::from(format!("{round}"))),
                ..Message::new(topic, format!("key-{key}"), "")
            };
            subject.bus.produce(message).await.unwrap();
        }
    }
    let end = TopicPartition {
        topic,
        partition: crate::partition_of(b"key-5", count),
    };
    let reader = subject.read(topic).await;
    let mut last = BTreeMap::new();
    // The last record of each partition is read for certain: its offset tells when to stop.
    let ends = subject.bus.ends(topic).await.unwrap();
    let mut open: Vec<_> = ends
        .iter()
        .filter(|it| it.high > 0)
        .map(|it| (it.partition, it.high))
        .collect();
    assert!(
        open.iter()
            .any(|(partition, _)| *partition == end.partition)
    );
    while !open.is_empty() {
        let record = take(&reader, 1).await.remove(0);
        open.retain(|(partition, high)| {
            (*partition, *high) != (record.partition, record.offset + 1)
        });
        last.insert(record.key.unwrap(), record.payload);
    }
    let expected = (0..6).map(|key| {
        let payload = (key != 3).then(|| Bytes::from_static(b"4"));
        (Bytes::from(format!("key-{key}")), payload)
    });
    assert_eq!(last, expected.collect());
    // Without a key there is nothing to keep the last of.
    let keyless = Message {
        key: None,
        ..Message::new(topic, "", "x")
    };
    assert!(subject.bus.produce(keyless).await.is_err());
}
