//! The registry on SQLite: the suite, and two processes on one file.
//!
//! In: files in a folder of the test's own; this test binary itself, as the second process. Out:
//! pass or fail. Needs nothing but cargo.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "registry/model.rs"]
mod model;
#[path = "registry/suite.rs"]
mod suite;

use std::ops::Range;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use gramtap_database::{Database, DatabaseSection};
use gramtap_settings::SecretString;
use gramtap_telegram::BotId;
use gramtap_tenants::{Directory, Key, Keys, Lookup, NewTenant, Registry, SecretsSection};
use tokio::task::LocalSet;
use tokio::time::{sleep, timeout};

/// Names the folder for the second process.
const FOLDER: &str = "GRAMTAP_TEST_REGISTRY_FOLDER";
const BOTS: i64 = 25;

fn open(folder: &Path) -> Registry {
    let section = DatabaseSection {
        url: SecretString::default(),
        max_connections: 4,
    };
    let secrets = SecretsSection {
        key: SecretString::default(),
        key_file: "".into(),
    };
    let database = Database::open(&section, folder).unwrap();
    Registry::new(database, Keys::load(&secrets, folder).unwrap())
}

#[tokio::test]
async fn the_registry_keeps_its_promises() {
    let folder = tempfile::tempdir().unwrap();
    suite::all(&open(folder.path())).await;
}

#[tokio::test]
async fn two_directories_agree_with_a_plain_map() {
    let folder = tempfile::tempdir().unwrap();
    let registries = [open(folder.path()), open(folder.path())];
    let seed = u64::from(std::process::id());
    let agrees = model::agrees(registries, [None, None], seed);
    LocalSet::new().run_until(agrees).await;
}

#[tokio::test]
async fn bots_added_by_another_process_are_seen() {
    // This test is the other process, too.
    if let Ok(folder) = std::env::var(FOLDER) {
        add_bots(&open(Path::new(&folder)), 0..BOTS).await;
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let registry = open(folder.path());
    let follow = async {
        let (directory, _refreshing) = Directory::start(&registry, None, None);
        // Known to be unknown, so that the change has to be heard of.
        assert_eq!(directory.find(bot(0)).await, Lookup::Absent);
        let mut other = Command::new(std::env::current_exe().unwrap())
            .args(["bots_added_by_another_process_are_seen", "--exact"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        add_bots(&registry, BOTS..2 * BOTS).await;
        let seen = async {
            for id in 0..2 * BOTS {
                while !matches!(directory.cached(&bot(id)), Some(Lookup::Found(_))) {
                    // paced: asks until the poll has brought it
                    sleep(Duration::from_millis(20)).await;
                }
            }
        };
        let seen = timeout(Duration::from_secs(30), seen).await;
        seen.expect("all bots are seen");
        assert!(other.wait().unwrap().success());
    };
    LocalSet::new().run_until(follow).await;
}

#[tokio::test]
async fn a_refresher_that_panics_is_built_anew_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let registry = open(folder.path());
    add_bots(&registry, 0..1).await;
    let follow = async {
        let (directory, _refreshing) = Directory::start(&registry, None, None);
        let seen = async |id| {
            while !matches!(directory.cached(&bot(id)), Some(Lookup::Found(_))) {
                // paced: asks until the poll has brought it
                sleep(Duration::from_millis(20)).await;
            }
        };
        let times = async {
            seen(0).await;
            for id in 1..4 {
                assert!(gramtap_actors::poison("directory") >= 1);
                tokio::task::yield_now().await;
                assert!(
                    directory.cached(&bot(0)).is_some(),
                    "what is known is served"
                );
                add_bots(&registry, id..id + 1).await;
                seen(id).await;
            }
        };
        let times = timeout(Duration::from_secs(60), times).await;
        times.expect("it follows again");
    };
    LocalSet::new().run_until(follow).await;
}

fn bot(id: i64) -> Key {
    Key::Bot(BotId(id + 1))
}

async fn add_bots(registry: &Registry, ids: Range<i64>) {
    for id in ids {
        let new = NewTenant {
            bot: Some(BotId(id + 1)),
            ..NewTenant::default()
        };
        registry.add(&new).await.unwrap();
    }
}
