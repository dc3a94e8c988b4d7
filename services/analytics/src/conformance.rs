//! The suite that the sums pass on SQLite with the embedded log, and on Postgres with Kafka.
//!
//! In: a [`Subject`], made by the tests of this crate and by `tests/it/analytics.rs`. Out: a panic where a promise is
//! broken. Traffic is random, from a seed (`stream.rs`); the truth is counted from it in the plainest way (`oracle.rs`).
//! Each row has a database of its own, and bots of its own in shared topics. [`analytics_rows!`](crate::analytics_rows)
//! makes one test of each. Invariant: a row knows nothing of the engines.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::print_stdout,
    reason = "a suite of tests"
)]
#![allow(missing_docs, reason = "a suite of tests: names say it")]

pub mod blaming;
pub mod delivering;
pub mod doors;
pub mod following;
pub mod keeping;
pub mod numbers;
pub mod oracle;
mod rankings;
pub mod stream;

use std::any::Any;
use std::collections::BTreeMap;
use std::time::Duration;

use gramtap_bus::{Bus, TopicPartition};
use gramtap_database::{Database, Statement};
use gramtap_events::{Record, TenantId, topics};

use crate::fold::{Folded, Zones};
use crate::store::{Applied, Batch, Limits, Store};
use stream::Traffic;

/// Every wait of the suite ends after this, only to fail.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// What is tried.
pub struct Subject {
    /// Empty.
    pub database: Database,
    /// With the topics of events, errors, deliveries and dead letters.
    pub bus: Bus,
    /// What has to live as long.
    pub kept: Box<dyn Any>,
}

impl Subject {
    pub fn store(&self) -> Store {
        Store::new(self.database.clone(), Limits::default())
    }
}

/// Folds traffic in batches of the sizes given and adds them, as if it came from partition 0 of both topics.
pub async fn add(store: &Store, traffic: &Traffic, sizes: &[usize]) {
    let zones = store.zones().await.unwrap();
    let events = traffic
        .events
        .iter()
        .map(|event| (event.at, &topics::EVENTS, event.payload()));
    let errors = traffic
        .failures
        .iter()
        .map(|it| (it.at, &topics::ERRORS, it.payload()));
    let mut records: Vec<_> = events.chain(errors).collect();
    records.sort_by_key(|(at, ..)| *at);
    let mut rest = &records[..];
    let mut sizes = sizes.iter().cycle();
    while !rest.is_empty() {
        let (now, later) = rest.split_at((*sizes.next().unwrap()).clamp(1, rest.len()));
        rest = later;
        let mut batches = Vec::new();
        for topic in [&topics::EVENTS, &topics::ERRORS] {
            let partition = TopicPartition {
                topic,
                partition: 0,
            };
            let mut folded = Folded::default();
            for (_, _, payload) in now.iter().filter(|(_, of, _)| *of == topic) {
                folded.add(topic, payload.as_ref().unwrap(), &zones);
            }
            assert_eq!(folded.unread, 0);
            batches.push(batch(store, partition, folded).await);
        }
        let applied = store.apply(batches, &zones).await.unwrap();
        assert_eq!(applied, Applied::Kept { lost: Vec::new() });
    }
}

pub async fn batch(store: &Store, partition: TopicPartition, folded: Folded) -> Batch {
    let expected = store.position(partition).await.unwrap();
    let next = expected + folded.records as i64;
    let marks = BTreeMap::new();
    Batch {
        partition,
        expected,
        next,
        marks,
        folded,
    }
}

pub fn fold(traffic: &Traffic, zones: &Zones) -> Folded {
    let mut folded = Folded::default();
    for event in &traffic.events {
        folded.add(&topics::EVENTS, &event.payload().unwrap(), zones);
    }
    for failure in &traffic.failures {
        folded.add(&topics::ERRORS, &failure.payload().unwrap(), zones);
    }
    folded
}

