//! What looks for tokens finds one that was put there for it.
//!
//! In: a text planted in each kind of place. Out: pass or fail: the search tells of it.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use gramtap_bus::conformance::topic_of;
use gramtap_bus::{Header, Message, ProducerOptions, Ticket, topics};
use gramtap_tests::{
    DEADLINE, canaries_in, canaries_in_redis, canaries_in_tables, canaries_on, fresh_bot,
};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tokio::io::AsyncWriteExt as _;

use super::*;

/// No token, so that the other searches do not find it.
const PLANTED: &str = "planted-for-the-search";

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run `make test`"))
}

#[tokio::test]
async fn in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("a/b");
    std::fs::create_dir_all(&deep).unwrap();
    std::fs::write(folder.path().join("clean"), b"nothing").unwrap();
    let mut bytes = vec![0xff; 100_000];
    bytes.extend_from_slice(TOKEN.as_bytes());
    bytes.push(0);
    std::fs::write(deep.join("log.db-wal"), bytes).unwrap();
    let found = canaries_in(folder.path(), &[CANARY]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].ends_with("a/b/log.db-wal"), "{found:?}");
}

#[tokio::test]
async fn in_what_any_process_of_a_test_wrote() {
    let telegram = Telegram::start().await;
    for at_the_end in ["stopped", "dropped"] {
        let installation = Installation::new(Stores::Embedded).await;
        let ingress = Ingress::start(&installation, "ingress", &telegram.url()).await;
        let leak = installation.data_dir("ingress").join("leak");
        std::fs::write(leak, TOKEN).unwrap();
        let end = async {
            match at_the_end {
                "stopped" => ingress.stop().await,
                _ => drop(ingress),
            }
        };
        let failed = AssertUnwindSafe(end).catch_unwind().await.unwrap_err();
        let words = failed.downcast_ref::<String>().unwrap();
        assert!(words.contains("ingress/data/leak"), "{words}");
    }
}

#[tokio::test]
async fn in_metrics_and_traces() {
    let metrics = format!("gramtap_calls_total{{method=\"{TOKEN}\"}} 1\n");
    let found = canaries_in_bytes("metrics", metrics.as_bytes(), &[CANARY]);
    assert_eq!(found, ["AAcanary in metrics"]);
    let collector = Collector::start().await;
    let address = collector.url().strip_prefix("http://").unwrap().to_owned();
    let mut exporter = tokio::net::TcpStream::connect(address).await.unwrap();
    exporter.write_all(b"PRI * HTTP/2.0 span ").await.unwrap();
    exporter.write_all(TOKEN.as_bytes()).await.unwrap();
    let until = tokio::time::Instant::now() + DEADLINE;
    while canaries_in_bytes("traces", &collector.heard(), &[CANARY]).is_empty() {
        assert!(tokio::time::Instant::now() < until, "nothing was heard");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn in_a_topic() {
    let installation = Installation::new(Stores::Servers).await;
    let bus = installation.open_bus();
    let topic = topic_of(&format!("gramtap.test-planted-{}.v1", fresh_bot()), false);
    topics::apply(&bus, &[topic], DEADLINE).await.unwrap();
    let producer = bus
        .producer(ProducerOptions::lossy("planted"), |_, _| {})
        .unwrap();
    let clean = Message::new(topic, "key", "nothing");
    let messages = [
        Message::new(topic, "key", format!("{{\"text\":\"{PLANTED}\"}}")),
        Message::new(topic, PLANTED, "x"),
        clean.clone().with(Header::new("gt-kind", PLANTED)),
        clean,
    ];
    for message in messages {
        producer.offer(message, Ticket(0)).unwrap();
    }
    assert_eq!(producer.flush(DEADLINE).await, 0);
    let found = canaries_on(&bus, &[topic], &[PLANTED]).await;
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found.iter().all(|it| it.contains(topic.name)), "{found:?}");
    installation.remove().await;
}

#[tokio::test]
async fn in_a_table() {
    let url = variable("GRAMTAP_TEST_POSTGRES");
    let schema = format!("planted_{}", fresh_bot());
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let text = format!("INSERT INTO {schema}.texts VALUES (1, 'about {PLANTED}'), (2, 'nothing')");
    let bytes = format!("INSERT INTO {schema}.blobs VALUES ('{PLANTED}'::bytea)");
    for statement in [
        format!("CREATE SCHEMA {schema}"),
        format!("CREATE TABLE {schema}.texts (id bigint, words text)"),
        format!("CREATE TABLE {schema}.blobs (sealed bytea)"),
        text,
        bytes,
    ] {
        connection.execute(AssertSqlSafe(statement)).await.unwrap();
    }
    let mut found = canaries_in_tables(&url, &schema, &[PLANTED]).await;
    found.sort();
    let places: Vec<_> = found
        .iter()
        .map(|it| it.rsplit(' ').next().unwrap())
        .collect();
    assert_eq!(places, ["blobs", "texts"], "{found:?}");
    let statement = format!("DROP SCHEMA {schema} CASCADE");
    connection.execute(AssertSqlSafe(statement)).await.unwrap();
}

#[tokio::test]
async fn in_redis() {
    // A database that no other test has.
    let url = format!("{}/13", variable("GRAMTAP_TEST_REDIS"));
    let client = redis::Client::open(url.as_str()).unwrap();
    let mut redis = client.get_multiplexed_async_connection().await.unwrap();
    let mut ask = redis::pipe();
    ask.cmd("FLUSHDB")
        .cmd("SET")
        .arg("text")
        .arg(format!("{{{PLANTED}}}"));
    ask.cmd("SET").arg(PLANTED).arg("1");
    ask.cmd("HSET").arg("hash").arg("field").arg(PLANTED);
    ask.cmd("SET").arg("clean").arg("nothing");
    let _: redis::Value = ask.query_async(&mut redis).await.unwrap();
    let mut found = canaries_in_redis(&url, &[PLANTED]).await;
    found.sort();
    let expected = ["a key of Redis", "hash", "text"].map(|it| format!("{PLANTED} in {it}"));
    assert_eq!(found, expected);
    let _: redis::Value = redis::cmd("FLUSHDB").query_async(&mut redis).await.unwrap();
}
