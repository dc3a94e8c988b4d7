//! Rows about partitions that go together.
//!
//! In: a subject. Out: panics. See `conformance.rs`.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{DEADLINE, Subject, within};
use crate::{Consumer, ConsumerOptions, Event};

type Owned = BTreeSet<(&'static str, i32)>;

async fn follow(consumer: &Consumer, owned: &mut Owned) {
    match consumer.next().await.unwrap().unwrap() {
        Event::Assigned(assigned) => owned.extend(
            assigned
                .iter()
                .map(|it| (it.partition.topic.name, it.partition.partition)),
        ),
        Event::Revoked(revoked) => {
            for it in &revoked.partitions {
                owned.remove(&(it.topic.name, it.partition));
            }
        }
        other => panic!("{other:?}"),
    }
}

/// Of two topics a member has the partitions of the same numbers.
pub async fn partitions_of_one_number_have_one_owner(subject: &Subject) {
    let topics = [subject.topic(false).await, subject.topic(false).await];
    let (group, mut count) = (subject.name(), 0);
    for topic in topics {
        count += usize::try_from(subject.bus.partitions(topic).await.unwrap()).unwrap();
    }
    let join = async || {
        let options = ConsumerOptions {
            session_timeout: Duration::from_secs(6),
            together: true,
            ..ConsumerOptions::default()
        };
        let joined = subject.bus.consumer(&group, &topics, options).await;
        joined.unwrap()
    };
    let first = join().await;
    let (mut one, mut other) = (Owned::new(), Owned::new());
    within("all partitions", async {
        while one.len() < count {
            follow(&first, &mut one).await;
        }
    })
    .await;
    let second = join().await;
    within("both have their share", async {
        while one.len() + other.len() < count || other.is_empty() {
            tokio::select! {
                () = follow(&first, &mut one) => {}
                () = follow(&second, &mut other) => {}
            }
        }
    })
    .await;
    let numbers = |owned: &Owned| -> [Vec<i32>; 2] {
        topics.map(|topic| {
            let of_topic = owned.iter().filter(|(name, _)| *name == topic.name);
            of_topic.map(|(_, number)| *number).collect()
        })
    };
    for owned in [&one, &other] {
        let [these, those] = numbers(owned);
        assert_eq!(these, those);
    }
    assert!(first.close(DEADLINE).await && second.close(DEADLINE).await);
}
