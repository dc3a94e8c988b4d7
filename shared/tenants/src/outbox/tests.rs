//! Publishing: order, several publishers, leases lost on the way, a bus that is away.
//!
//! In: a registry in SQLite, and a bus that keeps what it is given, late or never. Out: pass or fail.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use gramtap_database::{DatabaseSection, Statement};
use gramtap_settings::SecretString;
use gramtap_telegram::BotId;
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio::time::sleep;

use super::*;
use crate::{Code, NewTenant, StandingRow, keys};

/// The bus.
#[derive(Default)]
struct Topic {
    records: Mutex<Vec<TenantState>>,
    away: AtomicBool,
    delay: AtomicU64,
    /// How many were sent, arrived or not.
    sent: AtomicU64,
    /// What is sent waits for this, once it is set.
    gate: Mutex<Option<Arc<Semaphore>>>,
}

impl Outlet for Topic {
    fn publish(&self, message: Message) -> BoxFuture<'_, Result<(), ProduceError>> {
        let state: TenantState = serde_json::from_slice(message.payload.as_ref().unwrap()).unwrap();
        assert_eq!(
            message.key.as_deref(),
            Some(state.tenant.as_str().as_bytes())
        );
        self.sent.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            if self.away.load(Ordering::SeqCst) {
                return Err(ProduceError::Expired { sent: false });
            }
            let gate = self.gate.lock().unwrap().clone();
            if let Some(gate) = gate {
                gate.acquire().await.unwrap().forget();
            }
            let delay = self.delay.fetch_add(7, Ordering::SeqCst) % 5;
            // paced: each takes another time to arrive
            sleep(Duration::from_millis(delay)).await;
            self.records.lock().unwrap().push(state);
            Ok(())
        })
    }
}

impl Topic {
    /// The versions of each bot in the order of the topic.
    fn versions(&self) -> HashMap<TenantId, Vec<u64>> {
        let mut versions: HashMap<TenantId, Vec<u64>> = HashMap::new();
        for record in self.records.lock().unwrap().iter() {
            versions
                .entry(record.tenant)
                .or_default()
                .push(record.version);
        }
        versions
    }
}

fn registry() -> (TempDir, Registry) {
    let folder = tempfile::tempdir().unwrap();
    let section = DatabaseSection {
        url: SecretString::default(),
        max_connections: 4,
    };
    let database = Database::open(&section, folder.path()).unwrap();
    (folder, Registry::new(database, keys::tests::keys(1)))
}

fn publisher(registry: &Registry, topic: &Arc<Topic>) -> Publisher {
    Publisher::new(registry, Arc::clone(topic) as Arc<dyn Outlet>)
}

async fn add(registry: &Registry, bot: i64) -> Code {
    let new = NewTenant {
        bot: Some(BotId(bot)),
        ..NewTenant::default()
    };
    registry.add(&new).await.unwrap().code
}

async fn waiting(registry: &Registry) -> i64 {
    const COUNT: Statement = Statement::new(
        "count",
        "SELECT COUNT(*) AS n FROM outbox WHERE published_at IS NULL",
    );
    let row = registry.database().first(&COUNT, &[]).await.unwrap();
    row.unwrap().get("n").unwrap()
}

/// As if the process that holds the lease had been silent for too long.
async fn expire(registry: &Registry) {
    const EXPIRE: Statement = Statement::new("expire", "UPDATE leases SET until = 0");
    registry.database().execute(&EXPIRE, &[]).await.unwrap();
}

#[tokio::test]
async fn changes_are_published_in_order_and_once() {
    let (_folder, registry) = registry();
    let topic = Arc::new(Topic::default());
    let mut publisher = publisher(&registry, &topic);
    let code = add(&registry, 1).await;
    for bot in 2..150 {
        add(&registry, bot).await;
        registry.rebind(code, BotId(1_000 + bot)).await.unwrap();
    }
    publisher.round().await.unwrap();
    publisher.round().await.unwrap();
    assert_eq!(waiting(&registry).await, 0);
    let versions = topic.versions();
    assert_eq!(versions.values().map(Vec::len).sum::<usize>(), 297);
    for versions in versions.values() {
        assert!(
            versions.is_sorted_by(|earlier, later| earlier < later),
            "{versions:?}"
        );
    }
}

#[tokio::test]
async fn two_publishers_do_not_reorder() {
    let (_folder, registry) = registry();
    let topic = Arc::new(Topic::default());
    let code = add(&registry, 1).await;
    let publish = |mut publisher: Publisher| async move {
        for _ in 0..60 {
            publisher.round().await.unwrap();
            // paced: two publishers that take turns
            sleep(Duration::from_millis(3)).await;
        }
    };
    let change = async {
        for bot in 2..60 {
            registry.rebind(code, BotId(bot)).await.unwrap();
        }
    };
    tokio::join!(
        publish(publisher(&registry, &topic)),
        publish(publisher(&registry, &topic)),
        change
    );
    let mut last = publisher(&registry, &topic);
    expire(&registry).await;
    last.round().await.unwrap();
    assert_eq!(waiting(&registry).await, 0);
    let versions = topic.versions();
    let versions = versions.values().next().unwrap();
    assert_eq!(versions.len(), 59, "each once");
    assert!(
        versions.is_sorted_by(|earlier, later| earlier < later),
        "{versions:?}"
    );
}

