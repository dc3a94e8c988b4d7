//! The settings of the registry: `[database]`, `[redis]`, `[secrets]` of `default.toml`.
//!
//! In: `shared/settings`. Out: the registry, the keys and Redis, to `app.rs` of each service and to
//! the operator's commands. Invariant: opening connects to nothing; the one thing it may write is the
//! installation key, at the first start. A refusal names the setting.

use std::path::{Path, PathBuf};

use gramtap_database::{Database, DatabaseSection};
use gramtap_settings::{Settings, SettingsError};

use crate::redis::RedisSection;
use crate::{Keys, KeysError, Redis, RedisError, Registry, SecretsSection};

/// Where the registry, its cache and its key are.
#[derive(Clone, Debug)]
pub struct TenantsConfig {
    /// `[database]`.
    pub database: DatabaseSection,
    /// `[redis]`.
    pub redis: RedisSection,
    /// `[secrets]`.
    pub secrets: SecretsSection,
    /// `data_dir`.
    pub data_dir: PathBuf,
}

/// What [`TenantsConfig::open`] opened.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Who is connected.
    pub registry: Registry,
    /// The installation key.
    pub keys: Keys,
    /// Redis, where there is one.
    pub redis: Option<Redis>,
}

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// `database.url`.
    #[error(transparent)]
    Database(#[from] gramtap_database::Error),
    /// `secrets.key` or `secrets.key_file`, or the file in the data folder.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// `redis.url`.
    #[error(transparent)]
    Redis(#[from] RedisError),
}

impl OpenError {
    /// The setting that it is about.
    #[must_use]
    pub fn key(&self) -> &'static str {
        match self {
            Self::Database(_) => "database.url",
            Self::Keys(KeysError::Malformed(_) | KeysError::Both) => "secrets.key",
            Self::Keys(_) => "secrets.key_file",
            Self::Redis(_) => "redis.url",
        }
    }
}

impl TenantsConfig {
    /// Reads the sections.
    pub fn load(settings: &Settings, data_dir: &Path) -> Result<Self, SettingsError> {
        Ok(Self {
            database: settings.section("database")?,
            redis: settings.section("redis")?,
            secrets: settings.section("secrets")?,
            data_dir: data_dir.to_owned(),
        })
    }

    /// Opens the registry. The database is connected to, and brought up to date, at the first query
    /// ([`Database::prepare`] does it sooner); Redis at its first command.
    ///
    /// # Panics
    /// Outside a runtime, if there is a Redis.
    pub fn open(&self) -> Result<Opened, OpenError> {
        let keys = Keys::load(&self.secrets, &self.data_dir)?;
        let database = Database::open(&self.database, &self.data_dir)?;
        Ok(Opened {
            registry: Registry::new(database, keys.clone()),
            redis: Redis::open(&self.redis)?,
            keys,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::iter;

    fn config(folder: &Path, variables: &[(&str, &str)]) -> TenantsConfig {
        let variables = variables
            .iter()
            .map(|(key, value)| (key.to_string(), value.to_string()));
        let settings = Settings::load(None, variables).unwrap();
        TenantsConfig::load(&settings, folder).unwrap()
    }

    #[tokio::test]
    async fn the_defaults_open_a_registry_in_the_data_folder() {
        let folder = tempfile::tempdir().unwrap();
        let opened = config(folder.path(), &[]).open().unwrap();
        assert!(opened.redis.is_none());
        assert_eq!(opened.registry.list().await.unwrap(), []);
        let mut files: Vec<_> = iter::Iterator::map(folder.path().read_dir().unwrap(), |file| {
            file.unwrap().file_name().into_string().unwrap()
        })
        .filter(|file| !file.contains('-'))
        .collect();
        files.sort_unstable();
        assert_eq!(files, ["installation.key", "registry.db"]);
    }

    #[tokio::test]
    async fn what_is_refused_is_named_and_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        for (variable, key) in [
            ("GRAMTAP_DATABASE__URL", "database.url"),
            ("GRAMTAP_REDIS__URL", "redis.url"),
            ("GRAMTAP_SECRETS__KEY", "secrets.key"),
        ] {
            let error = config(folder.path(), &[(variable, "canary")])
                .open()
                .unwrap_err();
            assert_eq!(error.key(), key);
            assert!(
                !format!("{error} {error:?}").contains("canary"),
                "{error:?}"
            );
        }
    }
}
