//! The checks of what Gramtap keeps and writes: folder, key, database, Redis, bus; and whether webhooks can come.
//!
//! In: the configuration. Out: a [`Finding`] each. Invariant: a text names the key to change and
//! never shows an address that may hold a password.

use std::path::Path;
use std::time::Duration;

use gramtap_bus::error::BusError;
use gramtap_bus::{Bus, Kind, topics};
use gramtap_endpoint::public::{Unreachable, reaches};
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

/// Whether Telegram can push to this installation. A problem only where a bot needs it.
pub(crate) async fn webhooks(effective: &Effective) -> Finding {
    let config = &effective.config;
    let reached = reaches(config.telegram.host(), &config.process.public_url);
    let waiting = match effective.open() {
        Ok(opened) => {
            let listed = opened.registry.list().await.unwrap_or_default();
            opened.registry.database().close().await;
            listed.iter().filter(|tenant| tenant.hook.is_some()).count()
        }
        // That is the database's finding.
        Err(_) => 0,
    };
    judged(&config.process.public_url, reached, waiting)
}

fn judged(public_url: &str, reached: Result<(), Unreachable>, waiting: usize) -> Finding {
    let Err(error) = reached else {
        return Finding::Ok(format!(
            "{public_url} is an address that Telegram can push to, if its name and certificate are good"
        ));
    };
    let how = "put a reverse proxy or a tunnel with a public https address before ingress.listen, and set public_url to that address";
    match waiting {
        0 => Finding::Ok(format!(
            "none from here: {error}. Bots that poll need nothing; for webhooks {how}"
        )),
        _ => Finding::Problem(format!(
            "{error}, and {waiting} bots have their webhook here: {how}"
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

    #[test]
    fn a_laptop_is_no_problem_until_a_bot_has_its_webhook_here() {
        let url = "http://127.0.0.1:8080";
        let clear = || Err(Unreachable::Clear);
        let Finding::Ok(text) = judged(url, clear(), 0) else {
            panic!("a problem");
        };
        assert!(
            text.contains("public https") && text.contains("public_url"),
            "{text}"
        );
        assert!(
            matches!(judged(url, clear(), 2), Finding::Problem(text) if text.contains("2 bots"))
        );
        assert!(matches!(
            judged("https://g.example", Ok(()), 2),
            Finding::Ok(_)
        ));
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
