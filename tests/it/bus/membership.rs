//! Members with stable names.
//!
//! In: the tests' Kafka. Out: pass or fail.

use std::collections::BTreeSet;
use std::time::Duration;

use gramtap_bus::conformance::{DEADLINE, Subject, within};
use gramtap_bus::{Consumer, ConsumerOptions, Event};
use gramtap_events::Topic;

use super::subject;

async fn join(subject: &Subject, group: &str, topic: &'static Topic, name: &str) -> Consumer {
    let options = ConsumerOptions {
        member: Some(name.to_owned()),
        session_timeout: Duration::from_secs(30),
        ..ConsumerOptions::default()
    };
    subject
        .bus
        .consumer(group, &[topic], options)
        .await
        .unwrap()
}

/// Takes part in rebalances until it has so many partitions.
async fn until_it_has(consumer: &Consumer, count: usize, has: &mut BTreeSet<i32>) {
    while has.len() != count {
        match within("an event", consumer.next()).await.unwrap().unwrap() {
            Event::Assigned(assigned) => {
                has.extend(assigned.iter().map(|it| it.partition.partition))
            }
            Event::Revoked(revoked) => {
                let gone: Vec<i32> = revoked.partitions.iter().map(|it| it.partition).collect();
                has.retain(|partition| !gone.contains(partition));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_restart_under_the_same_name_moves_no_partition() {
    let (subject, _shared) = subject().await;
    let (topic, group) = (subject.topic(false).await, subject.name());
    let (mut firsts, mut seconds) = (BTreeSet::new(), BTreeSet::new());
    let first = join(&subject, &group, topic, "first").await;
    until_it_has(&first, 4, &mut firsts).await;
    let second = join(&subject, &group, topic, "second").await;
    tokio::join!(
        until_it_has(&first, 2, &mut firsts),
        until_it_has(&second, 2, &mut seconds)
    );

    assert!(first.close(DEADLINE).await);
    let first = join(&subject, &group, topic, "first").await;
    let mut again = BTreeSet::new();
    // The other one must hear of nothing meanwhile.
    tokio::select! {
        () = until_it_has(&first, 2, &mut again) => {}
        event = second.next() => panic!("{event:?}"),
    }
    assert_eq!(again, firsts);
    assert!(again.is_disjoint(&seconds));
}
