//! The suite on SQLite and the embedded log, each row in a folder of its own. On Postgres and Kafka it is `tests/it/analytics.rs`.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use gramtap_actors::Drain;
use gramtap_bus::conformance::embedded;
use gramtap_bus::{Bus, Message, topics};
use gramtap_database::{Database, DatabaseSection, Statement};
use gramtap_events::topics::{DELIVERIES, ERRORS, EVENTS, INBOX_DEAD};
use gramtap_settings::SecretString;
use gramtap_telemetry::Counter;
use tokio::time::{Instant, sleep, timeout};

use crate::conformance::following::{is_true, options, wait, write};
use crate::conformance::stream::{BEGIN, seed, traffic};
use crate::conformance::{DEADLINE, Subject, dump};
use crate::store::StoreError;
use crate::store::follow::follow;

pub(crate) async fn subject() -> Subject {
    keeping(Duration::from_secs(3_600)).await
}

/// With a log that keeps records for so long.
async fn keeping(retention: Duration) -> Subject {
    let folder = tempfile::tempdir().unwrap();
    let section = DatabaseSection {
        url: SecretString::default(),
        max_connections: 4,
    };
    let mut config = embedded(folder.path());
    config.bus.embedded.retention = retention;
    let bus = Bus::open(&config).unwrap();
    topics::apply(
        &bus,
        &[&EVENTS, &ERRORS, &DELIVERIES, &INBOX_DEAD],
        DEADLINE,
    )
    .await
    .unwrap();
    Subject {
        database: Database::open(&section, folder.path()).unwrap(),
        bus,
        kept: Box::new(folder),
    }
}

crate::analytics_rows!(subject());

#[tokio::test]
async fn a_window_whose_records_are_gone_is_refused() {
    const COUNTED: Statement = Statement::new(
        "counted",
        "INSERT INTO fold_offsets (topic, part, next_offset) VALUES ($1, $2, $3)",
    );
    const KEPT: Statement = Statement::new(
        "kept",
        "INSERT INTO sum_calls (tenant, hour, method, calls, failed, unexpected) VALUES ($1, $2, 'getMe', 7, 0, 0)",
    );
    let subject = keeping(Duration::from_millis(1)).await;
    let traffic = traffic(seed(), 20);
    for event in &traffic.events {
        let message = Message::of(event).unwrap();
        subject.bus.produce(message).await.unwrap();
    }
    let gone = async || {
        let ends = subject.bus.ends(&EVENTS).await.unwrap();
        ends.into_iter().find(|ends| ends.low > 0)
    };
    let deadline = Instant::now() + DEADLINE;
    let ends = loop {
        if let Some(ends) = gone().await {
            break ends;
        }
        assert!(Instant::now() < deadline, "nothing was deleted");
        // paced: nobody tells when the log deletes
        sleep(Duration::from_millis(20)).await;
    };
    let counted = [
        EVENTS.name.into(),
        i64::from(ends.partition).into(),
        ends.high.into(),
    ];
    subject.database.execute(&COUNTED, &counted).await.unwrap();
    let kept = [traffic.tenant.as_str().into(), BEGIN.into()];
    subject.database.execute(&KEPT, &kept).await.unwrap();
    let before = dump(&subject.database, traffic.tenant).await;
    let refused = subject.store().refold(&subject.bus, BEGIN..BEGIN + 1).await;
    assert!(
        matches!(refused, Err(StoreError::Gone { .. })),
        "{refused:?}"
    );
    assert_eq!(dump(&subject.database, traffic.tenant).await, before);
}

#[tokio::test]
async fn while_sql_cannot_be_written_everything_waits() {
    let refused = || {
        let reason = "unavailable";
        Counter::FoldRetries { reason }.get()
    };
    let (subject, traffic) = (subject().await, traffic(seed(), 200));
    let (store, drain) = (subject.store(), Drain::new());
    write(&subject, &traffic).await;
    let held = subject.database.begin().await.unwrap();
    let before = refused();
    let released = async {
        while refused() == before {
            // paced: a counter is looked at
            sleep(Duration::from_millis(20)).await;
        }
        held.rollback().await.unwrap();
        wait(&subject, &store).await;
        drain.begin();
    };
    let (options, token) = (options("test-held"), drain.token());
    let both = async { tokio::join!(follow(&subject.bus, &store, &options, &token), released) };
    let (followed, ()) = timeout(DEADLINE, both).await.unwrap();
    followed.unwrap();
    is_true(&subject, &traffic).await;
}
