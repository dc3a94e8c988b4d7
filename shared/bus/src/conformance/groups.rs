//! Rows about groups.
//!
//! In: a subject. Out: panics. See `conformance.rs`.

use std::collections::BTreeSet;
use std::time::Duration;

use gramtap_events::Topic;

use super::{DEADLINE, Subject, number, within};
use crate::{
    Assigned, CommitError, Committed, ConsumeError, Consumer, ConsumerOptions, Event, Revoked,
    TopicPartition,
};

/// A member of a group with short deadlines.
pub(super) async fn join(subject: &Subject, group: &str, topic: &'static Topic) -> Consumer {
    let options = ConsumerOptions {
        session_timeout: Duration::from_secs(6),
        ..ConsumerOptions::default()
    };
    subject
        .bus
        .consumer(group, &[topic], options)
        .await
        .unwrap()
}

async fn next(consumer: &Consumer) -> Event {
    within("an event", consumer.next()).await.unwrap().unwrap()
}

/// Waits until all of these have been assigned, while no record comes.
pub(super) async fn assigned(consumer: &Consumer, count: usize) -> Vec<Assigned> {
    let mut all = Vec::new();
    while all.len() < count {
        match next(consumer).await {
            Event::Assigned(assigned) => all.extend(assigned),
            other => panic!("{other:?} instead of {} more partitions", count - all.len()),
        }
    }
    all
}

async fn revoked(consumer: &Consumer) -> Revoked {
    loop {
        match next(consumer).await {
            Event::Revoked(revoked) => return revoked,
            Event::Assigned(_) | Event::Record(_) => {}
            other => panic!("{other:?} instead of a revocation"),
        }
    }
}

async fn close(consumer: Consumer) {
    assert!(consumer.close(DEADLINE).await, "the consumer did not end");
}

/// Nothing is committed by itself; what is, comes back with its metadata.
pub async fn a_group_goes_on_where_it_committed_with_its_metadata(subject: &Subject) {
    let (topic, group) = (subject.topic(false).await, subject.name());
    let key = subject.key_in(topic, 1).await;
    subject.write(topic, &key, 0..10).await;
    let count = usize::try_from(subject.bus.partitions(topic).await.unwrap()).unwrap();
    let here = TopicPartition {
        topic,
        partition: 1,
    };

    let consumer = join(subject, &group, topic).await;
    let all = assigned(&consumer, count).await;
    assert!(all.iter().all(|it| it.committed.is_none()));
    for expected in 0..10 {
        match next(&consumer).await {
            Event::Record(record) => assert_eq!(number(&record), expected),
            other => panic!("{other:?}"),
        }
    }
    consumer.commit(here, 5, "").await.unwrap();
    consumer.commit(here, 6, "7-8,{\"ü\":1}").await.unwrap();
    let long = "x".repeat(5_000);
    assert_eq!(
        consumer.commit(here, 7, &long).await,
        Err(CommitError::TooLarge)
    );
    close(consumer).await;

    let consumer = join(subject, &group, topic).await;
    let all = assigned(&consumer, count).await;
    let committed = all
        .into_iter()
        .find(|it| it.partition == here)
        .unwrap()
        .committed;
    let expected = Committed {
        offset: 6,
        metadata: "7-8,{\"ü\":1}".to_owned(),
    };
    assert_eq!(committed, Some(expected));
    match next(&consumer).await {
        Event::Record(record) => assert_eq!(record.offset, 6),
        other => panic!("{other:?}"),
    }
    // Another group is another matter.
    let other = join(subject, &subject.name(), topic).await;
    assert!(
        assigned(&other, count)
            .await
            .iter()
            .all(|it| it.committed.is_none())
    );
}

