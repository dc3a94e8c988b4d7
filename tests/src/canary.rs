//! Looks for texts that may be nowhere: in files, topics, tables, Redis.
//!
//! In: places where Gramtap keeps something, texts. Out: which text is where. Invariant: every byte of
//! every file, record, row and value is looked at, whatever its name. A folder without a file, or a
//! kind of value that the search does not know, is an error of the test.

use std::io::ErrorKind;
use std::path::Path;

use gramtap_bus::Bus;
use gramtap_events::Topic;
use memchr::memmem;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::records::each;

/// What every token of a test has in it, and nothing else may have.
pub const CANARY: &str = "AAcanary";

/// `place`, if it holds one of `texts`.
#[must_use]
pub fn canaries_in_bytes(place: &str, bytes: &[u8], texts: &[&str]) -> Vec<String> {
    let holds = |text: &&&str| memmem::find(bytes, text.as_bytes()).is_some();
    let found = texts.iter().filter(holds);
    found.map(|text| format!("{text} in {place}")).collect()
}

/// Every record of `topics` that holds one of `texts`: key, headers, payload.
pub async fn canaries_on(bus: &Bus, topics: &[&'static Topic], texts: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for topic in topics {
        each(bus, topic, |record| {
            let place = format!("{} {}:{}", topic.name, record.partition, record.offset);
            let headers = record.headers.iter();
            let headers = headers.flat_map(|it| [it.name.as_bytes(), &it.value]);
            let parts = [&record.key, &record.payload].into_iter().flatten();
            for part in parts.map(|it| &it[..]).chain(headers) {
                found.extend(canaries_in_bytes(&place, part, texts));
            }
        })
        .await;
    }
    found
}

/// Every row of every table of a schema of Postgres that holds one of `texts`, bytes included.
pub async fn canaries_in_tables(url: &str, schema: &str, texts: &[&str]) -> Vec<String> {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let tables = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = $1";
    let tables: Vec<(String,)> = sqlx::query_as(tables)
        .bind(schema)
        .fetch_all(&mut connection)
        .await
        .unwrap();
    assert!(!tables.is_empty(), "{schema} has no tables");
    // Postgres shows bytes as hexadecimal digits.
    let in_hex = texts.iter().map(|text| {
        let digits = text.bytes().map(|byte| format!("{byte:02x}"));
        digits.collect::<String>()
    });
    let both: Vec<String> = texts
        .iter()
        .map(ToString::to_string)
        .chain(in_hex)
        .collect();
    let both: Vec<&str> = both.iter().map(String::as_str).collect();
    let mut found = Vec::new();
    for (table,) in tables {
        let rows = format!("SELECT it::text FROM {schema}.\"{table}\" it");
        let rows: Vec<(String,)> = sqlx::query_as(AssertSqlSafe(rows))
            .fetch_all(&mut connection)
            .await
            .unwrap();
        for (row,) in rows {
            found.extend(canaries_in_bytes(&table, row.as_bytes(), &both));
        }
    }
    found
}

/// Every key of a database of Redis that is named by one of `texts`, or whose value holds one.
pub async fn canaries_in_redis(url: &str, texts: &[&str]) -> Vec<String> {
    let client = redis::Client::open(url).unwrap();
    let mut redis = client.get_multiplexed_async_connection().await.unwrap();
    let keys: Vec<Vec<u8>> = redis::cmd("KEYS")
        .arg("*")
        .query_async(&mut redis)
        .await
        .unwrap();
    let mut found = Vec::new();
    for key in keys {
        let place = String::from_utf8_lossy(&key).into_owned();
        found.extend(canaries_in_bytes("a key of Redis", &key, texts));
        let kind: String = redis::cmd("TYPE")
            .arg(&key)
            .query_async(&mut redis)
            .await
            .unwrap();
        let (read, last): (_, &[&str]) = match kind.as_str() {
            // Another test may have emptied the database meanwhile.
            "none" => continue,
            "string" => ("GET", &[]),
            "hash" => ("HGETALL", &[]),
            "set" => ("SMEMBERS", &[]),
            "list" => ("LRANGE", &["0", "-1"]),
            other => panic!("{place} is a {other}"),
        };
        let value = redis::cmd(read)
            .arg(&key)
            .arg(last)
            .query_async(&mut redis)
            .await
            .unwrap();
        found.extend(canaries_in_bytes(&place, &bytes_of(value), texts));
    }
    found
}

/// All that is in a value of Redis.
fn bytes_of(value: redis::Value) -> Vec<u8> {
    match value {
        redis::Value::BulkString(bytes) => bytes,
        redis::Value::Array(values) => values.into_iter().flat_map(bytes_of).collect(),
        redis::Value::Nil => Vec::new(),
        other => format!("{other:?}").into_bytes(),
    }
}

/// Fails the test if a process that is over has written a token below `folder`. For `Drop`: silent in a
/// test that fails already, as one failure is enough and a second panic would hide the first.
///
/// # Panics
/// If there is a token, or no file.
pub fn assert_no_canary(folder: &Path) {
    if !std::thread::panicking() {
        let found = canaries_in(folder, &[CANARY]);
        assert!(found.is_empty(), "a token was written: {found:?}");
    }
}

/// Every file below `folder` that holds one of `texts`, with that text.
///
/// # Panics
/// If there is no file, or one cannot be read.
#[must_use]
pub fn canaries_in(folder: &Path, texts: &[&str]) -> Vec<String> {
    let mut folders = vec![folder.to_owned()];
    let (mut found, mut files) = (Vec::new(), 0);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = match std::fs::read(&path) {
                Ok(bytes) => bytes,
                // A database takes its journal away when it is closed.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => panic!("{}: {error}", path.display()),
            };
            files += 1;
            found.extend(canaries_in_bytes(
                &path.display().to_string(),
                &bytes,
                texts,
            ));
        }
    }
    assert!(files > 0, "there is nothing in {}", folder.display());
    found
}
