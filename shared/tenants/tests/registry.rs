//! The registry on SQLite: the suite, and two processes on one file.
//!
//! In: files in a folder of the test's own; this test binary itself, as the second process. Out:
//! pass or fail. Needs nothing but cargo.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "registry/suite.rs"]
mod suite;

use std::path::Path;
use std::process::Command;
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

fn bot(id: i64) -> NewTenant {
    NewTenant {
        bot: Some(BotId(id)),
        ..NewTenant::default()
    }
}

#[tokio::test]
async fn the_registry_keeps_its_promises() {
    let folder = tempfile::tempdir().unwrap();
    suite::all(&open(folder.path())).await;
}

#[tokio::test]
async fn bots_added_by_another_process_are_seen() {
    let folder = tempfile::tempdir().unwrap();
    let registry = open(folder.path());
    let follow = async {
        let (directory, _refreshing) = Directory::start(&registry, None, None);
        // Known to be unknown, so that the change has to be heard of.
        assert_eq!(directory.find(Key::Bot(BotId(1))).await, Lookup::Absent);
        let mut other = Command::new(std::env::current_exe().unwrap())
            .args(["the_other_process", "--exact", "--ignored"])
            .env(FOLDER, folder.path())
            .spawn()
            .unwrap();
        for id in BOTS..2 * BOTS {
            registry.add(&bot(id + 1)).await.unwrap();
        }
        let seen = async {
            for id in 0..2 * BOTS {
                while directory
                    .cached(Key::Bot(BotId(id + 1)))
                    .is_none_or(|it| it == Lookup::Absent)
                {
                    sleep(Duration::from_millis(20)).await;
                }
            }
        };
        timeout(Duration::from_secs(30), seen)
            .await
            .expect("all bots are seen");
        assert!(other.wait().unwrap().success());
    };
    LocalSet::new().run_until(follow).await;
}

#[test]
#[ignore = "the second process of the test above"]
fn the_other_process() {
    let folder = std::env::var(FOLDER).expect("it is run by a test");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let registry = open(Path::new(&folder));
        for id in 0..BOTS {
            registry.add(&bot(id + 1)).await.unwrap();
        }
    });
}
