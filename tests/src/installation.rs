//! What an installation of Gramtap has: data directories, keys, a registry, a bus.
//!
//! In: `GRAMTAP_TEST_KAFKA`, `_REDIS` and `_POSTGRES` (deploy/dev/services), unless it is embedded.
//! Out: the environment that its processes are started with; handles to registry and bus for the
//! test. Invariant: the registry is the test's own (a file, or a schema of Postgres that is removed
//! at the end of a test that passed); Kafka's topics are shared, so records are told by tenant; and
//! the broker stays while an installation uses it, but for a test that is alone with it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use gramtap_bus::{Bus, BusConfig};
use gramtap_database::Database;
use gramtap_events::tenant::Privacy;
use gramtap_events::topics::ALL;
use gramtap_telegram::BotId;
use gramtap_tenants::{Keys, NewTenant, Registry, Tenant};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tempfile::TempDir;

use crate::{
    DEADLINE, Wire, broker, canaries_in, canaries_in_redis, canaries_in_tables, canaries_on,
};

/// The database of Redis that these tests have; those of the registry have lower numbers.
const REDIS: u8 = 14;
/// Keys of an installation with several processes.
const KEY: &str = "7b0d7b0d7b0d7b0d7b0d7b0d7b0d7b0d7b0d7b0d7b0d7b0d7b0d7b0d7b0d7b0d";

/// Where an installation keeps what it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stores {
    /// In files, for one process.
    Embedded,
    /// In Kafka, Postgres and Redis.
    Servers,
}

/// Wires to the servers of an installation but the broker.
#[derive(Debug)]
pub struct Wires {
    /// The one to Redis.
    pub redis: Wire,
    /// The one to Postgres.
    pub sql: Wire,
    urls: [String; 2],
}

impl Wires {
    /// Leads a process through them: more of its environment.
    #[must_use]
    pub fn environment(&self) -> [(&str, &str); 2] {
        let [redis, sql] = &self.urls;
        [
            ("GRAMTAP_REDIS__URL", redis),
            ("GRAMTAP_DATABASE__URL", sql),
        ]
    }
}

/// An installation.
#[derive(Debug)]
pub struct Installation {
    stores: Stores,
    folder: TempDir,
    schema: String,
    /// Dropped last, so that nobody ends the broker before all of it is gone.
    _broker: Option<broker::Shared>,
}

pub(crate) fn address(variable: &str) -> String {
    std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} is not set: run `make test`, which starts it"))
}

impl Installation {
    /// Makes one, with an empty registry.
    pub async fn new(stores: Stores) -> Self {
        let broker = match stores {
            Stores::Embedded => None,
            Stores::Servers => Some(broker::shared().await),
        };
        Self::on(stores, broker).await
    }

    /// One on servers, for a test that may end the broker.
    pub async fn alone(_: &broker::Alone) -> Self {
        Self::on(Stores::Servers, None).await
    }

    async fn on(stores: Stores, broker: Option<broker::Shared>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().file_name().unwrap().to_string_lossy();
        let unique: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        let installation = Self {
            stores,
            schema: format!("ingress_{}", unique.to_lowercase()),
            folder,
            _broker: broker,
        };
        if stores == Stores::Servers {
            let schema = &installation.schema;
            directly(format!("CREATE SCHEMA {schema}")).await;
            let client = redis::Client::open(redis_url()).unwrap();
            let mut redis = client.get_multiplexed_async_connection().await.unwrap();
            let _: () = redis::cmd("FLUSHDB").query_async(&mut redis).await.unwrap();
            let bus = installation.open_bus();
            gramtap_bus::topics::apply(&bus, &ALL, DEADLINE)
                .await
                .unwrap();
        }
        installation
    }

    /// Where it keeps what it has.
    pub(crate) fn stores(&self) -> Stores {
        self.stores
    }

    /// The folder of everything that its processes write; data directories and logs.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The data directory of one of its processes.
    #[must_use]
    pub fn data_dir(&self, process: &str) -> PathBuf {
        let data = self.folder().join(process).join("data");
        std::fs::create_dir_all(&data).unwrap();
        data
    }