#[tokio::test]
async fn a_publisher_that_was_overtaken_makes_it_good() {
    let (_folder, registry) = registry();
    let topic = Arc::new(Topic::default());
    let gate = Arc::new(Semaphore::new(0));
    *topic.gate.lock().unwrap() = Some(Arc::clone(&gate));
    let code = add(&registry, 1).await;

    let mut slow = publisher(&registry, &topic);
    let mut quick = publisher(&registry, &topic);
    let stuck = async {
        // Sends the first version, which arrives only after the others.
        slow.round().await.unwrap();
    };
    let overtake = async {
        while topic.sent.load(Ordering::SeqCst) == 0 {
            // paced: asks again until it is so
            sleep(Duration::from_millis(1)).await;
        }
        *topic.gate.lock().unwrap() = None;
        registry.rebind(code, BotId(2)).await.unwrap();
        expire(&registry).await;
        quick.round().await.unwrap();
        gate.add_permits(1);
    };
    tokio::join!(stuck, overtake);
    let versions = topic.versions().into_values().next().unwrap();
    assert!(!versions.is_sorted(), "it was overtaken: {versions:?}");
    expire(&registry).await;
    quick.round().await.unwrap();
    let versions = topic.versions().into_values().next().unwrap();
    assert_eq!(
        versions.iter().max(),
        versions.last(),
        "the last is the newest: {versions:?}"
    );
    assert_eq!(
        topic.records.lock().unwrap().last().unwrap().bot,
        Some(BotId(2))
    );
}

#[tokio::test]
async fn while_the_bus_is_away_changes_wait() {
    let (_folder, registry) = registry();
    let topic = Arc::new(Topic::default());
    let mut publisher = publisher(&registry, &topic);
    add(&registry, 1).await;
    topic.away.store(true, Ordering::SeqCst);
    let error = publisher.round().await.unwrap_err();
    assert_eq!(error.label(), "expired");
    add(&registry, 2).await;
    assert_eq!(waiting(&registry).await, 2);
    topic.away.store(false, Ordering::SeqCst);
    publisher.round().await.unwrap();
    assert_eq!(topic.records.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn one_that_holds_no_lease_publishes_nothing() {
    let (_folder, registry) = registry();
    let topic = Arc::new(Topic::default());
    let mut holder = publisher(&registry, &topic);
    add(&registry, 1).await;
    holder.round().await.unwrap();
    add(&registry, 2).await;
    publisher(&registry, &topic).round().await.unwrap();
    assert_eq!(waiting(&registry).await, 1);
    holder.round().await.unwrap();
    assert_eq!(waiting(&registry).await, 0);
}

#[tokio::test]
async fn only_what_is_old_and_done_is_forgotten() {
    let (_folder, registry) = registry();
    let topic = Arc::new(Topic::default());
    let mut publisher = publisher(&registry, &topic);
    let (gone, kept) = (add(&registry, 1).await, add(&registry, 2).await);
    registry.remove(gone, true).await.unwrap();
    publisher.round().await.unwrap();
    add(&registry, 3).await;
    let now = Moment::now();
    for tenant in registry.since(0, 9).await.unwrap() {
        let row = StandingRow {
            tenant: tenant.id,
            partition: 0,
            waiting: 0,
            failed: None,
        };
        registry.write_standing(now, &[row]).await.unwrap();
    }
    const ALL: Statement = Statement::new(
        "all",
        "SELECT (SELECT COUNT(*) FROM tenants) AS bots, (SELECT COUNT(*) FROM outbox) AS changes,
             (SELECT COUNT(*) FROM webhook_standing) AS standings",
    );
    let rows = async || {
        let row = registry.database().first(&ALL, &[]).await.unwrap().unwrap();
        let count = |column| row.get::<i64>(column).unwrap();
        (count("bots"), count("changes"), count("standings"))
    };
    let in_days = |days| Moment::from(now.time() + time::Duration::days(days));
    publisher.sweep(in_days(6)).await;
    assert_eq!(rows().await, (3, 4, 3));
    publisher.sweep(in_days(8)).await;
    assert_eq!(rows().await, (3, 1, 3), "what was not published is kept");
    publisher.sweep(in_days(91)).await;
    assert_eq!(rows().await, (2, 1, 2));
    assert!(registry.get(kept).await.unwrap().is_some());
}
