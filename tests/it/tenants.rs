//! Registry and directory with a real Postgres and a real Redis.
//!
//! In: `GRAMTAP_TEST_POSTGRES` and `GRAMTAP_TEST_REDIS` (deploy/dev/services), reached through a
//! wire that each test can freeze and cut (`tests/src/wire.rs`), so that no other test notices. Out:
//! pass or fail. Invariant: each test has a schema of Postgres and a database of Redis of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod away;
#[path = "../../shared/tenants/tests/registry/model.rs"]
mod model;
mod postgres;
mod remembered;
#[path = "../../shared/tenants/tests/registry/suite.rs"]
mod suite;

use std::env;
use std::net::SocketAddr;
use std::time::Duration;

use gramtap_database::Database;
use gramtap_telegram::BotId;
use gramtap_tenants::{Directory, Key, Keys, Lookup, NewTenant, Redis, Registry, Tenant};
use gramtap_tests::Wire;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

/// After how long something that does not happen is a failure.
const DEADLINE: Duration = Duration::from_secs(30);

fn address(variable: &str) -> String {
    env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set: run this with deploy/dev/services run -- cargo test")
    })
}

/// `scheme://user@host:port/name`, taken apart.
struct Place {
    scheme: String,
    user: String,
    host: SocketAddr,
    name: String,
}

impl Place {
    fn read(url: &str) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap();
        let (authority, name) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let host = host.replace("localhost", "127.0.0.1");
        Self {
            scheme: scheme.to_owned(),
            user: user.to_owned(),
            host: host.parse().unwrap(),
            name: name.to_owned(),
        }
    }

    fn at(&self, host: SocketAddr, name: &str) -> String {
        let at = if self.user.is_empty() { "" } else { "@" };
        format!("{}://{}{at}{host}/{name}", self.scheme, self.user)
    }
}

/// A schema of its own in the real Postgres, behind a wire.
struct Sql {
    wire: Wire,
    place: Place,
    schema: String,
    folder: TempDir,
}

impl Sql {
    async fn new(test: &str) -> Self {
        let place = Place::read(&address("GRAMTAP_TEST_POSTGRES"));
        let folder = tempfile::tempdir().unwrap();
        let unique = folder.path().file_name().unwrap().to_string_lossy();
        let unique: String = unique.chars().filter(char::is_ascii_alphanumeric).collect();
        let sql = Self {
            wire: Wire::to(place.host),
            place,
            schema: format!("{test}_{}", unique.to_lowercase()),
            folder,
        };
        sql.directly(&format!("CREATE SCHEMA {}", sql.schema)).await;
        sql
    }

    /// Runs a statement around the wire.
    async fn directly(&self, statement: &str) {
        let url = self.place.at(self.place.host, &self.place.name);
        let mut connection = PgConnection::connect(&url).await.unwrap();
        connection
            .execute(AssertSqlSafe(statement.to_owned()))
            .await
            .unwrap();
    }

    /// A handle as a process has it.
    fn open(&self) -> Registry {
        self.open_at(self.wire.address())
    }

    /// One that no fault of the wire reaches.
    fn open_directly(&self) -> Registry {
        self.open_at(self.place.host)
    }

    fn open_at(&self, host: SocketAddr) -> Registry {
        let url = self.place.at(host, &self.place.name);
        let url = format!("{url}?options=-c%20search_path%3D{}", self.schema);
        let section = json!({"url": url, "max_connections": 4});
        let section = serde_json::from_value(section).unwrap();
        let secrets = serde_json::from_value(json!({"key": "ab".repeat(32), "key_file": ""}));
        let keys = Keys::load(&secrets.unwrap(), self.folder.path()).unwrap();
        let database = Database::open(&section, self.folder.path()).unwrap();
        Registry::new(database, keys)
    }

    /// At the end of a test that passed.
    async fn remove(self) {
        self.directly(&format!("DROP SCHEMA {} CASCADE", self.schema))
            .await;
    }
}

/// A database of its own in the real Redis, behind a wire.
struct Cache {
    wire: Wire,
    place: Place,
    number: u8,
}

impl Cache {
    /// Each test has a number of its own.
    async fn new(number: u8) -> Self {
        let place = Place::read(&address("GRAMTAP_TEST_REDIS"));
        let cache = Self {
            wire: Wire::to(place.host),
            place,
            number,
        };
        cache.directly::<()>(&["FLUSHDB"]).await;
        cache
    }

    async fn directly<T: redis::FromRedisValue>(&self, words: &[&str]) -> T {
        let url = self.place.at(self.place.host, &self.number.to_string());
        let client = redis::Client::open(url).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        command.query_async(&mut connection).await.unwrap()
    }

    fn open(&self) -> Redis {
        let url = self.place.at(self.wire.address(), &self.number.to_string());
        let section = serde_json::from_value(json!({"url": url})).unwrap();
        Redis::open(&section).unwrap().unwrap()
    }
}

fn bot(id: i64) -> Key {
    Key::Bot(BotId(id))
}

async fn add(registry: &Registry, id: i64) -> Tenant {
    let new = NewTenant {
        bot: Some(BotId(id)),
        ..NewTenant::default()
    };
    registry.add(&new).await.unwrap()
}

/// Waits until a look-up says what it should.
async fn until(directory: &Directory, key: Key, what: impl Fn(&Lookup) -> bool) -> Lookup {
    let said = async {
        loop {
            let lookup = directory.find(key).await;
            if what(&lookup) {
                return lookup;
            }
            // paced: asks again until it is so
            sleep(Duration::from_millis(20)).await;
        }
    };
    let said = timeout(DEADLINE, said).await;
    said.unwrap_or_else(|_| panic!("{key:?} never is what it should be"))
}

async fn until_found(directory: &Directory, key: Key) -> Lookup {
    until(directory, key, |lookup| lookup.found().is_some()).await
}
