//! Rows about transactions.
//!
//! In: a subject. Out: panics. See `conformance.rs`.

use gramtap_events::Topic;

use super::groups::{assigned, join};
use super::{Subject, assert_silent, number, take, within};
use crate::consume::Commit;
use crate::{Event, Message, TopicPartition, TransactionError, Transactor};

async fn transactor(subject: &Subject, id: &str) -> Transactor {
    within("a transactor", subject.bus.transactor(id))
        .await
        .unwrap()
}

fn message(topic: &'static Topic, number: u32) -> Message {
    Message::new(topic, format!("key-{}", number % 3), number.to_string())
}

fn sorted(records: &[crate::Delivery]) -> Vec<u32> {
    let mut numbers: Vec<u32> = records.iter().map(number).collect();
    numbers.sort_unstable();
    numbers
}

/// Nothing is visible before the commit, all of it after; the offsets go with the records.
pub async fn records_and_offsets_are_committed_together(subject: &Subject) {
    let (input, output) = (subject.topic(false).await, subject.topic(false).await);
    let (state, group) = (subject.topic(true).await, subject.name());
    let key = subject.key_in(input, 0).await;
    subject.write(input, &key, 0..3).await;
    let count = usize::try_from(subject.bus.partitions(input).await.unwrap()).unwrap();
    let here = TopicPartition {
        topic: input,
        partition: 0,
    };
    let consumer = join(subject, &group, input).await;
    assigned(&consumer, count).await;
    let mut transactor = transactor(subject, &subject.name()).await;
    let reader = subject.read(output).await;

    let mut transaction = transactor.begin().await.unwrap();
    for number in 0..30 {
        transaction.produce(message(output, number)).await.unwrap();
    }
    transaction
        .produce(Message::new(state, "seen", "3"))
        .await
        .unwrap();
    let commit = Commit {
        partition: here,
        offset: 3,
        metadata: "with the records".to_owned(),
    };
    transaction
        .send_offsets(&consumer.membership(), vec![commit])
        .await
        .unwrap();
    assert_silent(&reader).await;
    within("commit", transaction.commit()).await.unwrap();
    assert_eq!(
        sorted(&take(&reader, 30).await),
        (0..30).collect::<Vec<_>>()
    );
    assert_eq!(
        take(&subject.read(state).await, 1).await[0]
            .payload
            .as_deref(),
        Some(&b"3"[..])
    );
    assert!(consumer.close(super::DEADLINE).await);

    let consumer = join(subject, &group, input).await;
    let all = assigned(&consumer, count).await;
    let committed = all
        .into_iter()
        .find(|it| it.partition == here)
        .unwrap()
        .committed
        .unwrap();
    assert_eq!(
        (committed.offset, committed.metadata.as_str()),
        (3, "with the records")
    );
}

/// Neither records nor offsets; and the transactor works on.
pub async fn an_aborted_or_forgotten_transaction_is_never_seen(subject: &Subject) {
    let (input, output) = (subject.topic(false).await, subject.topic(false).await);
    let group = subject.name();
    subject
        .write(input, &subject.key_in(input, 0).await, 0..1)
        .await;
    let count = usize::try_from(subject.bus.partitions(input).await.unwrap()).unwrap();
    let consumer = join(subject, &group, input).await;
    assigned(&consumer, count).await;
    let mut transactor = transactor(subject, &subject.name()).await;
    for end in ["aborted", "forgotten", "empty", "committed"] {
        let mut transaction = transactor.begin().await.unwrap();
        if end != "empty" {
            let number = if end == "committed" { 1 } else { 0 };
            transaction.produce(message(output, number)).await.unwrap();
        }
        let commit = Commit {
            partition: TopicPartition {
                topic: input,
                partition: 0,
            },
            offset: 1,
            metadata: String::new(),
        };
        match end {
            "aborted" => {
                transaction
                    .send_offsets(&consumer.membership(), vec![commit])
                    .await
                    .unwrap();
                within("abort", transaction.abort()).await.unwrap();
            }
            "forgotten" => drop(transaction),
            _ => within("commit", transaction.commit()).await.unwrap(),
        }
    }
    let reader = subject.read(output).await;
    assert_eq!(sorted(&take(&reader, 1).await), [1]);
    assert_silent(&reader).await;
    assert!(consumer.close(super::DEADLINE).await);
    let consumer = join(subject, &group, input).await;
    assert!(
        assigned(&consumer, count)
            .await
            .iter()
            .all(|it| it.committed.is_none())
    );
    match within("the record", consumer.next())
        .await
        .unwrap()
        .unwrap()
    {
        Event::Record(record) => assert_eq!(record.offset, 0),
        other => panic!("{other:?}"),
    }
}

/// Of two instances with one id the newer one goes on.
pub async fn an_older_transactor_is_fenced(subject: &Subject) {
    let (topic, id) = (subject.topic(false).await, subject.name());
    let mut older = transactor(subject, &id).await;
    let mut transaction = older.begin().await.unwrap();
    transaction.produce(message(topic, 0)).await.unwrap();
    let mut newer = transactor(subject, &id).await;
    // Wherever it is noticed.
    let fenced = async {
        transaction.produce(message(topic, 1)).await?;
        transaction.commit().await
    };
    assert_eq!(
        within("fenced", fenced).await,
        Err(TransactionError::Fenced)
    );
    let again = async {
        let mut transaction = older.begin().await?;
        transaction.produce(message(topic, 2)).await?;
        transaction.commit().await
    };
    let again = within("fenced again", again).await.unwrap_err();
    assert!(!again.retry(), "{again:?}");
    let mut transaction = newer.begin().await.unwrap();
    transaction.produce(message(topic, 3)).await.unwrap();
    within("commit", transaction.commit()).await.unwrap();
    let reader = subject.read(topic).await;
    assert_eq!(sorted(&take(&reader, 1).await), [3]);
    assert_silent(&reader).await;
}

/// What a consumer has lost it cannot commit, and its records do not appear either.
pub async fn offsets_of_a_lost_partition_abort_the_transaction(subject: &Subject) {
    let (input, output) = (subject.topic(false).await, subject.topic(false).await);
    let count = usize::try_from(subject.bus.partitions(input).await.unwrap()).unwrap();
    let consumer = join(subject, &subject.name(), input).await;
    assigned(&consumer, count).await;
    let member = consumer.membership();
    let mut transactor = transactor(subject, &subject.name()).await;
    assert!(consumer.close(super::DEADLINE).await);
    let attempt = async {
        let mut transaction = transactor.begin().await?;
        transaction.produce(message(output, 0)).await?;
        let commit = Commit {
            partition: TopicPartition {
                topic: input,
                partition: 0,
            },
            offset: 1,
            metadata: String::new(),
        };
        transaction.send_offsets(&member, vec![commit]).await?;
        transaction.commit().await
    };
    let error = within("the refusal", attempt).await.unwrap_err();
    assert!(matches!(error, TransactionError::Aborted(_)), "{error:?}");
    let mut transaction = transactor.begin().await.unwrap();
    transaction.produce(message(output, 1)).await.unwrap();
    within("commit", transaction.commit()).await.unwrap();
    let reader = subject.read(output).await;
    assert_eq!(sorted(&take(&reader, 1).await), [1]);
    assert_silent(&reader).await;
}