/// Work is taken over by a second member and, when the first leaves, all of it: each record is
/// done once, in order.
pub async fn two_members_share_and_nothing_is_lost_or_done_twice(subject: &Subject) {
    let (topic, group) = (subject.topic(false).await, subject.name());
    let count = subject.bus.partitions(topic).await.unwrap();
    let mut keys = Vec::new();
    for partition in 0..count {
        keys.push(subject.key_in(topic, partition).await);
    }
    let write = async |numbers: std::ops::Range<u32>| {
        for number in numbers {
            let key = &keys[number as usize % keys.len()];
            subject.write(topic, key, number..number + 1).await;
        }
    };
    let mut done: Vec<(i32, u32)> = Vec::new();
    write(0..40).await;
    let first = join(subject, &group, topic).await;
    while done.len() < 20 {
        done.extend(work(&first, next(&first).await).await);
    }
    let second = join(subject, &group, topic).await;
    let (mut shared, mut by_second) = (false, 0);
    // Until the second has its share and all is done; then with both at work.
    for written in [40, 80, 120] {
        while !shared || done.len() < written {
            tokio::select! {
                event = next(&first) => done.extend(work(&first, event).await),
                event = next(&second) => {
                    shared |= matches!(&event, Event::Assigned(it) if !it.is_empty());
                    let worked = work(&second, event).await;
                    by_second += worked.iter().count();
                    done.extend(worked);
                }
            }
        }
        let next = u32::try_from(written).unwrap();
        write(next..next + 40).await;
    }
    assert!(
        (1..120).contains(&by_second),
        "{by_second} done by the second"
    );
    close(first).await;
    while done.len() < 160 {
        done.extend(work(&second, next(&second).await).await);
    }
    let numbers: BTreeSet<u32> = done.iter().map(|(_, number)| *number).collect();
    assert_eq!(numbers, (0..160).collect());
    for partition in 0..count {
        let here: Vec<u32> = done
            .iter()
            .filter(|it| it.0 == partition)
            .map(|it| it.1)
            .collect();
        assert!(here.is_sorted(), "{partition}: {here:?}");
    }
}

/// Commits a record as done, unless it was taken away meanwhile: then the next owner does it.
async fn work(consumer: &Consumer, event: Event) -> Option<(i32, u32)> {
    let Event::Record(record) = event else {
        return None;
    };
    let partition = TopicPartition {
        topic: record.topic,
        partition: record.partition,
    };
    match consumer.commit(partition, record.offset + 1, "").await {
        Ok(()) => Some((record.partition, number(&record))),
        Err(CommitError::NotAssigned(_)) => None,
        Err(error) => panic!("{error}"),
    }
}

/// The next owner begins where the last one stopped, even if that was told at the last moment.
pub async fn a_revocation_waits_for_the_last_commit(subject: &Subject) {
    let (topic, group) = (subject.topic(false).await, subject.name());
    let count = usize::try_from(subject.bus.partitions(topic).await.unwrap()).unwrap();
    let first = join(subject, &group, topic).await;
    assigned(&first, count).await;
    let second = join(subject, &group, topic).await;
    let revoked = revoked(&first).await;
    assert!(!revoked.lost && !revoked.partitions.is_empty());
    let partitions = revoked.partitions.clone();
    // Held for a while: the other one must not have it yet.
    let early = tokio::time::timeout(Duration::from_millis(500), second.next()).await;
    assert!(
        !matches!(early, Ok(Some(Ok(Event::Assigned(it)))) if !it.is_empty()),
        "assigned too early"
    );
    for partition in &partitions {
        first.commit(*partition, 0, "last words").await.unwrap();
    }
    revoked.release();
    let got = loop {
        tokio::select! {
            event = next(&second) => match event {
                Event::Assigned(assigned) if !assigned.is_empty() => break assigned,
                _ => {}
            },
            _ = next(&first) => {}
        }
    };
    for it in got {
        assert!(partitions.contains(&it.partition));
        assert_eq!(it.committed.unwrap().metadata, "last words");
        let late = first.commit(it.partition, 1, "").await;
        assert_eq!(late, Err(CommitError::NotAssigned(it.partition)));
    }
}