    /// What its processes find in their environment.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        match self.stores {
            Stores::Embedded => Vec::new(),
            Stores::Servers => vec![
                ("GRAMTAP_BUS__KIND", "kafka".to_owned()),
                ("GRAMTAP_KAFKA__BROKERS", address("GRAMTAP_TEST_KAFKA")),
                ("GRAMTAP_REDIS__URL", redis_url()),
                ("GRAMTAP_DATABASE__URL", self.database_url()),
                ("GRAMTAP_SECRETS__KEY", KEY.to_owned()),
            ],
        }
    }

    /// Wires that a test can freeze and cut without another test noticing.
    #[must_use]
    pub fn wires(&self) -> Wires {
        let (redis, redis_url) = Wire::before(&redis_url());
        let (sql, sql_url) = Wire::before(&self.database_url());
        Wires {
            redis,
            sql,
            urls: [redis_url, sql_url],
        }
    }

    /// The registry, as a process of its own has it.
    #[must_use]
    pub fn registry(&self) -> Registry {
        let data = self.data_dir("ingress");
        let section = json!({"url": self.database_url(), "max_connections": 2});
        let database = Database::open(&serde_json::from_value(section).unwrap(), &data).unwrap();
        Registry::new(database, self.keys())
    }

    /// What it seals with.
    #[must_use]
    pub fn keys(&self) -> Keys {
        let key = match self.stores {
            Stores::Embedded => "",
            Stores::Servers => KEY,
        };
        let secrets = json!({"key": key, "key_file": ""});
        let secrets = serde_json::from_value(secrets).unwrap();
        Keys::load(&secrets, &self.data_dir("ingress")).unwrap()
    }

    /// Connects a bot of which everything may be kept; without an id, only its code is known.
    pub async fn add(&self, bot: Option<i64>) -> Tenant {
        add(&self.registry(), bot).await
    }

    /// Connects many.
    pub async fn add_all(&self, bots: impl IntoIterator<Item = i64>) -> Vec<Tenant> {
        let registry = self.registry();
        let mut tenants = Vec::new();
        for bot in bots {
            tenants.push(add(&registry, Some(bot)).await);
        }
        tenants
    }

    /// The bus. The embedded one is to be had only while no process has it.
    #[must_use]
    pub fn open_bus(&self) -> Bus {
        Bus::open(&self.bus()).unwrap()
    }

    /// The bus, to look on.
    #[must_use]
    pub fn observe_bus(&self) -> Bus {
        Bus::observe(&self.bus()).unwrap()
    }

    /// Where one of `texts` is, in all that this installation has: files, topics, tables, Redis. The
    /// embedded bus is among the files. Of Kafka's topics, all that any test has written.
    pub async fn canaries(&self, texts: &[&str]) -> Vec<String> {
        let mut found = canaries_in(self.folder(), texts);
        if self.stores == Stores::Servers {
            let url = address("GRAMTAP_TEST_POSTGRES");
            found.extend(canaries_on(&self.observe_bus(), &ALL, texts).await);
            found.extend(canaries_in_tables(&url, &self.schema, texts).await);
            found.extend(canaries_in_redis(&redis_url(), texts).await);
        }
        found
    }

    /// At the end of a test that passed.
    pub async fn remove(self) {
        if self.stores == Stores::Servers {
            directly(format!("DROP SCHEMA {} CASCADE", self.schema)).await;
        }
    }

    fn bus(&self) -> BusConfig {
        let (kind, brokers) = match self.stores {
            Stores::Embedded => ("embedded", String::new()),
            Stores::Servers => ("kafka", address("GRAMTAP_TEST_KAFKA")),
        };
        let bus = json!({"kind": kind, "embedded": {"retention": "7d", "max_bytes": "1GiB"}});
        let kafka = json!({
            "brokers": brokers, "properties": [], "partitions": 24, "replication": 1,
            "compression": "lz4",
        });
        BusConfig {
            bus: serde_json::from_value(bus).unwrap(),
            kafka: serde_json::from_value(kafka).unwrap(),
            data_dir: self.data_dir("ingress"),
            client: "gramtap-tests".to_owned(),
        }
    }

    fn database_url(&self) -> String {
        match self.stores {
            Stores::Embedded => String::new(),
            Stores::Servers => format!(
                "{}?options=-c%20search_path%3D{}",
                address("GRAMTAP_TEST_POSTGRES"),
                self.schema
            ),
        }
    }
}

async fn add(registry: &Registry, bot: Option<i64>) -> Tenant {
    let new = NewTenant {
        bot: bot.map(BotId),
        privacy: Some(Privacy::Full),
        ..NewTenant::default()
    };
    registry.add(&new).await.unwrap()
}

/// The id of a bot that no installation has had. Where Kafka and Redis are shared, another
/// installation's word on a bot with the same id is believed until SQL has been asked.
#[must_use]
pub fn fresh_bot() -> i64 {
    static LAST: AtomicI64 = AtomicI64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = i64::try_from(now.as_millis()).unwrap();
    LAST.fetch_max(now, Ordering::Relaxed);
    LAST.fetch_add(1, Ordering::Relaxed)
}

fn redis_url() -> String {
    format!("{}/{REDIS}", address("GRAMTAP_TEST_REDIS"))
}

async fn directly(statement: String) {
    let url = address("GRAMTAP_TEST_POSTGRES");
    let mut connection = PgConnection::connect(&url).await.unwrap();
    connection.execute(AssertSqlSafe(statement)).await.unwrap();
}
