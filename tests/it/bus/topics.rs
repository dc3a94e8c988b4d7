//! Making and checking topics.
//!
//! In: the tests' Kafka. Out: pass or fail.

use gramtap_bus::conformance::{DEADLINE, kafka, topic_of};
use gramtap_bus::topics::{Outcome, apply, check};
use gramtap_bus::{Bus, BusError};

use super::{broker, config, tag};

/// What a failed check says.
async fn complaint(bus: &Bus, topics: &[&'static gramtap_events::Topic]) -> String {
    match check(bus, topics, DEADLINE).await {
        Err(error @ BusError::Topics(_)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn missing_topics_are_named_then_made_then_fit() {
    let _shared = broker::shared().await;
    let bus = Bus::open(&config()).unwrap();
    let name = |noun| format!("gramtap.test-{}-{noun}.v1", tag());
    let topics = [
        topic_of(&name("plain"), false),
        topic_of(&name("compact"), true),
    ];
    let text = complaint(&bus, &topics).await;
    assert!(text.contains("run `gramtap topics apply`"), "{text}");
    for topic in topics {
        assert!(
            text.contains(&format!("{} is missing", topic.name)),
            "{text}"
        );
    }
    for expected in [Outcome::Created, Outcome::Unchanged] {
        let report = apply(&bus, &topics, DEADLINE).await.unwrap();
        assert_eq!(
            report.topics,
            topics.map(|topic| (topic.name, expected.clone()))
        );
        check(&bus, &topics, DEADLINE).await.unwrap();
    }
    let [plain, compact] = topics;
    assert_eq!(
        kafka::setting(&bus, plain, "cleanup.policy").await,
        "delete"
    );
    assert_eq!(kafka::setting(&bus, plain, "retention.ms").await, "3600000");
    assert_eq!(
        kafka::setting(&bus, compact, "cleanup.policy").await,
        "compact"
    );
}

#[tokio::test]
async fn settings_are_adjusted_and_foreign_ones_left_alone() {
    let _shared = broker::shared().await;
    let bus = Bus::open(&config()).unwrap();
    let topic = topic_of(&format!("gramtap.test-{}-adjusted.v1", tag()), false);
    apply(&bus, &[topic], DEADLINE).await.unwrap();
    kafka::set(
        &bus,
        topic,
        &[
            ("cleanup.policy", "compact"),
            ("retention.ms", "1000"),
            ("segment.ms", "600000"),
        ],
    )
    .await;

    let text = complaint(&bus, &[topic]).await;
    assert!(
        text.contains("has cleanup.policy=compact, it should be delete"),
        "{text}"
    );
    // Retention is the operator's to change.
    assert!(!text.contains("retention.ms"), "{text}");

    let report = apply(&bus, &[topic], DEADLINE).await.unwrap();
    let Outcome::Changed(changes) = &report.topics[0].1 else {
        panic!("{report:?}");
    };
    let change =
        |name: &str, old: &str, new: &str| (name.to_owned(), old.to_owned(), new.to_owned());
    assert!(
        changes.contains(&change("cleanup.policy", "compact", "delete")),
        "{changes:?}"
    );
    assert!(
        changes.contains(&change("retention.ms", "1000", "3600000")),
        "{changes:?}"
    );
    check(&bus, &[topic], DEADLINE).await.unwrap();
    assert_eq!(kafka::setting(&bus, topic, "segment.ms").await, "600000");
    assert_eq!(
        kafka::setting(&bus, topic, "cleanup.policy").await,
        "delete"
    );
}

#[tokio::test]
async fn another_number_of_partitions_is_told_and_not_touched() {
    let _shared = broker::shared().await;
    let mut config = config();
    let topic = topic_of(&format!("gramtap.test-{}-counted.v1", tag()), false);
    apply(&Bus::open(&config).unwrap(), &[topic], DEADLINE)
        .await
        .unwrap();
    config.kafka.partitions = 6;
    let bus = Bus::open(&config).unwrap();
    let text = complaint(&bus, &[topic]).await;
    assert!(
        text.contains("has 4 partitions, kafka.partitions is 6"),
        "{text}"
    );
    let report = apply(&bus, &[topic], DEADLINE).await.unwrap();
    let (found, wanted) = (4, 6);
    assert_eq!(
        report.topics,
        [(topic.name, Outcome::Partitions { found, wanted })]
    );
    assert_eq!(bus.partitions(topic).await.unwrap(), 4);
}
