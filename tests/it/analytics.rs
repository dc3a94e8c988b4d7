//! The sums on a real Postgres, fed by a real Kafka.
//!
//! In: `GRAMTAP_TEST_POSTGRES` and `GRAMTAP_TEST_KAFKA` (deploy/dev/services). Out: one test for each row of the suite in
//! `services/analytics`. Invariant: each test has a schema of Postgres of its own; the topics of events and errors are
//! shared, and each test looks at its own bots alone. Beside them, on a real `gramtap up`: `analytics/corpus.rs`, every error
//! that a call can meet; `analytics/pollers.rs`, two that poll as one bot. `analytics/kcat.rs`: the lines that
//! docs/events.md prints.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod corpus;
mod kcat;
mod pollers;

use std::env;

use gramtap_analytics::conformance::{DEADLINE, Subject};
use gramtap_bus::{Bus, topics};
use gramtap_database::Database;
use gramtap_events::topics::{DELIVERIES, ERRORS, EVENTS, INBOX_DEAD};
use gramtap_tests::broker;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::bus;

/// An empty schema, and the topics.
async fn subject() -> Subject {
    let url = env::var("GRAMTAP_TEST_POSTGRES")
        .expect("run this with deploy/dev/services run -- cargo test");
    let folder = tempfile::tempdir().unwrap();
    let unique = folder.path().file_name().unwrap().to_string_lossy();
    let unique: String = unique.chars().filter(char::is_ascii_alphanumeric).collect();
    let schema = format!("analytics_{}", unique.to_lowercase());
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let make = format!("CREATE SCHEMA {schema}");
    connection.execute(AssertSqlSafe(make)).await.unwrap();
    let url = format!("{url}?options=-c%20search_path%3D{schema}");
    let section = serde_json::from_value(json!({"url": url, "max_connections": 4})).unwrap();
    let shared = broker::shared().await;
    let mut config = bus::config();
    // The topics are the ones that every installation of the tests has.
    config.kafka.partitions = 24;
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
        kept: Box::new((folder, shared)),
    }
}

gramtap_analytics::analytics_rows!(subject());