/// All rows of a bot, as texts.
pub async fn dump(database: &Database, tenant: TenantId) -> Vec<String> {
    const TABLES: [Statement; 11] = [
        Statement::new(
            "d",
            "SELECT 'label' || kind || '|' || hour || '|' || label || '|' || n AS t FROM sum_labels WHERE tenant = $1",
        ),
        Statement::new(
            "d",
            "SELECT 'day' || kind || '|' || day || '|' || label AS t FROM day_labels WHERE tenant = $1",
        ),
        Statement::new(
            "d",
            "SELECT 'call' || hour || '|' || method || '|' || calls || '|' || failed || '|' || unexpected AS t FROM sum_calls WHERE tenant = $1",
        ),
        Statement::new(
            "d",
            "SELECT 'took' || hour || '|' || method || '|' || side || '|' || buckets AS t FROM sum_latency WHERE tenant = $1",
        ),
        Statement::new(
            "d",
            "SELECT 'poll' || hour || '|' || addr || '|' || agent || '|' || polls || '|' || conflicts || '|' || first_at || '|' || last_at AS t FROM sum_pollers WHERE tenant = $1",
        ),
        Statement::new(
            "d",
            "SELECT 'error' || e.hour || '|' || e.grp || '|' || e.n || '|' || g.template || '|' || g.first_at || '|' || g.last_at AS t FROM sum_errors AS e CROSS JOIN error_groups AS g WHERE e.tenant = $1 AND g.tenant = $1 AND g.grp = e.grp",
        ),
        Statement::new(
            "d",
            "SELECT 'hit' || grp || '|' || who || '|' || day || '|' || hash AS t FROM error_hits WHERE tenant = $1",
        ),
        Statement::new(
            "d",
            "SELECT 'example' || grp || '|' || at || '|' || COALESCE(description, '-') || '|' || COALESCE(CAST(chat_id AS TEXT), '-') AS t FROM error_examples WHERE tenant = $1",
        ),
        Statement::new(
            "d",
            "SELECT 'user' || user_id || '|' || COALESCE(CAST(first_at AS TEXT), '-') || '|' || COALESCE(CAST(last_at AS TEXT), '-') || '|' || COALESCE(CAST(last_day AS TEXT), '-') || '|' || COALESCE(language, '-') || '|' || COALESCE(CAST(premium AS TEXT), '-') || '|' || COALESCE(source, '-') || '|' || COALESCE(CAST(blocked AS TEXT), '-') || '|' || COALESCE(CAST(signal_at AS TEXT), '-') AS t FROM bot_users WHERE tenant = $1",
        ),
        Statement::new(
            "d",
            "SELECT 'first' || standing || '|' || at || '|' || method || '|' || COALESCE(CAST(code AS TEXT), '-') || '|' || addr || '|' || agent || '|' || took_us AS t FROM first_calls WHERE tenant = $1",
        ),
        Statement::new(
            "d",
            "SELECT 'days' || user_id || '|' || day || '|' || early || '|' || late AS t FROM bot_user_days WHERE tenant = $1",
        ),
    ];
    const DATES: Statement = Statement::new(
        "d",
        "SELECT 'date' || date || '|' || active || '|' || fresh AS t FROM audience_dates
         WHERE tenant = $1 AND (active <> 0 OR fresh <> 0)",
    );
    let mut rows = Vec::new();
    for table in TABLES.iter().chain([&DATES]) {
        for row in database
            .fetch(table, &[tenant.as_str().into()])
            .await
            .unwrap()
        {
            rows.push(row.get::<String>("t").unwrap());
        }
    }
    rows.sort_unstable();
    rows
}

/// Asserts that two dumps are the same, and shows where they differ and not all of them.
pub fn same(left: &[String], right: &[String]) {
    let missing: Vec<_> = right
        .iter()
        .filter(|row| !left.contains(row))
        .take(5)
        .collect();
    let surplus: Vec<_> = left
        .iter()
        .filter(|row| !right.contains(row))
        .take(5)
        .collect();
    assert!(left == right, "missing {missing:?}, surplus {surplus:?}");
}

/// Makes a test of every row; the argument is an expression that, awaited, gives a [`Subject`].
#[macro_export]
macro_rules! analytics_rows {
    ($subject:expr) => {
        $crate::analytics_rows! { @ $subject;
            numbers: every_number_is_that_of_the_oracle
                a_changed_zone_changes_every_date;
            keeping: every_statement_fits_the_schema
                parts_of_a_batch_are_the_whole
                a_second_owner_changes_nothing
                a_batch_folded_with_an_old_zone_is_refused
                labels_are_bounded_and_nothing_is_left_out
                errors_keep_few_examples_and_many_hits
                old_rows_are_deleted_in_bounded_steps;
            delivering: deliveries_are_those_of_a_plain_count
                dead_letters_are_found_again;
            blaming: the_same_hour_of_other_bots_is_counted
                the_course_of_errors_is_theirs;
            doors: the_first_good_call_and_the_last_refused_one_are_kept
                refused_requests_are_told_apart_and_bounded
                every_statement_of_the_door_fits_the_schema;
            following: what_is_written_is_counted_once
                a_crash_anywhere_counts_nothing_twice
                a_window_counted_again_is_the_same;
        }
    };
    (@ $subject:expr; $($part:ident: $($row:ident)+;)+) => {
        $(mod $part {
            #[allow(unused_imports)]
            use super::*;
            $(
                #[test]
                fn $row() {
                    let runtime = ::tokio::runtime::Builder::new_current_thread().enable_all().build();
                    runtime.expect("a runtime").block_on(async {
                        let subject = $subject.await;
                        $crate::conformance::$part::$row(&subject).await;
                    });
                }
            )+
        })+
    };
}