/// An owner that hangs does not hold its group for ever.
pub async fn a_revocation_held_too_long_is_taken_away(subject: &Subject) {
    let (topic, group) = (subject.topic(false).await, subject.name());
    let count = usize::try_from(subject.bus.partitions(topic).await.unwrap()).unwrap();
    let options = ConsumerOptions {
        release_deadline: Duration::from_millis(500),
        session_timeout: Duration::from_secs(6),
        ..ConsumerOptions::default()
    };
    let first = subject
        .bus
        .consumer(&group, &[topic], options)
        .await
        .unwrap();
    assigned(&first, count).await;
    let second = join(subject, &group, topic).await;
    let revoked = revoked(&first).await;
    let got = assigned(&second, 1).await;
    assert!(revoked.partitions.contains(&got[0].partition));
    let late = first.commit(got[0].partition, 1, "").await;
    assert_eq!(late, Err(CommitError::NotAssigned(got[0].partition)));
}

/// Back-pressure of one partition is not that of the others.
pub async fn a_paused_partition_rests_while_others_go_on(subject: &Subject) {
    let (topic, group) = (subject.topic(false).await, subject.name());
    let count = usize::try_from(subject.bus.partitions(topic).await.unwrap()).unwrap();
    let (zero, one) = (
        subject.key_in(topic, 0).await,
        subject.key_in(topic, 1).await,
    );
    let resting = TopicPartition {
        topic,
        partition: 0,
    };
    let consumer = join(subject, &group, topic).await;
    assigned(&consumer, count).await;
    consumer.pause(resting);
    subject.write(topic, &zero, 0..5).await;
    subject.write(topic, &one, 100..105).await;
    let mut read = Vec::new();
    while read.len() < 5 {
        match next(&consumer).await {
            Event::Record(record) => read.push(number(&record)),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(read, [100, 101, 102, 103, 104]);
    consumer.resume(resting);
    for expected in 0..5 {
        match next(&consumer).await {
            Event::Record(record) => assert_eq!(number(&record), expected),
            other => panic!("{other:?}"),
        }
    }
}

/// The inbox is small, the reader takes its time: nothing is lost and nothing comes twice.
pub async fn a_slow_member_gets_everything(subject: &Subject) {
    let (topic, group) = (subject.topic(false).await, subject.name());
    let key = subject.key_in(topic, 1).await;
    let options = ConsumerOptions {
        max_records: 10,
        session_timeout: Duration::from_secs(6),
        ..ConsumerOptions::default()
    };
    let consumer = subject
        .bus
        .consumer(&group, &[topic], options)
        .await
        .unwrap();
    let writes = (0..2_000_u32).map(|number| {
        let message = crate::Message::new(topic, key.clone(), number.to_string());
        subject.bus.produce(message)
    });
    // Offered in order; what comes of it is checked by reading.
    futures_util::future::join_all(writes).await;
    let mut expected = 0;
    while expected < 2_000 {
        if expected % 500 == 0 {
            tokio::time::sleep(Duration::from_millis(1_500)).await;
        }
        if let Event::Record(record) = next(&consumer).await {
            assert_eq!(record.offset, i64::from(expected));
            expected += 1;
        }
    }
}

/// A stable name is one member's: the newcomer stays, the other one is told to end.
pub async fn a_second_member_of_a_name_fences_the_first(subject: &Subject) {
    let (topic, group) = (subject.topic(false).await, subject.name());
    let count = usize::try_from(subject.bus.partitions(topic).await.unwrap()).unwrap();
    let named = async || {
        let options = ConsumerOptions {
            member: Some("pod-1".to_owned()),
            session_timeout: Duration::from_secs(6),
            ..ConsumerOptions::default()
        };
        subject
            .bus
            .consumer(&group, &[topic], options)
            .await
            .unwrap()
    };
    let first = named().await;
    assigned(&first, count).await;
    let second = named().await;
    let fenced = async {
        loop {
            match first.next().await {
                Some(Err(error)) if error.retry() => {}
                Some(Err(error)) => break error,
                Some(Ok(_)) => {}
                None => panic!("ended without a word"),
            }
        }
    };
    assert_eq!(within("fenced", fenced).await, ConsumeError::Fenced);
    assert!(within("the end", first.next()).await.is_none());
    assigned(&second, count).await;
}
