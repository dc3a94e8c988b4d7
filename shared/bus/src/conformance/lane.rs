//! Rows about durable lanes.
//!
//! In: a subject. Out: panics. See `conformance.rs`.

use std::time::Duration;

use super::{DEADLINE, Subject, take, within};
use crate::message::LARGEST;
use crate::{Message, ProduceError, ProducerOptions, Refusal};

/// The durable lane, with callers beside each other, some of which stop waiting.
pub async fn many_wait_for_their_own_record(subject: &Subject) {
    let topic = subject.topic(false).await;
    let calls = (0..200_u32).map(|number| {
        let message = Message::new(topic, format!("key-{}", number % 5), number.to_string());
        let produced = subject.bus.produce(message);
        async move { (number, produced.await.unwrap()) }
    });
    let positions = within("all", futures_util::future::join_all(calls)).await;
    let impatient = subject.bus.produce(Message::new(topic, "impatient", "200"));
    drop(tokio::time::timeout(Duration::ZERO, impatient).await);
    let records = take(&subject.read(topic).await, 201).await;
    for (number, position) in positions {
        let record = records
            .iter()
            .find(|record| super::number(record) == number)
            .unwrap();
        assert_eq!(position.partition, record.partition);
        assert_eq!(position.offset, Some(record.offset));
    }
}

/// Nobody waits for room: what finds none comes back, and is not written.
pub async fn a_hand_over_is_taken_or_comes_back(subject: &Subject) {
    let topic = subject.topic(false).await;
    let lane = subject.bus.durable_lane(ProducerOptions {
        linger: Duration::from_secs(2),
        max_bytes: 4 * 1_024,
        ..ProducerOptions::durable("test")
    });
    let producer = lane.producer().unwrap();
    within("warm", producer.warm(DEADLINE)).await.unwrap();
    let message = |number: u32| Message::new(topic, "key", number.to_string());
    let mut taken: Vec<_> = (0..4)
        .map(|number| lane.hand_over(message(number)).unwrap())
        .collect();
    let refused = lane.hand_over(message(4)).unwrap_err();
    assert_eq!(
        (refused.reason, refused.message),
        (Refusal::Full, message(4))
    );
    // Whoever stops waiting leaves the record on its way.
    drop(taken.pop());
    for reported in taken {
        within("a report", reported.outcome()).await.unwrap();
    }
    assert_eq!(producer.flush(DEADLINE).await, 0);
    let huge = Message::new(topic, "key", vec![7; LARGEST + 1]);
    let wide = subject.bus.durable_lane(ProducerOptions::durable("test"));
    assert_eq!(wide.hand_over(huge).unwrap_err().reason, Refusal::TooLarge);
    let given_back = lane.hand_over(message(5)).unwrap();
    producer.purge();
    let outcome = within("the purge", given_back.outcome()).await;
    assert_eq!(outcome, Err(ProduceError::Purged { sent: false }));
    let last = within("room", lane.produce(message(6))).await;
    last.unwrap();
    let records = take(&subject.read(topic).await, 5).await;
    let written: Vec<_> = records.iter().map(super::number).collect();
    assert_eq!(written, [0, 1, 2, 3, 6]);
}
