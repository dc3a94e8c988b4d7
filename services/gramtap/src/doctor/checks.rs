//! The checks of what Gramtap keeps and writes: folder, key, database, Redis, bus.
//!
//! In: the configuration. Out: a [`Finding`] each. Invariant: a text names the key to change and
//! never shows an address that may hold a password.

use std::path::Path;
use std::time::Duration;

use gramtap_bus::error::BusError;
use gramtap_bus::{Bus, Kind, topics};
use gramtap_events::topics::ALL;
use gramtap_process::ProcessConfig;
use gramtap_tenants::{Keys, Redis};

use super::Finding;
use crate::effective::Effective;
use crate::out::chain;

const BROKERS: Duration = Duration::from_secs(10);

pub(crate) fn data_dir(folder: &Path) -> Finding {
    let probe = folder.join(format!(".doctor-{}", std::process::id()));
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&probe, b"probe"));
    let removed = written.and_then(|()| std::fs::remove_file(&probe));
    match removed {
        Ok(()) => Finding::Ok(format!("{} can be written", folder.display())),
        Err(error) => Finding::Problem(format!(
            "{} cannot be written: {error}; make it writable for this user, or set data_dir",
            folder.display()
        )),
    }
}

pub(crate) fn key(config: &ProcessConfig) -> Finding {
    let tenants = &config.tenants;
    match Keys::load(&tenants.secrets, &tenants.data_dir) {
        Ok(keys) => Finding::Ok(format!(
            "{} seals; keep a copy of it apart from the database's",
            keys.id()
        )),
        Err(error) => Finding::Problem(format!("{error}; set secrets.key or secrets.key_file")),
    }
}

pub(crate) async fn database(effective: &Effective) -> Finding {
    let registry = match effective.open() {
        Ok(opened) => opened.registry,
        Err(error) => return Finding::Problem(format!("{error:#}")),
    };
    let engine = registry.database().engine();
    let listed = registry.list().await;
    registry.database().close().await;
    match listed {
        Ok(tenants) => Finding::Ok(format!("{engine}, {} bots", tenants.len())),
        Err(error) => Finding::Problem(format!(
            "{engine}: {}; start it, or correct database.url",
            chain(&error)
        )),
    }
}

pub(crate) async fn redis(config: &ProcessConfig) -> Finding {
    let redis = match Redis::open(&config.tenants.redis) {
        Ok(None) => return Finding::Ok("not used (redis.url is empty)".to_owned()),
        Ok(Some(redis)) => redis,
        Err(error) => return Finding::Problem(format!("{}; correct redis.url", chain(&error))),
    };
    match redis.ping().await {
        Ok(()) => Finding::Ok("it answers".to_owned()),
        Err(error) => {
            Finding::Problem(format!("{}; start it, or correct redis.url", chain(&error)))
        }
    }
}

pub(crate) async fn bus(config: &ProcessConfig) -> Finding {
    match config.bus.bus.kind {
        Kind::Embedded => embedded(config),
        Kind::Kafka => kafka(config).await,
    }
}

fn embedded(config: &ProcessConfig) -> Finding {
    let file = Bus::log_file(&config.data_dir);
    if !file.exists() {
        return Finding::Ok(format!(
            "embedded, {} will be made at the first start",
            file.display()
        ));
    }
    match Bus::observe(&config.bus) {
        Ok(_) => Finding::Ok(format!("embedded, {}", file.display())),
        Err(error) => Finding::Problem(format!("{error}; move the file away to begin a new log")),
    }
}

async fn kafka(config: &ProcessConfig) -> Finding {
    let brokers = &config.bus.kafka.brokers;
    let checked = match Bus::open(&config.bus) {
        Ok(bus) => topics::check(&bus, &ALL, BROKERS).await,
        Err(error) => Err(error),
    };
    match checked {
        Ok(()) => Finding::Ok(format!("kafka, {brokers}, all {} topics", ALL.len())),
        // It says itself what to run.
        Err(error @ BusError::Topics(_)) => Finding::Problem(error.to_string()),
        Err(error @ BusError::Setting { .. }) => {
            Finding::Problem(format!("{error}; correct kafka.properties"))
        }
        Err(error) => Finding::Problem(format!(
            "{brokers}: {error}; start the brokers, or correct kafka.brokers"
        )),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use gramtap_settings::Settings;

    fn config(variables: &[(&str, &str)]) -> ProcessConfig {
        let variables: Vec<_> = variables
            .iter()
            .map(|(key, value)| (key.to_string(), value.to_string()))
            .collect();
        ProcessConfig::load(
            &Settings::load(None, variables.into_iter()).unwrap(),
            "test",
        )
        .unwrap()
    }

    #[test]
    fn a_folder_that_can_be_written_is_left_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(data_dir(folder.path()), Finding::Ok(_)));
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
        let file = folder.path().join("file");
        std::fs::write(&file, b"").unwrap();
        let Finding::Problem(text) = data_dir(&file.join("below")) else {
            panic!("a file was taken for a folder");
        };
        assert!(text.contains("data_dir"), "{text}");
    }

    #[actix_rt::test]
    async fn problems_name_the_key_and_show_no_address() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().to_str().unwrap();
        let config = config(&[
            ("GRAMTAP_DATA_DIR", data_dir),
            ("GRAMTAP_REDIS__URL", "redis://me:canary@127.0.0.1:1"),
            ("GRAMTAP_SECRETS__KEY", "canary"),
        ]);
        for (finding, name) in [
            (redis(&config).await, "redis.url"),
            (key(&config), "secrets.key"),
        ] {
            let Finding::Problem(text) = finding else {
                panic!("{name}: no problem");
            };
            assert!(text.contains(name) && !text.contains("canary"), "{text}");
        }
        assert!(matches!(bus(&config).await, Finding::Ok(text) if text.contains("first start")));
    }
}
